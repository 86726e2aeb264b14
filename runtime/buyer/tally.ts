/** What a buyer has seen, done and found wrong: counted, and told as it happens. */
import type { Address } from '../wire/address.ts'
import type { Finding } from './follow.ts'
import type { Short } from './purse.ts'

/** What is told while buying, for logs and live summaries. */
export type BuyNote =
  | ({ readonly event: 'finding'; readonly finding: Found } & About)
  | ({ readonly event: 'gap' | 'evicted'; readonly from: number; readonly to: number } & About)
  | ({ readonly event: 'unknown kind'; readonly number: number } & About)
  | { readonly event: 'ordered'; readonly seller: Address; readonly session: string }
  | { readonly event: 'refused'; readonly seller: Address; readonly why: string }
  | { readonly event: 'promised'; readonly device: Address; readonly amount: bigint }
  | { readonly event: 'waiting'; readonly device: Address; readonly why: Short }
  | { readonly event: 'undelivered'; readonly device: Address; readonly epochs: number }
  | { readonly event: 'deposited'; readonly amount: bigint; readonly tx: string }
  | { readonly event: 'budget used up' }

/** A message that proves nothing, or a seller that did wrong. */
export type Found =
  | Finding
  | 'malformed message'
  | 'other terms'
  | 'paid and does not open'
  | 'session shared'

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
  finding(finding: Found, about: About): void
  /** Numbers that will not be had. */
  lost(
    kind: 'gap' | 'evicted',
    about: { readonly device: Address; readonly stream: string; from: number; to: number },
  ): void
  note(note: BuyNote): void
  counts(): Counts
  findings(): Readonly<Record<string, number>>
}

export function openTally(note: (note: BuyNote) => void): Tally {
  const counts = { ...counted }
  const findings: Record<string, number> = {}
  return {
    count(name, by = 1) {
      counts[name] += by
    },
    finding(finding, about) {
      findings[finding] = (findings[finding] ?? 0) + 1
      note({ event: 'finding', finding, ...about })
    },
    lost(event, about) {
      counts[event] += about.to - about.from + 1
      note({ event, ...about })
    },
    note,
    counts: () => ({ ...counts }),
    findings: () => ({ ...findings }),
  }
}
