/**
 * Answers: the bodies that a device or gateway sends back inside session messages.
 */
import {
  bytesUpTo,
  choice,
  decodeShape,
  encodeShape,
  list,
  record,
  type Shape,
  truth,
  uint64,
  whole,
} from './cborshape.ts'
import { type Payment, paymentShape } from './payment.ts'
import { type Refusal, refusalShape } from './refusal.ts'
import { type State, stateShape } from './state.ts'

export type Answer = {
  /** Counter of the request that it answers; 0 for the order. */
  readonly to: bigint
} & (
  | ({ readonly kind: 'welcome' } & Standing)
  | ({ readonly kind: 'state' } & Standing)
  | ({ readonly kind: 'chunk' } & Chunk)
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** Done, or already done. */
  | { readonly kind: 'ok' }
)

/** One part of the run of chunks that answers a fetch. */
export type Chunk = {
  /** 0, 1, 2 …: a part that is missing was lost on its way. */
  readonly part: number
  /** Sealed messages as they were published, oldest first. */
  readonly messages: readonly Uint8Array[]
  /** The number that the next part, or the next fetch, goes on from; absent when the range is done. */
  readonly cursor?: number
  /** The run ends with this part. */
  readonly last: boolean
}

/** Where a session stands: enough for a buyer that lost its books. */
export type Standing = {
  readonly state: State
  /** The newest payment that the seller holds: the buyer's own signatures. */
  readonly payment?: Payment
  /** Version of the keys that are retained now; 0 when none are. */
  readonly keysVersion: bigint
  /** What the gateway gave this device of the channel; absent before the grant. */
  readonly place?: { readonly index: number }
}

/** Sealed messages in one chunk; their bytes are bounded by the message. */
export const chunkMax = 256

const sealedMax = 1 << 17

export function encodeAnswer(answer: Answer): Uint8Array {
  return encodeShape(answerShape, answer)
}

/** Throws Malformed. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  return decodeShape(answerShape, bytes, 'answer')
}

type Of<K extends Answer['kind']> = Omit<Extract<Answer, { kind: K }>, 'kind'>

const to = uint64
const standing = {
  to,
  state: stateShape,
  payment: paymentShape,
  keysVersion: uint64,
  place: record<{ readonly index: number }>({ index: whole(32) }),
}

const answerShape: Shape<Answer> = choice<Answer>({
  welcome: record<Of<'welcome'>>(standing, ['payment', 'place']),
  state: record<Of<'state'>>(standing, ['payment', 'place']),
  chunk: record<Of<'chunk'>>(
    {
      to,
      part: whole(32),
      messages: list(bytesUpTo(sealedMax), chunkMax),
      cursor: whole(32),
      last: truth,
    },
    ['cursor'],
  ),
  refusal: record<Of<'refusal'>>({ to, refusal: refusalShape }),
  ok: record<Of<'ok'>>({ to }),
})
