/**
 * The gateway's time of day: its wall clock, but no further ahead than the chain's newest blocks allow.
 * What it signs is time for money on every device, and that never goes back: a wall clock that jumped a
 * year ahead, and was set right a minute later, would end every order of the fleet for a year.
 */

/** How far the wall clock may be ahead of the chain: blocks may be slow, and wall clocks a little off. */
export const aheadMaxMs = 3_600_000

export type TimeOfDay = {
  readonly nowMs: () => number
  /** Whether the wall clock is past the bound now. */
  readonly isAstray: () => boolean
  /** Takes the time of the newest block that all endpoints have, seconds since 1970. */
  hear(chainS: number): void
}

/**
 * Before the chain was heard the wall clock is believed. `astray` is told when the wall clock is past the
 * bound, once until it is within it again.
 */
export function timeOfDay(
  wallMs: () => number,
  monotonicMs: () => number,
  astray: (aheadMs: number) => void,
): TimeOfDay {
  let heard: { readonly chainMs: number; readonly atMs: number } | undefined
  let told = false
  return {
    nowMs() {
      const wall = wallMs()
      if (heard === undefined) return wall
      const chainMs = heard.chainMs + (monotonicMs() - heard.atMs)
      const isAstray = wall > chainMs + aheadMaxMs
      if (isAstray && !told) astray(wall - chainMs)
      told = isAstray
      return isAstray ? Math.floor(chainMs) : wall
    },
    isAstray: () => told,
    hear(chainS) {
      const chainMs = chainS * 1000
      const before = heard && heard.chainMs + (monotonicMs() - heard.atMs)
      // An idle chain says its last block again: time went on since.
      if (before === undefined || chainMs > before) heard = { chainMs, atMs: monotonicMs() }
    },
  }
}
