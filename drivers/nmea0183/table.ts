/** The columns of a sentence as they are read: worked out once, then a list to go through. */
import { type Records, recordsOf } from '../../runtime/sense/driver.ts'
import type { Column, Columns, Short } from './columns.ts'

export type Table = {
  /** Talker and sentence, then the names of the columns. */
  readonly names: readonly string[]
  readonly reads: readonly Column[]
  readonly shorts: readonly Short[]
  readonly record: Records
  /** Where these names stand; behind the last where the sentence has no such column. */
  readonly time: number
  readonly date: number
  readonly valid: number
  readonly fix: number
  readonly mode: number
  /** The bits of what a receiver without a fix makes up. */
  readonly places: number
}

export function tableOf(columns: Columns): Table {
  const names = ['talker', 'sentence', ...Object.keys(columns)]
  const at = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length)
  return {
    names,
    reads: Object.values(columns),
    shorts: Object.values(columns).map(({ short }) => short ?? never),
    record: recordsOf(names),
    time: at('time'),
    date: at('date'),
    valid: at('valid'),
    fix: at('fix'),
    mode: at('mode'),
    places: names.reduce((bits, name, i) => (byPosition.has(name) ? bits | (1 << i) : bits), 0),
  }
}

/** No number is such a one. */
const never: Short = { at: 0, min: 1, max: 0, beside: 0 }

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
