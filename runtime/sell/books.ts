/**
 * The books of one channel at this device: what its buyer ordered, promised and got. A plain value; the
 * rules that change it stand in desk.ts.
 *
 *   number                      authority
 *   cap, index, until           the operator's grant
 *   promised                    the buyer's newest payment
 *   delivered, coveredMs        this device
 *   acknowledged, heardMs       the gateway's newest ack
 */
import { type Account, openAccount } from '../wire/account.ts'
import { type Ack, decodeAck, encodeAck } from '../wire/ack.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { decodeShape, encodeShape } from '../wire/cborshape.ts'
import { decodeGrant, encodeGrant, type Grant } from '../wire/grant.ts'
import { decodeOrder, encodeOrder, type OrderDocument } from '../wire/order.ts'
import { type Payment, paymentShape } from '../wire/payment.ts'
import type { ChannelRow } from './rows.ts'
import type { Runs } from './runs.ts'

export type Books = {
  /** Channel id; zeros for own data. */
  readonly channel: Hex
  /** Own data: no channel, no price. */
  readonly own: boolean
  /** The newest order; consent, ceiling and terms are its. */
  readonly order: OrderDocument
  /** `live` while the gateway still lists it. */
  readonly grant?: { readonly grant: Grant; readonly live: boolean }
  readonly account: Account
  readonly payment?: Payment
  readonly ack?: Ack
  /** Gateway time when the gateway last spoke of this channel. */
  readonly heardMs: number
  /** Promises that are not acknowledged, oldest first. */
  readonly pending: readonly Pending[]
  /** Covered time charged so far, by `meterName`. */
  readonly coveredMs: ReadonlyMap<string, bigint>
  /** Epochs whose keys the channel may have. */
  readonly bought: Runs
  /** Epochs asked for and not delivered yet; they may lie ahead. */
  readonly wanted: Runs
  readonly bytesPaid: number
  readonly bytesFetched: number
  /** The books were lost once; it leaves with the next payment. */
  readonly lost?: Lost
}

/** How much of the next payment counts as spent: what was acknowledged, or, where nobody knows that, all. */
export type Lost = { readonly spent: bigint | 'all' }

export type Pending = {
  readonly period: bigint
  readonly root: Uint8Array
  readonly amount: bigint
}

export const ownChannel: Hex = `0x${'0'.repeat(64)}`

/** Fresh books for an order on a channel that was never here. */
export function newBooks(order: OrderDocument, exposureMax: bigint, lost?: Lost): Books {
  const channel = hex(order.order.channelId)
  return {
    channel,
    own: channel === ownChannel,
    order,
    account: openAccount(0n, exposureMax),
    heardMs: 0,
    pending: [],
    coveredMs: new Map(),
    bought: [],
    wanted: [],
    bytesPaid: 0,
    bytesFetched: 0,
    ...(lost === undefined ? {} : { lost }),
  }
}

/** What is due counts by stream and terms. */
export function meterName(stream: string, terms: Hex): string {
  return `${stream}/${terms}`
}

export function booksRow(books: Books): ChannelRow {
  const { channel, order, grant, account, payment, ack } = books
  return {
    channel,
    order: encodeOrder(order),
    grant: grant === undefined ? null : encodeGrant(grant.grant),
    live: grant?.live === true ? 1 : 0,
    cap: String(account.cap),
    payment: payment === undefined ? null : encodeShape(paymentShape, payment),
    promised: String(account.promised),
    delivered: String(account.delivered),
    ack: ack === undefined ? null : encodeAck(ack),
    acknowledged: String(account.acknowledged),
    heardMs: books.heardMs,
    bytesPaid: books.bytesPaid,
    bytesFetched: books.bytesFetched,
    pending: books.pending.map(({ period, root, amount }) => ({
      period: String(period),
      root,
      amount: String(amount),
    })),
    covered: [...books.coveredMs].map(([name, ms]) => {
      const [stream = '', terms = ''] = name.split('/')
      return { stream, terms, coveredMs: Number(ms) }
    }),
    bought: books.bought,
    wanted: books.wanted,
  }
}

/** The books of a row that `booksRow` made; the exposure limit is the config's of today. */
export function booksFrom(row: ChannelRow, exposureMax: bigint): Books {
  const grant = row.grant === null ? undefined : decodeGrant(row.grant)
  const payment =
    row.payment === null ? undefined : decodeShape(paymentShape, row.payment, 'payment')
  const account: Account = {
    cap: BigInt(row.cap),
    promised: BigInt(row.promised),
    delivered: BigInt(row.delivered),
    acknowledged: BigInt(row.acknowledged),
    exposureMax,
  }
  return {
    channel: hex(unhex(row.channel)),
    own: row.channel === ownChannel,
    order: decodeOrder(row.order),
    ...(grant === undefined ? {} : { grant: { grant, live: row.live === 1 } }),
    account,
    ...(payment === undefined ? {} : { payment }),
    ...(row.ack === null ? {} : { ack: decodeAck(row.ack) }),
    heardMs: row.heardMs,
    pending: row.pending
      .map(({ period, root, amount }) => ({ period: BigInt(period), root, amount: BigInt(amount) }))
      .sort((a, b) => (a.period < b.period ? -1 : 1)),
    coveredMs: new Map(
      row.covered.map(({ stream, terms, coveredMs }) => [`${stream}/${terms}`, BigInt(coveredMs)]),
    ),
    bought: row.bought,
    wanted: row.wanted,
    bytesPaid: row.bytesPaid,
    bytesFetched: row.bytesFetched,
  }
}
