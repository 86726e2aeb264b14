/** Groups what the frames of a line say into moments, one for each subject at a time. */
import { allSaid, type Driver, measured, type Saying, unitsOf } from './driver.ts'

/** One moment, whole: what was measured in it, and the stamp of its first frame. */
export type Moment<Stamp> = {
  readonly subject?: string
  /** Empty when its frames measured nothing (a notice of the receiver, say). */
  readonly values: Saying['values']
  readonly units: ReturnType<typeof unitsOf>
  readonly stamp: Stamp
}

export type Moments<Stamp> = {
  /** Takes the next saying; the moments that it ended. */
  push(saying: Saying, stamp: Stamp): Moment<Stamp>[]
  /** The line went quiet or down: the moments that were open. */
  flush(): Moment<Stamp>[]
}

export function moments<Stamp>(driver: Driver): Moments<Stamp> {
  const open = new Map<string, Held<Stamp>>()
  const rule = driver.moments

  function takeOut(subject: string): Moment<Stamp>[] {
    const held = open.get(subject)
    open.delete(subject)
    return held === undefined ? [] : [close(driver, held)]
  }

  return {
    push(saying, stamp) {
      if (rule === undefined) return [close(driver, { sayings: [saying], stamp })]
      const subject = saying.subject ?? ''
      const current = open.get(subject)
      const room = current !== undefined && current.sayings.length < framesMax
      if (room && !rule.begins(current.sayings, saying)) {
        current.sayings.push(saying)
        return []
      }
      const ended = takeOut(subject)
      const [oldest] = open.keys()
      if (open.size >= subjectsMax && oldest !== undefined) ended.push(...takeOut(oldest))
      open.set(subject, { sayings: [saying], stamp })
      return ended
    },
    flush: () => [...open.keys()].flatMap(takeOut),
  }
}

/** Frames in one moment, and subjects with a moment open at once: more than any sensor sends in a burst. */
const framesMax = 64
const subjectsMax = 256

type Held<Stamp> = { readonly sayings: Saying[]; readonly stamp: Stamp }

function close<Stamp>(driver: Driver, { sayings, stamp }: Held<Stamp>): Moment<Stamp> {
  const join = driver.moments?.join ?? ((values, next) => ({ ...values, ...next, ...values }))
  const parts = sayings.map((saying) => measured(driver, saying))
  const joined = parts.reduce((all, { values: next }) => join(all, next), {})
  const broken = parts.some(({ unchecked }) => unchecked)
  const values = broken ? allSaid({ ok: true, values: joined, unchecked: true }) : joined
  const units = Object.assign({}, ...parts.toReversed().map((saying) => unitsOf(driver, saying)))
  const subject = sayings[0]?.subject
  return subject === undefined ? { values, units, stamp } : { values, units, stamp, subject }
}
