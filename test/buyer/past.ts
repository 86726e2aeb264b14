/** A past for the tests: epochs of the real maker on a clock moved by hand, as fast as a store takes them. */
import { setImmediate as turn } from 'node:timers/promises'
import type { EpochMaker } from '../../runtime/sign/epoch.ts'
import type { Clock } from '../../runtime/wire/clock.ts'
import { decodeMessage } from '../../runtime/wire/epoch.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { type Terms, termsHash } from '../../runtime/wire/terms.ts'
import { boot } from '../sign/fixture.ts'

export type HandClock = Clock & {
  quality: 'unset' | 'synced'
  /** Moves it; nothing else does. */
  pass(ms: number): void
}

/** Its wall stands at `startMs` when it is made, and is told while it is `synced`. */
export function handClock(startMs: number, bootId = boot): HandClock {
  let nowMs = 1_000
  return {
    quality: 'synced',
    boot: bootId,
    monotonicMs: () => nowMs,
    wall() {
      if (this.quality === 'unset') return undefined
      return { ms: startMs + nowMs - 1_000, quality: this.quality }
    },
    pass(ms) {
      nowMs += ms
    },
  }
}

/**
 * Makes epochs of `epochMs` without a pause, each of two readings that count on: the epoch is full with the
 * second. Resolves when the last is sealed.
 */
export function past(maker: EpochMaker, clock: HandClock, sealed: () => number, epochMs: number) {
  let count = 0
  const say = () => {
    count += 1
    const wall = clock.wall()
    maker.take({
      stream: 'air',
      boot: clock.boot,
      monotonicMs: clock.monotonicMs(),
      ...(wall === undefined ? {} : { wallMs: wall.ms }),
      values: { pm2_5: count },
      units: { pm2_5: 'ug/m3' },
    })
  }
  return async (epochs: number): Promise<void> => {
    for (let i = 0; i < epochs; i += 1) {
      const before = sealed()
      say()
      clock.pass(epochMs - 1)
      say()
      while (sealed() === before) await turn()
      clock.pass(1)
    }
  }
}

/** What a keeper says whose store is full: these numbers go, the last of which has this message. */
export function eviction(message: Uint8Array, from: number, to: number) {
  const last = headerHash(decodeMessage(message).headerBytes)
  const none = { epochs: 0, bytes: 0, unsent: 0 }
  return { stream: 'air', from, to, last, reason: 'quota', ...none }
}

type PlanOptions = {
  readonly clock?: HandClock
  readonly termsOf?: (epochs: number) => Uint8Array | undefined
}

/** A stream whose epochs close by age, or by hand with the second reading. */
export function planOf(
  sold: Terms,
  setup: Uint8Array,
  { clock, termsOf }: PlanOptions,
  sealed: () => number,
) {
  const size = { epochMs: sold.epochMs, countMax: clock === undefined ? 4096 : 2, bytesMax: 65_536 }
  return {
    ...{ name: 'air', setup, ...size, free: false },
    get terms() {
      return termsOf?.(sealed()) ?? termsHash(sold)
    },
  }
}
