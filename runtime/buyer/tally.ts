/** What a buyer has seen, done and found wrong: counted, and told as it happens. */
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import type { Setup } from '../wire/setup.ts'
import type { Finding } from './follow.ts'
import type { LineNote } from './linenotes.ts'
import type { Short } from './purse.ts'

/** What is told while buying, for logs and live summaries. */
export type BuyNote =
  /** `isLast`: more of its kind are counted and not told. */
  | ({ readonly event: 'finding'; readonly finding: Found; readonly isLast?: true } & About)
  | ({ readonly event: 'gap' | 'evicted'; readonly from: number; readonly to: number } & About)
  | ({ readonly event: 'unknown kind'; readonly number: number } & About)
  | ({ readonly event: 'range' } & RangeFound)
  | ({ readonly event: 'setup' } & SetupFound)
  /** `members`: which of its members are others, where both documents are at hand. */
  | ({ readonly event: 'setup changed'; readonly members?: readonly string[] } & SetupFound)
  | { readonly event: 'ordered'; readonly seller: Address; readonly session: string }
  | { readonly event: 'refused'; readonly seller: Address; readonly why: string }
  | { readonly event: 'promised'; readonly device: Address; readonly amount: bigint }
  | { readonly event: 'waiting'; readonly device: Address; readonly why: Short }
  /** `absent`: paid for in an earlier run, of a device that is not on the market. */
  | {
      readonly event: 'undelivered' | 'paid again' | 'absent'
      readonly device: Address
      readonly epochs: number
    }
  /** `approved`: the transaction that first allowed Permit2 to move the token. */
  | {
      readonly event: 'deposited'
      readonly amount: bigint
      readonly tx: string
      readonly approved?: string
    }
  | { readonly event: 'budget used up' }
  | LineNote
  /** A seller that does not take what the others take, in words. */
  | {
      readonly event: 'left aside'
      readonly device: Address
      readonly streams: readonly string[]
      readonly takes: string
      readonly pays: string
    }
  /** An entry of an offer that says what this version does not know. */
  | {
      readonly event: 'left out'
      readonly device: Address
      readonly of: 'stream' | 'rail'
      readonly name: string
      readonly why: string
    }
  /** Our wall clock is far off what a seller says the time is; below 0: behind. */
  | {
      readonly event: 'clock astray'
      readonly seller: Address
      readonly aheadMs: number
      readonly code: string
      readonly why: string
      readonly cure: string
    }

/** A message that proves nothing, or a seller that did wrong. */
export type Found =
  | Finding
  | 'malformed message'
  | 'other terms'
  | 'paid and does not open'
  | 'session shared'
  | 'stale offer'
  | 'too many offers'
  | 'too many keys'

type About = {
  readonly device?: Address
  readonly stream?: string
  readonly number?: number
  readonly why?: string
}

const counted = {
  /** Epochs of readings in their place in the chain. */
  seen: 0,
  bought: 0,
  opened: 0,
  /** Statements without a price: clock maps, generations, tombstones. */
  statements: 0,
  /** Epochs that never came, and those that their device evicted. */
  gap: 0,
  evicted: 0,
  readings: 0,
}

export type Counts = Readonly<Record<keyof typeof counted, number>>

export type Tally = {
  count(name: keyof typeof counted, by?: number): void
  /** `quiet`: counted, and not told once more. */
  finding(finding: Found, about: About, quiet?: boolean): void
  /** Numbers that will not be had. */
  lost(kind: 'gap' | 'evicted', about: Readonly<LostRange>): void
  note(note: BuyNote): void
  counts(): Counts
  findings(): Readonly<Record<string, number>>
  /** A stream's part of the range that was asked for. */
  ranged(found: RangeFound): void
  ranges(): readonly RangeFound[]
  /** Which numbers were not had, each list in the order they were missed, the first ones of very many. */
  missing(): MissingRanges
}

/** The numbers that a range came to; none when `from` is past `to`, and on into what comes without `to`. */
export type RangeFound = {
  readonly device: Address
  readonly stream: string
  readonly from: number
  readonly to?: number
  /** When they open and close, ms since 1970, where that was looked up and their clocks were set. */
  readonly fromMs?: number
  readonly toMs?: number
  /** What the device keeps of the stream; absent when nothing. */
  readonly kept?: { readonly from: number; readonly to: number }
}

/** What an epoch's header names as its setup, from this number on; the document where it is at hand. */
export type SetupFound = {
  readonly device: Address
  readonly stream: string
  readonly number: number
  readonly hash: Hex
  readonly setup?: Setup
}

/** Numbers of a stream, both ends included. */
export type LostRange = {
  readonly device: Address
  readonly stream: string
  readonly from: number
  to: number
}
export type MissingRanges = Readonly<Record<'evicted' | 'gap', readonly Readonly<LostRange>[]>>

/** So many of each are kept for the summary. */
const lostMax = 1_000

/** So many findings of a kind are told one by one: a flood must not fill the disk that the log is on. */
export const toldMax = 100

export function openTally(note: (note: BuyNote) => void): Tally {
  const counts = { ...counted }
  const findings: Record<string, number> = {}
  const ranges: RangeFound[] = []
  const lost = { evicted: [] as LostRange[], gap: [] as LostRange[] }
  return {
    count(name, by = 1) {
      counts[name] += by
    },
    finding(finding, about, quiet = false) {
      const count = (findings[finding] ?? 0) + 1
      findings[finding] = count
      if (quiet || count > toldMax) return
      note({ event: 'finding', finding, ...about, ...(count === toldMax ? { isLast: true } : {}) })
    },
    lost(event, about) {
      counts[event] += about.to - about.from + 1
      const before = lost[event].at(-1)
      const joins = before?.device === about.device && before.stream === about.stream
      if (joins && before.to + 1 === about.from) before.to = about.to
      else if (lost[event].length < lostMax) lost[event].push({ ...about })
      note({ event, ...about })
    },
    note,
    counts: () => ({ ...counts }),
    findings: () => ({ ...findings }),
    ranged(found) {
      ranges.push(found)
      note({ event: 'range', ...found })
    },
    ranges: () => [...ranges],
    missing: () => structuredClone(lost),
  }
}
