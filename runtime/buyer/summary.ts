/** What a run came to, for its end and for whoever watches it. */
import type { Address } from '../wire/address.ts'
import type { Till } from './index.ts'
import type { Listing } from './market.ts'
import type { Purse } from './purse.ts'
import type { Seller } from './seller.ts'
import type { Counts, MissingRanges, RangeFound, Tally } from './tally.ts'

export type Summary = {
  readonly devices: number
  readonly streams: number
  /** Epochs by what became of them, and the readings handed out. */
  readonly counts: Counts
  readonly findings: Readonly<Record<string, number>>
  /** Each stream's part of the range that was asked for, and which number of it comes next. */
  readonly ranges: readonly (RangeFound & { readonly next?: number })[]
  /** Numbers that were not had: evicted, which the device signed, and gaps, of which nobody knows. */
  readonly missing: MissingRanges
  /** Absent for own data. Amounts are in the token's smallest unit. */
  readonly money?: {
    readonly channel: string
    readonly token: Address
    readonly decimals: number
    readonly budget: bigint
    readonly deposited: bigint
    /** In this run. */
    readonly promised: bigint
    /** Price of the epochs bought in this run, as their headers say. */
    readonly price: bigint
    /** From the channel, ever. */
    readonly promisedTotal: bigint
  }
}

type Parts = {
  readonly listings: readonly Listing[]
  readonly till: Till | undefined
  readonly tally: Tally
}

/** Takes the books as they are at the start; gives what sums up from then on. */
export function summing({ listings, till, tally }: Parts) {
  const before = { promised: till?.purse.total() ?? 0n, spent: spentOf(till?.purse, listings) }
  return (sellers: readonly Seller[]): Summary => {
    const feeds = sellers.flatMap((seller) => seller.feeds)
    const nextOf = ({ device, stream }: RangeFound) =>
      feeds.find(({ meter }) => meter.device === device && meter.stream === stream)?.next()
    return {
      devices: listings.length,
      streams: feeds.length,
      counts: tally.counts(),
      findings: tally.findings(),
      ranges: tally.ranges().map((range) => {
        const next = nextOf(range)
        return { ...range, ...(next === undefined ? {} : { next }) }
      }),
      missing: tally.missing(),
      ...(till === undefined ? {} : { money: moneyOf(till, before, listings) }),
    }
  }
}

function spentOf(purse: Purse | undefined, listings: readonly Listing[]): bigint {
  return listings.reduce((sum, { offer }) => sum + (purse?.leaf(offer.device)?.spent ?? 0n), 0n)
}

function moneyOf(
  { rail, purse, budget, deposited }: Till,
  before: { readonly promised: bigint; readonly spent: bigint },
  listings: readonly Listing[],
) {
  return {
    channel: purse.channel.id,
    token: rail.token,
    decimals: rail.decimals,
    budget,
    deposited,
    promised: purse.total() - before.promised,
    price: spentOf(purse, listings) - before.spent,
    promisedTotal: purse.total(),
  }
}
