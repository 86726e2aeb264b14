/** How far the wall clock is to be believed: not at all, kept by a battery, or disciplined by a time source. */
export type ClockQuality = 'unset' | 'rtc' | 'synced'

/** The device's two clocks; passed in wherever time is read, so that the core stays pure. */
export type Clock = {
  /** Which run of the machine: 32 lower-case hex digits. */
  readonly boot: string
  /** Whole milliseconds since that boot; never steps. */
  monotonicMs(): number
  /** Milliseconds since 1970, UTC, and their quality; undefined while the clock is unset. */
  wall(): { readonly ms: number; readonly quality: 'rtc' | 'synced' } | undefined
}
