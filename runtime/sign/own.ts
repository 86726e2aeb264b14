/**
 * Headers that carry no readings; their body is clear CBOR. Most stand in the device's own chain, under the
 * stream name `device`: when a generation began, and how the machine's two clocks stand to each other. A
 * tombstone stands in the chain whose numbers it stands for.
 */
import { encodeClearBody, ownStream, type Tombstone } from '../wire/clearbody.ts'
import type { Clock, ClockQuality } from '../wire/clock.ts'
import { zeroHash } from '../wire/header.ts'
import { signHeader, type Unsigned } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { Recovered, SealedRow } from './plan.ts'

/** Where a chain stands: what its next header needs. */
export type Standing = { readonly number: number; readonly previous: Uint8Array }

export type OwnChainOptions = {
  readonly key: DeviceKey
  readonly clock: Clock
  readonly generation: number
}

/** The device's own chain: at most one header a commit, since each names the one before. */
export function ownChain({ key, clock, generation }: OwnChainOptions) {
  let at: Standing = { number: 1, previous: zeroHash }
  let announced = 0
  let mapped: ClockQuality = 'unset'
  const took = (row: SealedRow) => {
    at = { number: row.number + 1, previous: row.hash }
    return row
  }
  return {
    continueFrom(row: Recovered['chains'][number]): void {
      at = { number: row.number + 1, previous: row.hash }
      announced = row.generation
    },
    due(): SealedRow | undefined {
      if (announced < generation) {
        announced = generation
        return took(generationHeader(key, at, generation, clock))
      }
      const quality = clock.wall()?.quality ?? 'unset'
      if (quality === mapped) return undefined
      mapped = quality
      return quality === 'unset' ? undefined : took(clockMapHeader(key, at, generation, clock))
    },
  }
}

/** Says that `generation` begins here. */
export function generationHeader(
  key: DeviceKey,
  at: Standing,
  generation: number,
  clock: Clock,
): SealedRow {
  const body = encodeClearBody({ kind: 'generation', generation })
  return signHeader(key, own('generation', at, generation, clock), body)
}

/**
 * Says which wall time belongs to which monotonic time of this boot, so that what was sealed before the
 * clock was set can be dated.
 */
export function clockMapHeader(
  key: DeviceKey,
  at: Standing,
  generation: number,
  clock: Clock,
): SealedRow {
  const wall = clock.wall()
  if (wall === undefined) throw new RangeError('an unset clock has no map')
  const { boot } = clock
  const said = { boot, monotonicMs: clock.monotonicMs(), wallMs: wall.ms, quality: wall.quality }
  const body = encodeClearBody({ kind: 'clock map', ...said })
  return signHeader(key, own('clock map', at, generation, clock), body)
}

/** Says that numbers of a stream are no longer kept; it takes the next number itself. */
export function tombstoneHeader(
  key: DeviceKey,
  at: Standing & { readonly stream: string; readonly generation: number },
  grave: Tombstone,
  clock: Clock,
): SealedRow {
  const body = encodeClearBody({ kind: 'tombstone', ...grave })
  return signHeader(key, clear('tombstone', at, clock), body)
}

function own(
  kind: 'clock map' | 'generation',
  at: Standing,
  generation: number,
  clock: Clock,
): Unsigned {
  return clear(kind, { ...at, generation, stream: ownStream }, clock)
}

function clear(
  kind: 'tombstone' | 'clock map' | 'generation',
  { stream, generation, number, previous }: Standing & Pick<Unsigned, 'stream' | 'generation'>,
  clock: Clock,
): Unsigned {
  const wall = clock.wall()
  const monotonicMs = clock.monotonicMs()
  return {
    kind,
    stream,
    generation,
    number,
    previous,
    clock: wall?.quality ?? 'unset',
    count: 0,
    root: zeroHash,
    boot: clock.boot,
    openedMonotonicMs: monotonicMs,
    closedMonotonicMs: monotonicMs,
    ...(wall === undefined ? {} : { openedWallMs: wall.ms, closedWallMs: wall.ms }),
    commitment: zeroHash,
    terms: zeroHash,
    setup: zeroHash,
  }
}
