/**
 * What selling asks of the store: its own rows, kept whole, and the sealed epochs, read only. The store's
 * tables have the same shapes; device.ts hands the store in.
 */
import type { Range } from '../wire/request.ts'

export type ChannelRow = {
  readonly channel: string
  readonly order: Uint8Array
  readonly grant: Uint8Array | null
  readonly live: number
  readonly cap: string
  readonly payment: Uint8Array | null
  readonly promised: string
  readonly delivered: string
  readonly ack: Uint8Array | null
  readonly acknowledged: string
  readonly heardMs: number
  readonly bytesPaid: number
  readonly bytesFetched: number
  readonly pending: readonly {
    readonly period: string
    readonly root: Uint8Array
    readonly amount: string
  }[]
  readonly covered: readonly {
    readonly stream: string
    readonly terms: string
    readonly coveredMs: number
  }[]
  readonly bought: readonly Range[]
  readonly wanted: readonly Range[]
}

export type SessionRow = {
  readonly session: string
  readonly channel: string
  readonly message: string
  readonly orderNumber: string
  readonly untilMs: number
  readonly ask: Uint8Array
  readonly answer: Uint8Array
  readonly keys: Uint8Array
  readonly counter: string
  readonly answers: number
  readonly keysVersion: number
  readonly ended: number
  readonly held: readonly Range[]
}

export type TermsRow = { readonly hash: string; readonly json: string }

export type Change = {
  readonly channels: readonly ChannelRow[]
  readonly sessions: readonly SessionRow[]
  readonly forgotten: readonly string[]
  readonly timeMs: number | null
  readonly found?: readonly string[]
  readonly retained: readonly { readonly topic: string; readonly payload: Uint8Array }[]
  /** Epochs that this sells, and until when (gateway time) they are kept for their buyer. */
  readonly fresh?: readonly Range[]
  readonly pinUntilMs?: number
}

/** A sealed epoch, or another header of a chain. */
export type SealedEpoch = {
  readonly seq: number
  readonly stream: string
  readonly generation: number
  readonly number: number
  /** `readings` and `interrupted` hold readings; the other kinds are in the clear and cost nothing. */
  readonly kind: string
  readonly coveredMs: number
  readonly terms: Uint8Array
  readonly bytes: number
}

export type SalesStore = {
  sales(): Promise<{
    readonly channels: readonly ChannelRow[]
    readonly sessions: readonly SessionRow[]
    readonly terms: readonly TermsRow[]
    readonly timeMs: number | null
    readonly lostChannels: readonly { readonly channel: string; readonly spent: string | null }[]
    readonly lostSessions: readonly string[]
  }>
  /**
   * One transaction, durable when it resolves. For each change whether it was done: false, with nothing of it
   * changed, when an epoch that it sells was evicted meanwhile.
   */
  saleCommit(...changes: readonly Change[]): Promise<readonly boolean[]>
  keepTerms(rows: readonly TermsRow[]): Promise<void>
  /** The oldest sealed epochs in the ranges; `complete` when no more lie there now. */
  saleEpochs(
    ranges: readonly Range[],
    rowsMax: number,
  ): Promise<{
    readonly epochs: readonly SealedEpoch[]
    readonly complete: boolean
    readonly tips: readonly { readonly stream: string; readonly number: number }[]
  }>
  /** Stored messages; for numbers that are gone, the tombstone that stands for them. */
  saleMessages(
    range: Omit<Range, 'generation'> & { readonly generation?: number },
    rowsMax: number,
    bytesMax: number,
  ): Promise<{ readonly messages: readonly Uint8Array[]; readonly next?: number }>
  setRetained(topic: string, payload: Uint8Array): Promise<void>
}
