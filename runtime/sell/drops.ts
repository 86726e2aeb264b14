/**
 * Counts what was dropped and tells of it once a second: a flood must cost neither the reader of the log
 * nor the disk under it.
 */
import type { Drop, SellNote } from './limits.ts'

export function drops(note: (note: SellNote) => void, monotonicMs: () => number) {
  const counted = new Map<Drop, number>()
  let toldAtMs = Number.NEGATIVE_INFINITY

  return {
    drop(why: Drop): void {
      counted.set(why, (counted.get(why) ?? 0) + 1)
      tell()
    },
    /** Tells what is due; the ms to wait until the rest is. */
    tell,
  }

  function tell(): number {
    if (counted.size === 0) return Number.POSITIVE_INFINITY
    const waitMs = toldAtMs + everyMs - monotonicMs()
    if (waitMs > 0) return waitMs
    toldAtMs = monotonicMs()
    for (const [why, times] of counted) note({ event: 'dropped', why, times })
    counted.clear()
    return Number.POSITIVE_INFINITY
  }
}

const everyMs = 1_000
