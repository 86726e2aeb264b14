/**
 * A budget of so many a second: a bucket that fills evenly and holds `burstS` seconds' worth. What is
 * over it is turned away unread, so that a flood costs no more than a look.
 */
export function budget(
  perS: number,
  monotonicMs: () => number,
  burstS = 1,
): { /** True when one may pass. */ take(): boolean } {
  const max = burstS * perS
  let left = max
  let atMs = monotonicMs()
  return {
    take() {
      const nowMs = monotonicMs()
      left = Math.min(max, left + ((nowMs - atMs) / 1000) * perS)
      atMs = nowMs
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
