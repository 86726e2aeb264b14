/**
 * Time for money: the gateway's newest signed time, plus the monotonic time since it was heard. It never
 * goes back, and time off counts as nothing; the exposure limit, not the clock, bounds a loss.
 */
export function moneyTime(monotonicMs: () => number, savedMs: number | null) {
  let base = savedMs === null ? undefined : { timeMs: savedMs, atMs: monotonicMs() }
  const nowMs = () => (base === undefined ? undefined : base.timeMs + (monotonicMs() - base.atMs))
  return {
    /** Ms since 1970; undefined while no gateway has ever spoken. */
    nowMs,
    /** Takes a time that the gateway signed; an older one changes nothing. */
    hear(timeMs: number): void {
      if (timeMs > (nowMs() ?? -1)) base = { timeMs, atMs: monotonicMs() }
    },
  }
}
