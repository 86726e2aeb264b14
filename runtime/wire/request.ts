/**
 * Requests: the bodies that a buyer sends inside session messages, to a device or to its gateway.
 */
import {
  amount,
  choice,
  decodeShape,
  encodeShape,
  list,
  record,
  row,
  type Shape,
  text,
  uint64,
  whole,
} from './cborshape.ts'
import { must } from './malformed.ts'
import { type Payment, paymentShape } from './payment.ts'
import { type Leaf, leafShape } from './paymenttree.ts'
import { isStreamName } from './reading.ts'
import { type Split, splitShape } from './split.ts'
import { type Voucher, voucherShape } from './voucher.ts'

/** Epochs of one stream and generation, both ends included. */
export type Range = {
  readonly stream: string
  readonly generation: number
  readonly from: number
  readonly to: number
}

export type Request =
  /**
   * Promises a running total and asks for epochs; they may reach past what is sealed, to pay ahead.
   */
  | { readonly kind: 'promise'; readonly payment: Payment; readonly buy: readonly Range[] }
  /** Asks for epochs of own data, which need no promise. */
  | { readonly kind: 'take'; readonly buy: readonly Range[] }
  /** Asks where the session stands. */
  | { readonly kind: 'state' }
  /** Asks for stored sealed messages again, in a run of chunks; `cursor` continues where a run ended. */
  | {
      readonly kind: 'fetch'
      readonly stream: string
      readonly generation?: number
      readonly from: number
      readonly to: number
      readonly cursor?: number
    }
  /** Says that the buyer holds the keys of that version. */
  | { readonly kind: 'confirm'; readonly version: bigint }
  /** Ends the session. */
  | { readonly kind: 'end' }
  /**
   * To the gateway: a period's voucher and split, and the leaves that changed since the last ack.
   */
  | {
      readonly kind: 'books'
      readonly voucher: Voucher
      readonly split: Split
      readonly leaves: readonly Leaf[]
    }
  /** To the gateway: asks for unclaimed money back. It is always refused, in words that help. */
  | { readonly kind: 'refund'; readonly amount: bigint }

/** Ranges in one request. */
export const rangesMax = 64

/** Leaves in one request: about 600 kB. */
export const leavesMax = 16_384

export function encodeRequest(request: Request): Uint8Array {
  return encodeShape(requestShape, request)
}

/** Throws Malformed. */
export function decodeRequest(bytes: Uint8Array): Request {
  return decodeShape(requestShape, bytes, 'request')
}

export const streamShape: Shape<string> = text(isStreamName)

export const rangeShape: Shape<Range> = inOrder(
  row<Range>({ stream: streamShape, generation: whole(32), from: whole(32), to: whole(32) }),
)

type Of<K extends Request['kind']> = Omit<Extract<Request, { kind: K }>, 'kind'>

const requestShape: Shape<Request> = choice<Request>({
  promise: record<Of<'promise'>>({ payment: paymentShape, buy: list(rangeShape, rangesMax) }),
  take: record<Of<'take'>>({ buy: list(rangeShape, rangesMax) }),
  state: record<Of<'state'>>({}),
  fetch: inOrder(
    record<Of<'fetch'>>(
      {
        stream: streamShape,
        generation: whole(32),
        from: whole(32),
        to: whole(32),
        cursor: whole(32),
      },
      ['generation', 'cursor'],
    ),
  ),
  confirm: record<Of<'confirm'>>({ version: uint64 }),
  end: record<Of<'end'>>({}),
  books: record<Of<'books'>>({
    voucher: voucherShape,
    split: splitShape,
    leaves: list(leafShape, leavesMax),
  }),
  refund: record<Of<'refund'>>({ amount: amount(128) }),
})

function inOrder<T extends { readonly from: number; readonly to: number }>(
  shape: Shape<T>,
): Shape<T> {
  return {
    write: shape.write,
    read(value, what) {
      const range = shape.read(value, what)
      must(range.from <= range.to, `${what}: ends before it begins`)
      return range
    },
  }
}
