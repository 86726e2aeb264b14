/**
 * The gateway's desk: takes orders and books from buyers, and what devices say they have sold.
 *
 * Everything that comes in may be forged, late, twice or nonsense. What is bogus dies before a key
 * is used where that can be told; an order costs one decryption within a budget, a request one of a
 * session that we know. What is refused is answered, sealed. Nothing here ever signs a refund: a
 * payer takes back what is left by the channel's own withdrawal, so no forged or forgotten record
 * can drain a channel.
 */
import { whyOf } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import { Malformed } from '../wire/malformed.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'
import { decodeRequest, type Request } from '../wire/request.ts'
import { openMessage, peekSession } from '../wire/session.ts'
import { openSold } from '../wire/sold.ts'
import { type BooksShown, takeBooks, takeShown } from './books.ts'
import type { Channel } from './channel.ts'
import { deal } from './deal.ts'
import { type OrdersParts, openOrders } from './orders.ts'

export type Desk = {
  /** What came under our `ask`. Never throws for what is in it. */
  ask(payload: Uint8Array): Promise<void>
  /** What a device retained under `sold`. Never throws for what is in it. */
  sold(device: Address, payload: Uint8Array): Promise<void>
  /** Looks again for the deposits that orders wait for. */
  look(): Promise<void>
  /** Forgets sessions whose orders have all ended. */
  sweep(): void
}

export function openDesk(parts: OrdersParts): Desk {
  const { keeper, sessions, register, hpke } = parts
  const orders = openOrders(parts)

  function takeRequest(message: Uint8Array, name: string): void {
    const line = sessions.get(name)
    if (line === undefined || !line.requests.take()) return
    const opened = openMessage(message, line.session.keys, 'request')
    if (opened === undefined || opened.counter < line.asked) return
    line.asked = opened.counter
    const { session } = line
    const { counter: to } = opened
    const request = requestIn(opened.plain)
    const no = request.ok ? obey(session.channel, request.body) : request.refusal
    if (no !== undefined) sessions.refuse(session, to, no)
    else sessions.answer(session, { to, kind: 'ok' })
    if (request.ok && request.body.kind === 'end') sessions.close(name)
  }

  function obey(channel: Hex, request: Request): Refusal | undefined {
    if (request.kind === 'books') return show(channel, request)
    if (request.kind === 'end') return undefined
    if (request.kind === 'refund') return refusal('refund-never')
    const why = `a gateway takes orders, books and the end, no ${request.kind}`
    return refusal('request-malformed', { why })
  }

  /** Takes books for a channel, and deals it anew: who has used its cap may get more. */
  function show(
    id: Hex,
    shown: BooksShown,
    first = (channel: Channel) => channel,
  ): Refusal | undefined {
    const channel = keeper.get(id)
    if (channel === undefined) return refusal('channel-unknown')
    const taken = takeBooks(first(channel), shown, keeper.nowMs())
    if (taken.channel !== channel) keeper.put(deal(taken.channel))
    return taken.refusal
  }

  async function takeSold(device: Address, payload: Uint8Array): Promise<void> {
    if (register.get(device) === undefined || payload.length === 0) return
    for (const payment of await openSold(payload, device, hpke)) {
      const { voucher, split, leaf } = payment
      const taken = (channel: Channel) => takeShown(channel, device, payment)
      // One leaf of a fleet makes no books; its voucher and split count all the same.
      show(hex(voucher.channelId), { voucher, split, leaves: [leaf] }, taken)
    }
  }

  return {
    async ask(payload) {
      const peek = peekSession(payload)
      if (peek?.kind === 'order') await unlessMalformed(() => orders.take(payload))
      else if (peek?.kind === 'request') takeRequest(payload, peek.session)
    },
    sold: (device, payload) => unlessMalformed(() => takeSold(device, payload)),
    look: () => orders.look(),
    sweep() {
      for (const { name, channel } of sessions.all()) {
        // A channel that ended may still show a voucher to claim.
        if (!isOrdered(keeper.get(channel), keeper.nowMs())) sessions.close(name)
      }
    },
  }
}

/** A channel is live while it may still get grants and acks. */
export function isLive(channel: Channel, nowMs: number): boolean {
  return channel.ended === undefined && isOrdered(channel, nowMs)
}

function isOrdered(channel: Channel | undefined, nowMs: number): boolean {
  return channel?.members.some(({ untilMs }) => untilMs > nowMs) ?? false
}

/** What cannot be read dies here, without a word: it may come from anybody. */
async function unlessMalformed(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause
  }
}

type Read =
  | { readonly ok: true; readonly body: Request }
  | { readonly ok: false; readonly refusal: Refusal }

function requestIn(plain: Uint8Array): Read {
  try {
    return { ok: true, body: decodeRequest(plain) }
  } catch (cause) {
    return { ok: false, refusal: refusal('request-malformed', { why: whyOf(cause) }) }
  }
}
