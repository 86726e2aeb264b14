/**
 * Orders at the gateway: who may have a channel granted, and when.
 *
 * The chain is asked before anything is granted, for every order, so that a withdrawal is seen here
 * first. An order whose deposit is not deep enough waits in memory and is looked at again; its
 * buyer is told, and may as well send it again. Nothing here rests on what a buyer says of its
 * channel.
 */
import { Fault, whyOf } from '../faults.ts'
import { budget } from '../time/budget.ts'
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import type { HpkeKey } from '../wire/hpke.ts'
import { checkOrder, decodeOrder, type OrderGround, type SignedOrder } from '../wire/order.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'
import { openOrder, sessionName } from '../wire/session.ts'
import {
  ackAgain,
  type Channel,
  isFunded,
  join,
  newChannel,
  observe,
  type Seen,
} from './channel.ts'
import { deal } from './deal.ts'
import type { Keeper } from './keeper.ts'
import type { Session } from './ledger.ts'
import type { DeskLimits } from './limits.ts'
import type { Note } from './note.ts'
import type { Register } from './register.ts'
import type { Sessions } from './sessions.ts'

export type OrdersParts = {
  readonly keeper: Keeper
  readonly sessions: Sessions
  readonly register: Register
  readonly hpke: HpkeKey
  /** Where money may come from and whose it becomes. */
  readonly ground: Pick<
    OrderGround,
    'tokens' | 'receiver' | 'receiverAuthorizer' | 'withdrawDelayMin'
  >
  /** What the chain says of a channel, k blocks deep; rejects when it cannot be asked. */
  readonly seen: (channel: Pick<Channel, 'config' | 'rail'>) => Promise<Seen>
  readonly note: (note: Note) => void
  readonly monotonicMs: () => number
  readonly limits: DeskLimits
}

export type Orders = {
  /** Takes a sealed order. Throws Malformed. */
  take(message: Uint8Array): Promise<void>
  /** Looks again for the deposits that orders wait for. */
  look(): Promise<void>
}

export function openOrders(parts: OrdersParts): Orders {
  const { keeper, sessions, register, hpke, ground, monotonicMs, limits } = parts
  const waiting = new Map<string, Waiting>()
  const looks = budget(limits.ordersPerSecond, monotonicMs)

  async function take(message: Uint8Array): Promise<void> {
    if (!looks.take()) return
    const { order: bytes, sessionKey, keys } = await openOrder(message, hpke)
    const document = decodeOrder(bytes)
    const { order, config, rail } = document
    const session = { name: sessionName(keys.id), channel: hex(order.channelId), keys }
    const devices = register.named(order.seller)
    const checked = checkOrder(document, {
      ...ground,
      device: devices.length === 0 ? register.operator : order.seller,
      operator: register.operator,
      sessionKey,
      timeMs: keeper.nowMs(),
    })
    if (!checked.ok) sessions.refuse(session, 0n, checked.refusal)
    // Own data is its devices' business: it needs no channel and no grant.
    else if (config === undefined || rail === undefined) {
      sessions.refuse(session, 0n, refusal('order-channel'))
    } else {
      const { payer } = checked
      await admit({ session, order, config, rail, devices, payer, sinceMs: monotonicMs() })
    }
  }

  async function admit(one: Waiting): Promise<void> {
    const { session } = one
    const seen = await seenOf(parts, one)
    const known = keeper.get(session.channel)
    const before = known ?? newChannel(one.order.channelId, one.config, one.rail)
    const channel = seen === undefined ? before : observe(before, seen, keeper.nowMs())
    if (seen === undefined || seen.doubt !== undefined || !isFunded(channel)) {
      if (known !== undefined && channel !== known) keeper.put(channel)
      if (waiting.get(session.name) !== one) {
        sessions.refuse(session, 0n, refusal('channel-unknown'))
        if (waiting.size < limits.waitingMax) waiting.set(session.name, one)
      }
      return
    }
    waiting.delete(session.name)
    if (channel.ended !== undefined) {
      keeper.put(channel)
      sessions.refuse(session, 0n, endedRefusal(channel))
    } else if (!sessions.roomFor(session.name)) {
      sessions.refuse(session, 0n, refusal('busy'))
    } else grant(parts, channel, one)
  }

  return {
    take,
    async look() {
      for (const [name, one] of waiting) {
        if (monotonicMs() - one.sinceMs > limits.waitingMs) waiting.delete(name)
        else await admit(one)
      }
    },
  }
}

function grant(
  { keeper, sessions, register, note }: OrdersParts,
  channel: Channel,
  { session, order, devices, payer }: Waiting,
): void {
  const { seller, untilMs } = order
  const alone = seller !== register.operator
  const granted = deal(join(channel, devices, { alone, untilMs }))
  // An order that is said again is no news.
  if (sessions.get(session.name) === undefined) {
    note({ event: 'ordered', channel: channel.id, seller, payer, devices: devices.length })
  }
  // The first ack says no more than the time: without one, a device does not sell.
  keeper.put(ackAgain(granted, keeper.nowMs()), { session })
  sessions.open(session)
  sessions.answer(session, { to: 0n, kind: 'ok' })
}

async function seenOf({ seen, note }: OrdersParts, one: Waiting): Promise<Seen | undefined> {
  try {
    return await seen(one)
  } catch (cause) {
    note(troubleOf('chain', cause))
    return undefined
  }
}

/** What failed and is tried again, with the code of a fault. */
export function troubleOf(where: string, cause: unknown): Note {
  const code = cause instanceof Fault ? { code: cause.code } : {}
  return { event: 'trouble', where, why: whyOf(cause), ...code }
}

type Waiting = Pick<Channel, 'config' | 'rail'> & {
  readonly session: Session
  readonly order: SignedOrder
  readonly devices: readonly Address[]
  readonly payer: Address
  readonly sinceMs: number
}

function endedRefusal({ ended, acked }: Channel): Refusal {
  return ended === 'two trees'
    ? refusal('promise-two-trees', { period: acked.period })
    : refusal('channel-withdrawing')
}
