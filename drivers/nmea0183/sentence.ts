/** What a table of sentences states, and how one sentence is read by it. */
import type { Unit, Value } from '../../runtime/sense/driver.ts'
import type { Fields } from './cells.ts'
import { bad, type Column, type Columns, type Short } from './columns.ts'
import { type Table, tableOf } from './table.ts'
import { dated, type Told } from './time.ts'

export type Sentence = {
  /** Those of some depend on who talks, or on how many fields there are. */
  readonly columns: Columns | ((talker: string, fields: number) => Columns)
  /** Several may come in one moment: one for each constellation, say. */
  readonly many?: true
  /** False means that the sentence itself says it is void: a doubt named `not valid`. */
  readonly gate?: Column
  /** What columns cannot say, added to `values`. */
  readonly more?: (fields: Fields, values: Record<string, Value>) => More
}

export type More =
  | typeof bad
  | undefined
  | { readonly units?: Readonly<Record<string, Unit>>; readonly subject?: string }

/** What the sentence says in values of the caller's own, or the field that is wrong, or why it is a doubt. */
export type Read =
  | {
      readonly values: Record<string, Value>
      /** The instant it tells, and whether a date stood beside the time. */
      readonly instant: Told | undefined
      readonly isDated: boolean
      readonly subject: string | undefined
      readonly units: Readonly<Record<string, Unit>> | undefined
    }
  | { readonly wrong: string }
  | 'not valid'
  | 'empty'

/** A sentence of the tables as it is read. */
export type Reader = {
  readonly type: string
  readonly gate: Sentence['gate']
  readonly more: Sentence['more']
  /** How it is read from this talker, with so many fields. */
  table(talker: string, fields: number): Table
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

/** A time is completed with the date beside it, or the day of the last instant told, `lastMs`. */
export function readSentence(
  { type, gate, more, table: tableFor }: Reader,
  fields: Fields,
  talker: string,
  lastMs: number | undefined,
): Read {
  const open = gate?.(fields)
  if (open === bad) return { wrong: 'status' }
  if (open === false) return 'not valid'
  const table = tableFor(talker, fields.length)
  const { names, reads, shorts, record, places } = table
  // Values where their names stand, and one place behind, for names that this sentence has not.
  const row: (Value | undefined)[] = new Array(names.length + 1)
  row[0] = talker
  row[1] = type
  let told = headBits
  let wrong: string | undefined
  for (let i = 2; i < names.length; i += 1) {
    const value = readBy(fields, reads[i - 2] as Column, shorts[i - 2] as Short)
    // Asked so because it is quicker than to compare with `bad`.
    if (typeof value === 'symbol') {
      // Where nobody knows where he is, the place may be off the map.
      if (((places >> i) & 1) === 0) return { wrong: names[i] as string }
      wrong ??= names[i]
      continue
    }
    row[i] = value
    if (value !== undefined) told |= 1 << i
  }
  const empty = told === headBits
  const time = row[table.time]
  const date = row[table.date]
  const isDated = time !== undefined && date !== undefined
  // A date that stands alone is a value.
  if (isDated) told &= ~(1 << table.date)
  const instant =
    time === undefined ? undefined : dated(String(time), isDated ? String(date) : undefined, lastMs)
  if (instant !== undefined) row[table.time] = instant.text
  // Without a fix, receivers repeat the last position they had, or the middle of the map.
  const blind = row[table.valid] === false || row[table.fix] === 0 || row[table.mode] === 'none'
  if (wrong !== undefined && !blind) return { wrong }
  const values = record(row, blind ? told & ~places : told)
  const beside = more?.(fields, values)
  if (beside === bad) return { wrong: 'fields' }
  if (empty && Object.keys(values).length === 2) return 'empty'
  return { values, instant, isDated, subject: beside?.subject, units: beside?.units }
}

function readBy(fields: Fields, read: Column, { at, min, max, beside }: Short): ReturnType<Column> {
  const { short } = fields
  const number = short[at] as number
  return number >= min && number <= max && (short[beside] as number) >= 0 ? number : read(fields)
}

/** Talker and sentence are told by every one. */
const headBits = 0b11

function readerOf(type: string, { columns, gate, more }: Sentence): Reader {
  if (typeof columns !== 'function') {
    const table = tableOf(columns)
    return { type, gate, more, table: () => table }
  }
  const byTalker = new Map<string, Table[]>()
  let made = 0
  return {
    type,
    gate,
    more,
    table(talker, fields) {
      const known = byTalker.get(talker)?.[fields]
      if (known !== undefined) return known
      const table = tableOf(columns(talker, fields))
      if (made < tablesMax) {
        const tables = byTalker.get(talker) ?? []
        tables[fields] = table
        byTalker.set(talker, tables)
        made += 1
      }
      return table
    },
  }
}

/** More than the receivers on a line say; whoever else says more waits for his tables. */
const tablesMax = 64
