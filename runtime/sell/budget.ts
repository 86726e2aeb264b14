/** A budget of so many in a second: a bucket that fills evenly and holds two seconds' worth. */
export function budget(perS: number, monotonicMs: () => number): { take(): boolean } {
  const max = 2 * perS
  let left = max
  let atMs = monotonicMs()
  return {
    /** True when one may pass. */
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
