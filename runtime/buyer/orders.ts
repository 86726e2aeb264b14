/**
 * Orders: what we consent to, signed once for a fleet and sealed to each seller. A session that may still
 * be open is used again, byte for byte; otherwise the newest order is sealed, or a new one signed.
 */
import type { Address } from '../wire/address.ts'
import { type Hex, unhex } from '../wire/bytes.ts'
import { noChannel } from '../wire/channel.ts'
import type { HpkeKey } from '../wire/hpke.ts'
import { encodeOrder, signOrder } from '../wire/order.ts'
import type { Price } from '../wire/price.ts'
import { generateSessionKey, sealOrder } from '../wire/session.ts'
import type { Signer } from '../wire/signer.ts'
import type { Books } from './books.ts'
import { channelBytes } from './channels.ts'
import type { Purse } from './purse.ts'
import type { SessionRow } from './sessions.ts'

export type Orders = {
  /** The session row of a seller, ready to be opened. */
  row(seller: Address, hpke: Uint8Array): Promise<SessionRow>
  /** True when the session should make room: half of its order's time is over, or a newer order stands. */
  isStale(row: SessionRow): boolean
  /** The session is over; the next row is a new one. */
  forget(row: SessionRow): void
}

export type OrdersOptions = {
  readonly books: Books
  readonly signer: Signer
  /** Undefined for own data, which needs no channel. */
  readonly purse: Purse | undefined
  /** The device, or the operator for a fleet. */
  readonly seller: Address
  /** Hashes of the terms, at least one. */
  readonly terms: readonly Hex[]
  readonly ceiling: Price
  readonly orderMs: number
  /** The time by which orders end, as far as we know it: ms since 1970. */
  readonly wallMs: () => number
}

export function openOrders(options: OrdersOptions): Orders {
  const { books, signer, purse, seller, ceiling, orderMs, wallMs } = options
  const terms = [...new Set(options.terms)].sort()
  const channel = purse?.channel.id ?? ''
  const text = JSON.stringify([seller, terms, String(ceiling.amount), String(ceiling.perMs)])
  let newest: Promise<Signed> | undefined
  let newestUntilMs = 0

  const isStale = ({ untilMs }: { readonly untilMs: number }) =>
    untilMs - wallMs() < orderMs / 2 || untilMs < newestUntilMs

  return {
    async row(to, hpke) {
      const kept = books.sessions.get(to, channel)
      if (kept !== undefined && kept.terms === text && !isStale(kept)) return kept
      const { document, session, untilMs } = await current()
      const sealed = await sealOrder({ order: document, session, recipient: hpke })
      const row: SessionRow = { seller: to, channel, terms: text, untilMs, ...sealed }
      books.sessions.put(row)
      return row
    },
    isStale,
    forget(row) {
      books.sessions.drop(row.seller, row.channel)
      // Another seller's order may be newer: that one is good for this seller too.
      if (row.untilMs >= newestUntilMs) newest = undefined
    },
  }

  async function current(): Promise<Signed> {
    const made = newest === undefined ? undefined : await newest
    if (made !== undefined && !isStale(made)) return made
    newest = sign()
    return newest
  }

  async function sign(): Promise<Signed> {
    const session = await generateSessionKey()
    // No two orders end together: by its end a row shows whether its order is the newest.
    const untilMs = Math.max(wallMs() + orderMs, newestUntilMs + 1)
    newestUntilMs = untilMs
    const order = await signOrder(
      {
        channelId: purse === undefined ? noChannel : channelBytes(purse.channel),
        number: purse === undefined ? 1n : purse.nextOrder(),
        seller,
        terms: terms.map(unhex),
        ceilingAmount: ceiling.amount,
        ceilingPerMs: ceiling.perMs,
        sessionKey: session.publicKey,
        untilMs,
      },
      signer,
    )
    const { config, rail } = purse?.channel ?? {}
    const paid = config === undefined || rail === undefined ? {} : { config, rail }
    return { document: encodeOrder({ order, ...paid }), session, untilMs }
  }
}

type Signed = {
  readonly document: Uint8Array
  readonly session: HpkeKey
  readonly untilMs: number
}
