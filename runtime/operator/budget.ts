/**
 * A budget of so many a second: what is over it is turned away unread, so that a flood costs us
 * nothing but a look. `nowMs` is monotonic.
 */
export function budget(perSecond: number, nowMs: () => number): { spend(): boolean } {
  let left = perSecond
  let atMs = nowMs()
  return {
    spend() {
      const now = nowMs()
      left = Math.min(perSecond, left + ((now - atMs) / 1000) * perSecond)
      atMs = now
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
