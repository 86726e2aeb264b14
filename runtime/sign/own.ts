/**
 * The device's own chain, under the stream name `device`: when a generation began, and how the machine's
 * two clocks stand to each other. Its headers carry no readings; their body is clear CBOR.
 */
import { unhex } from '../wire/bytes.ts'
import { type Cbor, encodeCbor } from '../wire/cbor.ts'
import type { Clock } from '../wire/clock.ts'
import { zeroHash } from '../wire/header.ts'
import { signHeader, type Unsigned } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { SealedRow } from './plan.ts'

export const ownStream = 'device'

/** Where a chain stands: what its next header needs. */
export type Standing = { readonly number: number; readonly previous: Uint8Array }

/** Says that `generation` begins here. Body: {"generation"}. */
export function generationHeader(
  key: DeviceKey,
  at: Standing,
  generation: number,
  clock: Clock,
): SealedRow {
  const body = encodeCbor(new Map<string, Cbor>([['generation', generation]]))
  return signHeader(key, own('generation', at, generation, clock), body)
}

/**
 * Says which wall time belongs to which monotonic time of this boot, so that what was sealed before the
 * clock was set can be dated. Body: {"boot", "monotonicMs", "quality", "wallMs"}.
 */
export function clockMapHeader(
  key: DeviceKey,
  at: Standing,
  generation: number,
  clock: Clock,
): SealedRow {
  const wall = clock.wall()
  if (wall === undefined) throw new RangeError('an unset clock has no map')
  const body = encodeCbor(
    new Map<string, Cbor>([
      ['boot', unhex(clock.boot)],
      ['monotonicMs', clock.monotonicMs()],
      ['quality', wall.quality],
      ['wallMs', wall.ms],
    ]),
  )
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
