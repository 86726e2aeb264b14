/** One stream on its way: readings that wait, the epoch that grows, and where its chain of headers stands. */
import type { Clock, ClockQuality } from '../wire/clock.ts'
import { nonceSize } from '../wire/envelope.ts'
import { zeroHash } from '../wire/header.ts'
import type { Reading } from '../wire/reading.ts'
import type { DeviceKey } from './key.ts'
import { type Instant, type OpenEpoch, openEpoch } from './open.ts'
import { tombstoneHeader } from './own.ts'
import type {
  Batch,
  Eviction,
  OpenMessage,
  Recovered,
  SealedRow,
  SignLimits,
  Spot,
  StreamPlan,
  Taken,
} from './plan.ts'

export type Chain = {
  readonly plan: StreamPlan
  /** Goes on behind this header. */
  continueFrom(row: Recovered['chains'][number] | SealedRow): void
  /** False when too many wait already. */
  queue(taken: Taken): boolean
  /** Moves what waits into the epoch, as far as it fits. True when something is due sooner than before. */
  fill(): boolean
  /** When the open epoch closes, in monotonic ms: 0 when it is due now, Infinity when there is none. */
  closesAt(): number
  /** When the oldest reading that is in no commit was taken; Infinity when there is none. */
  waitingSince(): number
  /** Adds a tree head over what waits to the batch; returns how many readings it acknowledges. */
  head(batch: Batch, now: Instant, free: Free): number
  /** Closes the open epoch into the batch; returns how many readings it acknowledges. */
  seal(batch: Batch, now: Instant, random: (length: number) => Uint8Array, free: Free): number
  /** Puts a tombstone into the chain, with what it stands for; no epoch may be open. */
  bury(batch: Batch, eviction: Eviction): void
}

type Free = { readonly openMessage?: (reading: Reading, spot: Spot) => OpenMessage }

type ChainOptions = {
  readonly key: DeviceKey
  readonly clock: Clock
  readonly plan: StreamPlan
  readonly generation: number
  readonly keys: (stream: string, generation: number, number: number) => Uint8Array
  readonly encode: (reading: Reading) => Uint8Array
  readonly limits: SignLimits
}

export function chainOf(options: ChainOptions): Chain {
  const { clock, plan, limits } = options
  const growing = growth(options)
  let waiting: Taken[] = []
  let at: Standing = { number: 1, previous: zeroHash, closedMs: 0 }

  return {
    plan,
    continueFrom({ number, hash, boot, closedMonotonicMs }) {
      const closedMs = boot === clock.boot ? closedMonotonicMs : 0
      at = { number: number + 1, previous: hash, closedMs }
    },
    queue(taken) {
      if (waiting.length >= limits.queueMax) return false
      waiting.push(taken)
      return true
    },
    fill() {
      const before = { full: growing.full(), since: growing.waitingSince() }
      let moved = 0
      while (moved < waiting.length && growing.put(waiting[moved] as Taken, at)) moved += 1
      if (moved > 0) waiting = moved === waiting.length ? [] : waiting.slice(moved)
      const sooner = growing.full() && !before.full
      return sooner || (before.since === Number.POSITIVE_INFINITY && moved > 0)
    },
    closesAt: growing.closesAt,
    waitingSince: growing.waitingSince,
    head(batch, now, free) {
      if (growing.waitingSince() === Number.POSITIVE_INFINITY) return 0
      const open = growing.committed()
      if (open === undefined) return 0
      batch.gains.push(open.head(at.previous, now))
      return carry(batch, options, open, free)
    },
    seal(batch, now, random, free) {
      const open = growing.committed()
      if (open === undefined) return 0
      const row = open.seal(at.previous, now, random(nonceSize))
      batch.sealed.push(row)
      growing.clear()
      at = { number: at.number + 1, previous: row.hash, closedMs: row.closedMonotonicMs }
      return carry(batch, options, open, free)
    },
    bury(batch, eviction) {
      const row = bury(options, at, batch, eviction)
      at = { number: at.number + 1, previous: row.hash, closedMs: row.closedMonotonicMs }
    },
  }
}

/** The tombstone of numbers that go, into the batch with them. */
export function bury(
  { key, clock, generation }: Pick<ChainOptions, 'key' | 'clock' | 'generation'>,
  at: Pick<Standing, 'number' | 'previous'>,
  batch: Batch,
  eviction: Eviction,
): SealedRow {
  const { reason, ...numbers } = eviction
  const { stream, from, to, last } = numbers
  const place = { stream, generation, number: at.number, previous: at.previous }
  const row = tombstoneHeader(key, place, { from, to, last, reason }, clock)
  batch.sealed.push(row)
  batch.evicted.push({ stream, from, to, last, number: row.number })
  return row
}

/** Where the chain stands: what its next epoch is called, names, and must not overlap. */
type Standing = {
  readonly number: number
  readonly previous: Uint8Array
  readonly closedMs: number
}

/** The epoch that grows, if there is one. */
function growth({ key, clock, plan, generation, keys, encode }: ChainOptions) {
  let open: OpenEpoch | undefined
  let full = false
  let since = Number.POSITIVE_INFINITY

  const begin = (reading: Reading, quality: ClockQuality, at: Standing): OpenEpoch =>
    openEpoch(key, {
      plan,
      generation,
      number: at.number,
      leaf: keys(plan.name, generation, at.number),
      boot: clock.boot,
      clock: quality,
      at: openingAt(reading, quality, at.closedMs),
    })

  return {
    /** Puts one reading into the epoch, which it may begin; false when that is to be closed first. */
    put(taken: Taken, at: Standing): boolean {
      if (full) return false
      const { reading } = taken
      const quality = qualityOf(reading, clock)
      const pack = encode(reading)
      open ??= begin(reading, quality, at)
      const late = reading.monotonicMs >= open.openedMonotonicMs + plan.epochMs
      full = late || quality !== open.clock || !open.fits(pack.length)
      if (full) return false
      open.append(pack, taken)
      full = !open.fits(0)
      since = Math.min(since, clock.monotonicMs())
      return true
    },
    full: () => full,
    closesAt() {
      if (open === undefined) return Number.POSITIVE_INFINITY
      return full ? 0 : open.openedMonotonicMs + plan.epochMs
    },
    waitingSince: () => since,
    /** The epoch, all of which is about to be committed. */
    committed(): OpenEpoch | undefined {
      since = Number.POSITIVE_INFINITY
      return open
    },
    clear(): void {
      open = undefined
      full = false
    },
  }
}

/** Adds what the store and the open streams need of fresh readings beside their packs; says how many. */
function carry(
  batch: Batch,
  { plan, generation }: ChainOptions,
  epoch: OpenEpoch,
  { openMessage }: Free,
): number {
  const { number } = epoch
  const { first, taken } = epoch.takeFresh()
  for (const [i, { reading, audit }] of taken.entries()) {
    const index = first + i
    if (plan.free && openMessage !== undefined) {
      batch.messages.push(openMessage(reading, { generation, number, index }))
    }
    if (audit !== undefined) batch.audits.push({ stream: plan.name, number, index, bytes: audit })
  }
  return taken.length
}

/** When an epoch opens: with its first reading, but not inside the time that the one before covers. */
function openingAt(reading: Reading, quality: ClockQuality, closedMs: number): Instant {
  const monotonicMs = Math.max(reading.monotonicMs, closedMs)
  if (quality === 'unset' || reading.wallMs === undefined) return { monotonicMs }
  return { monotonicMs, wallMs: reading.wallMs + monotonicMs - reading.monotonicMs }
}

/** A reading without wall time was taken while the clock was unset, whatever it is now. */
function qualityOf(reading: Reading, clock: Clock): ClockQuality {
  return reading.wallMs === undefined ? 'unset' : (clock.wall()?.quality ?? 'unset')
}
