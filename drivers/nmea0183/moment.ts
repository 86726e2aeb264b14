/**
 * Which sentences are one moment: those of one UTC time, and what comes without a time among them.
 *
 * Instruments that tell no time begin a moment when a sentence comes again that says the same fields
 * (wind, wind, wind); receivers send some sentences several times in a moment, one for each constellation.
 */
import { firstKeeps, type Moments, type Saying, type Value } from '../../runtime/sense/driver.ts'
import { gnss } from './gnss.ts'
import { marine } from './marine.ts'

export const moments: Moments = {
  /** Longer than the pauses inside a burst, shorter than those between bursts at up to 4 Hz. */
  quietMs: 200,

  begins(held: readonly Saying[], next: Saying): boolean {
    const time = clockOf(next)
    if (time !== undefined) {
      const before = held.find(({ values }) => typeof values.time === 'string')
      if (before !== undefined && clockOf(before) !== time) return true
    }
    return held.some((before) => saysAgain(before, next))
  },

  /** The first to name a field keeps it; of two spellings of the time the one with a date stays. */
  join(values, next) {
    const better = isDated(next.time) && !isDated(values.time) ? next.time : undefined
    const both = firstKeeps(values, next)
    if (better !== undefined) both.time = better
    return both
  },
}

function clockOf({ values }: Saying): string | undefined {
  const { time } = values
  return typeof time === 'string' ? time.slice(time.indexOf('T') + 1) : undefined
}

function isDated(time: Value | undefined): time is string {
  return typeof time === 'string' && time.includes('T')
}

/** True when `next` is the same sentence of the same talker, and names fields that `before` named. */
function saysAgain({ values: before }: Saying, { values: next }: Saying): boolean {
  const type = String(next.sentence)
  if (before.sentence !== type || before.talker !== next.talker) return false
  if (gnss[type]?.many || marine[type]?.many) return false
  const again = Object.keys(next).filter((name) => Object.hasOwn(before, name))
  return again.some((name) => !['talker', 'sentence', 'time'].includes(name))
}
