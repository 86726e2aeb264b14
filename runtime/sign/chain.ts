/** One stream on its way: readings that wait, the epoch that grows, and where its chain of headers stands. */
import type { Clock, ClockQuality } from '../wire/clock.ts'
import { nonceSize } from '../wire/envelope.ts'
import { zeroHash } from '../wire/header.ts'
import type { Reading } from '../wire/reading.ts'
import type { DeviceKey } from './key.ts'
import { type Instant, type OpenEpoch, openEpoch } from './open.ts'
import type {
  Batch,
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
  const { key, clock, plan, generation, keys, encode, limits } = options
  let waiting: Taken[] = []
  let number = 1
  let previous: Uint8Array = zeroHash
  let closedMs = 0
  let open: OpenEpoch | undefined
  let full = false
  let since = Number.POSITIVE_INFINITY

  const begin = (reading: Reading, quality: ClockQuality): OpenEpoch => {
    // A reading that was on its way when the epoch before closed belongs to covered time already.
    const monotonicMs = Math.max(reading.monotonicMs, closedMs)
    const late = monotonicMs - reading.monotonicMs
    const at =
      quality === 'unset' || reading.wallMs === undefined
        ? { monotonicMs }
        : { monotonicMs, wallMs: reading.wallMs + late }
    const leaf = keys(plan.name, generation, number)
    const { boot } = clock
    return openEpoch(key, { plan, generation, number, leaf, boot, clock: quality, at })
  }

  /** What the batch needs of the readings since the last head, beside their packs. */
  const carry = (batch: Batch, epoch: OpenEpoch, { openMessage }: Free): number => {
    const { first, taken } = epoch.takeFresh()
    for (const [i, { reading, audit }] of taken.entries()) {
      const spot = { generation, number: epoch.number, index: first + i }
      if (plan.free && openMessage !== undefined) batch.messages.push(openMessage(reading, spot))
      if (audit !== undefined) batch.audits.push({ stream: plan.name, ...spot, bytes: audit })
    }
    since = Number.POSITIVE_INFINITY
    return taken.length
  }

  return {
    plan,
    continueFrom(row) {
      number = row.number + 1
      previous = row.hash
      closedMs = row.boot === clock.boot ? row.closedMonotonicMs : 0
    },
    queue(taken) {
      if (waiting.length >= limits.queueMax) return false
      waiting.push(taken)
      return true
    },
    fill() {
      const idle = since === Number.POSITIVE_INFINITY
      const wasFull = full
      let moved = 0
      for (const taken of waiting) {
        if (full) break
        const { reading } = taken
        const quality = qualityOf(reading, clock)
        const pack = encode(reading)
        open ??= begin(reading, quality)
        const late = reading.monotonicMs >= open.openedMonotonicMs + plan.epochMs
        full = late || quality !== open.clock || !open.fits(pack.length)
        if (full) break
        open.append(pack, taken)
        full = !open.fits(0)
        moved += 1
        since = Math.min(since, clock.monotonicMs())
      }
      waiting = moved === waiting.length ? [] : waiting.slice(moved)
      return (full && !wasFull) || (idle && moved > 0)
    },
    closesAt() {
      if (open === undefined) return Number.POSITIVE_INFINITY
      return full ? 0 : open.openedMonotonicMs + plan.epochMs
    },
    waitingSince: () => since,
    head(batch, now, free) {
      if (open === undefined || since === Number.POSITIVE_INFINITY) return 0
      const count = carry(batch, open, free)
      batch.gains.push(open.head(previous, now))
      return count
    },
    seal(batch, now, random, free) {
      if (open === undefined) return 0
      const count = carry(batch, open, free)
      const row = open.seal(previous, now, random(nonceSize))
      batch.sealed.push(row)
      number += 1
      previous = row.hash
      closedMs = row.closedMonotonicMs
      open = undefined
      full = false
      return count
    },
  }
}

/** A reading without wall time was taken while the clock was unset, whatever it is now. */
function qualityOf(reading: Reading, clock: Clock): ClockQuality {
  return reading.wallMs === undefined ? 'unset' : (clock.wall()?.quality ?? 'unset')
}
