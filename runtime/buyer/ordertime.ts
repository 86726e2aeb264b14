/**
 * The time by which orders are made. They end by the gateway's time, which a buyer does not have; its own
 * wall clock is near enough, unless it was never set. A seller says the time with all that it says of a
 * session, and an order that has ended before it began says which clock is wrong.
 */
import { fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Refusal } from '../wire/refusal.ts'
import type { BuyNote } from './tally.ts'

export type OrderTime = {
  /** Whole ms since 1970. */
  nowMs(): number
  /** What a seller says the time is, in our session with it. Told once when our clock is far off. */
  hear(seller: Address, timeMs: number): void
  /**
   * As `hear`, of a refusal that names the time. Who gives the time to all others is believed: where it is
   * later than ours, orders are made by it from now on.
   */
  heed(seller: Address, refusal: Refusal, isBelieved: boolean): void
}

export type OrderTimeOptions = {
  readonly wallMs: () => number
  readonly monotonicMs: () => number
  readonly note: (note: BuyNote) => void
}

/** A clock so far off is worth a word; a device that was off may itself be some minutes behind. */
export const astrayMs = 3_600_000

export function openOrderTime({ wallMs, monotonicMs, note }: OrderTimeOptions): OrderTime {
  let base: { readonly timeMs: number; readonly atMs: number } | undefined
  let told = false

  function hear(seller: Address, timeMs: number): void {
    const aheadMs = wallMs() - timeMs
    if (told || Math.abs(aheadMs) <= astrayMs) return
    told = true
    const { code, message: why, cure } = fault('CLOCK_ASTRAY', { off: spell(aheadMs), seller })
    note({ event: 'clock astray', seller, aheadMs, code, why, cure })
  }

  return {
    nowMs() {
      const gateway = base === undefined ? 0 : base.timeMs + Math.floor(monotonicMs() - base.atMs)
      return Math.max(wallMs(), gateway)
    },
    hear,
    heed(seller, { code, facts }, isBelieved) {
      const timeMs = Number(facts.timeMs)
      if (code !== 'order-ended' || !Number.isSafeInteger(timeMs)) return
      hear(seller, timeMs)
      if (isBelieved) base = { timeMs, atMs: monotonicMs() }
    },
  }
}

/** `400 days behind`, `3 hours ahead of`: never less than an hour. */
function spell(aheadMs: number): string {
  const hours = Math.round(Math.abs(aheadMs) / 3_600_000)
  const long = hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`
  return `${long} ${aheadMs > 0 ? 'ahead of' : 'behind'}`
}
