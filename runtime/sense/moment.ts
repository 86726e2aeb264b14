/** Groups what the frames of a line say into moments, one for each subject at a time. */
import type { Driver, Field, Saying, Unit, Value } from './driver.ts'
import { freshValues } from './values.ts'

/** One moment, whole: what was measured in it, and the stamp of its first frame. */
export type Moment<Stamp> = {
  readonly subject?: string
  /** Empty when its frames measured nothing (a notice of the receiver, say). */
  readonly values: Saying['values']
  readonly units: Readonly<Record<string, Unit>>
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
  const close = closer<Stamp>(driver)

  function takeOut(subject: string): Moment<Stamp>[] {
    const held = open.get(subject)
    open.delete(subject)
    return held === undefined ? [] : [close(held)]
  }

  return {
    push(saying, stamp) {
      if (rule === undefined) return [close({ sayings: [saying], stamp })]
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

function closer<Stamp>(driver: Driver) {
  const fields = new Map(Object.entries(driver.fields))
  const join = driver.moments?.join
  return ({ sayings, stamp }: Held<Stamp>): Moment<Stamp> => {
    const units: Record<string, Unit> = {}
    let values: Record<string, Value> = {}
    let unchecked = false
    for (const saying of sayings) {
      if (saying.unchecked) unchecked = true
      const first = saying === sayings[0]
      if (join === undefined) addMeasured(values, units, saying, fields, first)
      else values = join(values, addMeasured(freshValues(), units, saying, fields, first))
    }
    if (unchecked && Object.keys(values).length > 0) values.unchecked = true
    const subject = sayings[0]?.subject
    return subject === undefined ? { values, units, stamp } : { values, units, stamp, subject }
  }
}

/** What this saying names first, without what is for the bench only, and its units; hands `values` back. */
function addMeasured(
  values: Record<string, Value>,
  units: Record<string, Unit>,
  saying: Saying,
  fields: ReadonlyMap<string, Field>,
  first: boolean,
): Record<string, Value> {
  for (const name of Object.keys(saying.values)) {
    const field = fields.get(name)
    if (field?.detail) continue
    if (first || !Object.hasOwn(values, name)) values[name] = saying.values[name] as Value
    const unit = saying.units?.[name] ?? field?.unit
    if (unit !== undefined && (first || !Object.hasOwn(units, name))) units[name] = unit
  }
  return values
}
