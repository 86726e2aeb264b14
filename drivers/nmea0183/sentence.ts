/** What a table of sentences states, and how one sentence is read by it. */
import type { Saying, Unit, Value } from '../../runtime/sense/driver.ts'
import { bad, type Column, type Columns } from './columns.ts'

export type Sentence = {
  readonly columns: Columns
  /** Several may come in one moment: one for each constellation, say. */
  readonly many?: true
  /** False means that the sentence itself says it is void: a doubt named `not valid`. */
  readonly gate?: Column
  /** What columns cannot say: values that depend on the talker or on the number of fields. */
  readonly more?: (fields: readonly string[], talker: string) => More
}

export type More =
  | typeof bad
  | {
      readonly values: Readonly<Record<string, Value>>
      readonly units?: Readonly<Record<string, Unit>>
      readonly subject?: string
    }

/** What the sentence says, or the name of the field that is wrong, or that it calls itself void. */
export function readSentence(
  sentence: Sentence,
  fields: readonly string[],
  talker: string,
): Saying | { readonly wrong: string } | 'void' {
  const open = sentence.gate?.(fields)
  if (open === bad) return { wrong: 'status' }
  if (open === false) return 'void'
  const values: Record<string, Value> = {}
  for (const [name, column] of Object.entries(sentence.columns)) {
    const value = column(fields)
    if (value === bad) return { wrong: name }
    if (value !== undefined) values[name] = value
  }
  const more = sentence.more?.(fields, talker)
  if (more === bad) return { wrong: 'fields' }
  if (more === undefined) return { ok: true, values: withoutVoid(values) }
  return { ...more, ok: true, values: withoutVoid({ ...values, ...more.values }) }
}

/** Without a fix, receivers repeat the last position they had, or the middle of the map. */
function withoutVoid(values: Record<string, Value>): Record<string, Value> {
  const blind = values.valid === false || values.fix === 0 || values.mode === 'none'
  if (!blind) return values
  return Object.fromEntries(Object.entries(values).filter(([name]) => !byPosition.has(name)))
}

const byPosition = new Set([
  'lat',
  'lon',
  'alt',
  'geoid',
  'speed',
  'course',
  'course_magnetic',
  'dgps_age',
  'dgps_station',
])
