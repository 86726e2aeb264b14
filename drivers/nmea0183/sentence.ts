/** What a table of sentences states, and how one sentence is read by it. */
import { freshValues, type Unit, type Value } from '../../runtime/sense/driver.ts'
import type { Fields } from './cells.ts'
import { bad, type Column, type Columns, type Table, tableOf } from './columns.ts'

export type Sentence = {
  readonly columns: Columns
  /** Several may come in one moment: one for each constellation, say. */
  readonly many?: true
  /** False means that the sentence itself says it is void: a doubt named `not valid`. */
  readonly gate?: Column
  /** What columns cannot say, added to `values`: what depends on the talker or the number of fields. */
  readonly more?: (fields: Fields, talker: string, values: Record<string, Value>) => More
}

export type More =
  | typeof bad
  | undefined
  | { readonly units?: Readonly<Record<string, Unit>>; readonly subject?: string }

/** What the sentence says in values of the caller's own, or the field that is wrong, or why it is a doubt. */
export type Read =
  | {
      readonly values: Record<string, Value>
      /** The date that stands beside a time; one that stands alone is a value. */
      readonly date: string | undefined
      readonly subject: string | undefined
      readonly units: Readonly<Record<string, Unit>> | undefined
    }
  | { readonly wrong: string }
  | 'not valid'
  | 'empty'

/** A sentence of the tables as it is read. */
export type Reader = {
  readonly type: string
  readonly table: Table
  readonly gate: Sentence['gate']
  readonly more: Sentence['more']
  /** True when it says what a receiver without a fix makes up. */
  readonly places: boolean
}

function readerOf(type: string, { columns, gate, more }: Sentence): Reader {
  const table = tableOf(columns)
  return { type, table, gate, more, places: table.names.some((name) => byPosition.has(name)) }
}

/** The sentences that are read. */
export type Sentences = {
  readonly known: ReadonlyMap<string, Reader>
  /** Those of three letters, by these. */
  readonly byLetters: ReadonlyMap<number, Reader>
}

export function sentencesIn(tables: Readonly<Record<string, Sentence>>): Sentences {
  const readers = Object.entries(tables).map(([type, sentence]) => readerOf(type, sentence))
  const three = readers.filter(({ type }) => type.length === 3)
  return {
    known: new Map(readers.map((reader) => [reader.type, reader])),
    byLetters: new Map(
      three.map((reader) => [lettersAt(new TextEncoder().encode(reader.type), 0), reader]),
    ),
  }
}

/** Three letters as a number. */
export function lettersAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
}

export function readSentence(reader: Reader, fields: Fields, talker: string): Read {
  const { type, table, gate, more, places } = reader
  const open = gate?.(fields)
  if (open === bad) return { wrong: 'status' }
  if (open === false) return 'not valid'
  const { names, reads } = table
  const values = freshValues()
  values.talker = talker
  values.sentence = type
  let date: string | undefined
  let empty = true
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string
    const value = reads[i]?.(fields)
    if (value === bad) return { wrong: name }
    if (value === undefined) continue
    if (name === 'date' && values.time !== undefined) date = String(value)
    else values[name] = value
    empty = false
  }
  const beside = more?.(fields, talker, values)
  if (beside === bad) return { wrong: 'fields' }
  if (empty && Object.keys(values).length === 2) return 'empty'
  const kept = places ? withoutVoid(values) : values
  return { values: kept, date, subject: beside?.subject, units: beside?.units }
}

/** Without a fix, receivers repeat the last position they had, or the middle of the map. */
function withoutVoid(values: Record<string, Value>): Record<string, Value> {
  const blind = values.valid === false || values.fix === 0 || values.mode === 'none'
  if (!blind) return values
  const kept = freshValues()
  for (const name in values) if (!byPosition.has(name)) kept[name] = values[name] as Value
  return kept
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
