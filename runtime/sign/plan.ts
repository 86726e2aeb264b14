/** What the epoch maker is told, what it asks of the store, and what it tells: the vocabulary of the room. */
import type { ClockQuality } from '../wire/clock.ts'
import type { Reading } from '../wire/reading.ts'

/** One stream to be sealed. */
export type StreamPlan = {
  readonly name: string
  /** SHA-256 that names the terms, and the setup; a change of either needs a new start. */
  readonly terms: Uint8Array
  readonly setup: Uint8Array
  /** An epoch closes at this age, counted from its first reading. */
  readonly epochMs: number
  /** Or when it holds this many readings, or this many bytes of packs. */
  readonly countMax: number
  readonly bytesMax: number
  /** A free stream's readings are also published in the clear. */
  readonly free: boolean
}

export type SignLimits = {
  /** A reading waits at most this long for its commit. */
  readonly commitDelayMs: number
  /** Readings of one stream that may wait for the store; beyond, `take` says no. */
  readonly queueMax: number
  /** Between two tries of a commit that found no room. */
  readonly fullRetryMs: number
}

export const signLimits: SignLimits = {
  // At 10 readings a second 2 s writes 0.64 to 0.86 GB a day to the card, 250 ms up to 9.
  commitDelayMs: 2_000,
  // Some 20 s of the busiest line, while a card is stuck.
  queueMax: 8_192,
  fullRetryMs: 1_000,
}

/** An open epoch as it is committed: place, opening, and the newest signed tree head. */
export type OpenRow = {
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly previous: Uint8Array
  readonly clock: ClockQuality
  readonly boot: string
  readonly openedMonotonicMs: number
  readonly openedWallMs?: number | null
  readonly terms: Uint8Array
  readonly setup: Uint8Array
  readonly count: number
  readonly root: Uint8Array
  readonly headMonotonicMs: number
  readonly headWallMs?: number | null
  readonly signature: Uint8Array
}

/** A signed header with its body, as it is committed. */
export type SealedRow = {
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly kind: string
  readonly count: number
  readonly coveredMs: number
  readonly boot: string
  readonly openedMonotonicMs: number
  readonly openedWallMs?: number | null
  readonly closedMonotonicMs: number
  readonly closedWallMs?: number | null
  readonly terms: Uint8Array
  readonly hash: Uint8Array
  readonly message: Uint8Array
  readonly topic: string
}

/** Numbers of a stream that are to be forgotten, those beside them that are gone already included. */
export type Eviction = {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Hash of header `to`. */
  readonly last: Uint8Array
  /** Why, for people. */
  readonly reason: string
}

export type Batch = {
  readonly gains: { readonly open: OpenRow; readonly packs: Uint8Array }[]
  readonly sealed: SealedRow[]
  readonly messages: OpenMessage[]
  readonly audits: {
    readonly stream: string
    readonly number: number
    readonly index: number
    readonly bytes: Uint8Array
  }[]
  /** Numbers that go; `number` is that of the tombstone, which is among the sealed. */
  readonly evicted: (Omit<Eviction, 'reason'> & { readonly number: number })[]
}

/** What was durable when the last run ended. */
export type Recovered = {
  readonly chains: readonly {
    readonly stream: string
    readonly generation: number
    readonly number: number
    readonly hash: Uint8Array
    readonly boot: string
    readonly closedMonotonicMs: number
  }[]
  readonly open: readonly (OpenRow & { readonly packs: Uint8Array })[]
}

export type SignStore = {
  /** All of them or none; durable when it resolves. Throws STORE_FULL, DISK_FAILING. */
  commit(...batches: Batch[]): Promise<void>
  recover(): Promise<Recovered>
}

/** A reading of a free stream, ready to be published. */
export type OpenMessage = { readonly topic: string; readonly payload: Uint8Array }

/** Where a reading stands in its stream, so that a proof of it can be asked for. */
export type Spot = {
  readonly generation: number
  readonly number: number
  readonly index: number
}

export type Taken = { readonly reading: Reading; readonly audit?: Uint8Array | undefined }

/** Told after the commit has returned, never before. */
export type SealedNote = {
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly kind: string
  readonly count: number
  readonly coveredMs: number
  /** Of the whole message: header, signature and body. */
  readonly bytes: number
}

export type CommitNote = {
  readonly readings: number
  readonly headers: number
  /** How long the store took. */
  readonly ms: number
}
