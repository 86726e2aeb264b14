/**
 * The device's own chain, under the stream name `device`: when a generation began, and how the machine's
 * two clocks stand to each other. Its headers carry no readings; their body is clear CBOR.
 */
import { encodeClearBody, ownStream } from '../wire/clearbody.ts'
import type { Clock } from '../wire/clock.ts'
import { zeroHash } from '../wire/header.ts'
import { signHeader, type Unsigned } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { SealedRow } from './plan.ts'

/** Where a chain stands: what its next header needs. */
export type Standing = { readonly number: number; readonly previous: Uint8Array }

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

function own(
  kind: 'clock map' | 'generation',
  at: Standing,
  generation: number,
  clock: Clock,
): Unsigned {
  const wall = clock.wall()
  const monotonicMs = clock.monotonicMs()
  return {
    kind,
    stream: ownStream,
    generation,
    ...at,
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
