/**
 * One breaker a device: after so many misses in a row it is asked only now and then, so that a silent device
 * on a shared line costs the others nothing but a rare probe.
 *
 *   closed ──(missesMax in a row)──→ open ──(its time has come)──→ half-open ──(answer)──→ closed
 *                                     └←─────(miss: twice as long)──────┘
 */
export type Breaker = {
  readonly state: 'closed' | 'open' | 'half-open'
  /** In a row. */
  readonly misses: number
}

/** As it begins, and as an answer leaves it. */
export const breaker: Breaker = { state: 'closed', misses: 0 }

/** After one more miss: the breaker, and how long to leave the device alone beyond its own pace. */
export function missed({ misses }: Breaker): {
  readonly breaker: Breaker
  readonly pauseMs: number
} {
  const again = misses + 1
  if (again < missesMax) return { breaker: { state: 'closed', misses: again }, pauseMs: 0 }
  const doubled = Math.min(again - missesMax, doublingsMax)
  const pauseMs = Math.min(pauseFirstMs * 2 ** doubled, pauseMostMs)
  return { breaker: { state: 'open', misses: again }, pauseMs }
}

/** Two can be noise; a third says that nobody is there. */
const missesMax = 3

/** A device that came back is heard again within a minute; a probe a minute is under 1 % of the line. */
const pauseFirstMs = 5_000
const pauseMostMs = 60_000
const doublingsMax = 16
