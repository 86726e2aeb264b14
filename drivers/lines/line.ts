/**
 * What one whole line says, by its format and its table, and what it leaves for the next: the header of its
 * columns, how many there were, and that JSON is spoken here.
 */
import {
  doubt,
  type LineTable,
  type Said,
  type Step,
  type Unit,
  type Value,
} from '../../runtime/sense/driver.ts'
import { csvCells, type Decimal, pairsOf, type Separator, withUnits } from './cells.ts'
import { jsonCells, openIn, type Raw } from './json.ts'
import { inTurn, numbered, phrasesIn } from './phrases.ts'
import { isBoot, withoutPrefix } from './talk.ts'
import { inOneWord } from './units.ts'
import { asItComes, isNumeric, readField } from './values.ts'

/** What the options say. */
type How = {
  readonly format: 'auto' | 'json' | 'csv' | 'pairs'
  readonly separator: Separator
  readonly decimal: Decimal
  readonly table?: LineTable
}

export type Memory = {
  readonly how: How
  /** No line has ended yet. */
  readonly isFirst: boolean
  /** What comes is the rest of a line that was too long. */
  readonly isRest: boolean
  /** A line of JSON was heard. */
  readonly speaksJson: boolean
  /** JSON over several lines that is not closed yet. */
  readonly open?: Open
  /** The names of the columns: of the table, or of the header that was heard. */
  readonly columns?: readonly string[]
  /** How many cells the last line had. */
  readonly width?: number
}

/** The lines so far, and how many braces of them are open. */
type Open = { readonly text: string; readonly depth: number }

/** A line by key, and by the number of its column. */
type Cells = ReadonlyMap<string | number, Raw>

export function begin(how: How): Memory {
  const { columns } = how.table ?? {}
  const memory = { how, isFirst: true, isRest: false, speaksJson: false }
  return columns === undefined ? memory : { ...memory, columns }
}

/** `mayBeCut`: what came before this line is not known. */
export function readLine(whole: string, memory: Memory, mayBeCut: boolean): Step<Memory> {
  const { start = '' } = memory.how.table ?? {}
  const line = whole.trim()
  if (memory.open !== undefined) return goOn(line, memory.open, memory)
  if (line === '' || !line.startsWith(start.trim())) return { memory }
  const text = withoutPrefix(line.slice(start.trim().length).trim())
  if (isBoot(text)) return { memory, said: doubt('the board starts', text) }
  const cut = mayBeCut && start === ''
  const { format } = memory.how
  if (format === 'json' || (format === 'auto' && /^[[{]/.test(text))) return json(text, memory)
  const inside = format === 'auto' ? jsonIn(text) : undefined
  if (inside !== undefined) return json(inside, memory)
  const pairs = format === 'csv' ? [] : pairsOf(text, memory.how.separator)
  const isPairs = format === 'pairs' || pairs.length > 0
  if (memory.speaksJson) return { memory, said: doubt('not understood', text) }
  if (isPairs) return readPairs(pairs, text, memory, cut)
  const named = format === 'csv' || memory.columns !== undefined ? [] : unmarked(text, memory)
  return named.length > 0 ? readPairs(named, text, memory, cut) : csv(text, memory, cut)
}

/** Pairs without a mark between key and value: those of the table, or all that the line is made of. */
function unmarked(text: string, memory: Memory): [string, string][] {
  const named = namedIn(text, memory)
  return named.length > 0 ? named : ofTheTable(phrasesIn(inOneWord(text)), memory)
}

/** Pairs that were made out, where there is no table or one of them is of it: columns may be numbered too. */
function ofTheTable(pairs: [string, string][], memory: Memory): [string, string][] {
  const known = keysOf(memory)
  return known.length === 0 || pairs.some(([key]) => known.includes(key)) ? pairs : []
}

/** What stands behind the keys of the table where nothing but a blank parts them: lux 123.4. */
function namedIn(text: string, memory: Memory): [string, string][] {
  const spaced = ` ${text.replace(/[\s,;|]+/g, ' ')} `
  return keysOf(memory).flatMap((key): [string, string][] => {
    const at = spaced.indexOf(` ${key} `)
    const [value = ''] = at < 0 ? [] : spaced.slice(at + key.length + 2).split(' ')
    return value !== '' && isNumeric(value, memory.how.decimal) ? [[key, value]] : []
  })
}

function json(text: string, memory: Memory): Step<Memory> {
  const cells = jsonCells(text) ?? jsonCells(text.replace(remark, ''))
  if (cells !== undefined) {
    return { memory: { ...memory, speaksJson: true }, said: say(cells, memory) }
  }
  // Printed for people, it begins with a brace that stands alone.
  if (/^[[{]$/.test(text)) return { memory: { ...memory, open: { text, depth: 1 } } }
  return { memory, said: doubt('broken JSON', text) }
}

/** What a log says behind JSON. */
const remark = /(?<=[}\]])\s+[^{}[\]"]{1,64}$/

/** The next line of JSON that goes over several. Where it begins anew, what was begun is broken. */
function goOn(line: string, before: Open, { open: _, ...memory }: Memory): Step<Memory> {
  const text = `${before.text}\n${line}`
  const depth = before.depth + openIn(line)
  if (depth <= 0) return json(text, memory)
  const isAnew = line === '{' && depth > 1 && !/[:[,{]\s*$/.test(before.text)
  const isLong = text.length > jsonMax
  if (!isAnew && !isLong) return { memory: { ...memory, open: { text, depth } } }
  const after = isAnew ? { ...memory, open: { text: line, depth: 1 } } : memory
  return { memory: after, said: doubt('broken JSON', before.text) }
}

/** Of one object over several lines; as many letters as a line may have. */
const jsonMax = 4096

/** JSON behind some words, as a log has it. */
function jsonIn(text: string): string | undefined {
  const at = text.indexOf('{"')
  const inside = text.slice(at).replace(remark, '')
  return at > 0 && inside.endsWith('}') && jsonCells(inside) !== undefined ? inside : undefined
}

function readPairs(
  pairs: readonly [string, string][],
  text: string,
  memory: Memory,
  cut: boolean,
): Step<Memory> {
  const cells: Cells = new Map(pairs)
  if (cells.size < pairs.length) return { memory, said: doubt('a key stands twice', text) }
  const [[first] = ['']] = pairs
  const ending = cut && keysOf(memory).some((key) => key !== first && key.endsWith(first))
  const said = ending ? doubt('perhaps half a line', text) : say(cells, memory)
  return { memory, said }
}

function csv(text: string, memory: Memory, cut: boolean): Step<Memory> {
  const { table, decimal } = memory.how
  const { columns, width } = memory
  const wanted = table?.columns === undefined ? width : table.columns.length
  const cells = cellsOf(text, memory, wanted)
  if (table?.columns === undefined && isHeader(cells, text, memory)) {
    return { memory: { ...memory, columns: cells, width: cells.length } }
  }
  const turns = columns === undefined ? inTurn(cells, (cell) => isNumeric(cell, decimal)) : []
  const isAgain = columns !== undefined && shapeOf(columns) === shapeOf(cells)
  const behind = isAgain || table !== undefined ? numbered(cells) : []
  const pairs = ofTheTable(turns.length > 0 ? turns : behind, memory)
  if (pairs.length > 0) return readPairs(pairs, text, memory, cut)
  if (cells.length !== wanted || table === undefined) {
    // As it comes, what is no number is at least a time; and no message decides how many cells there are.
    const fits = (cell: string, i: number) =>
      isNumeric(cell, decimal) ||
      (!table && (/^\d/.test(cell) || (i === 0 && isLabel(cells, text))))
    const measures = table === undefined ? cells.every(fits) : cells.some(fits)
    if (!measures) return { memory, said: doubt('not understood', text) }
  }
  const after = { ...memory, width: cells.length }
  // Nothing else tells half a line from a whole one.
  if (wanted !== undefined && cells.length !== wanted) {
    return { memory: after, said: doubt('wrong number of cells', text) }
  }
  if (cut) return { memory: after, said: doubt('perhaps half a line', text) }
  const named = columns?.length === cells.length ? columns : undefined
  const found = new Map<string | number, Raw>(
    cells.map((cell, i) => [nameOf(named?.[i], table) ?? `c${i + 1}`, cell]),
  )
  if (table !== undefined) for (const [i, cell] of cells.entries()) found.set(i + 1, cell)
  return { memory: after, said: say(found, memory) }
}

/** The cells, without what only ends the row, and with each unit in the cell of its number. */
function cellsOf(text: string, { how }: Memory, wanted: number | undefined): string[] {
  const cells = csvCells(text, how.separator, how.decimal)
  const ends = cells.length > 1 && cells.at(-1) === '' && cells.length !== wanted
  if (ends) return cells.slice(0, -1)
  const numbered = how.table !== undefined && how.table.columns === undefined
  const stays = numbered || cells.length === wanted || /[;\t|,]/.test(text)
  const joined = stays ? cells : withUnits(cells)
  return wanted === undefined || joined.length === wanted ? joined : cells
}

/** A name of a header, or undefined where no field may be called so; a table calls it as it likes. */
function nameOf(name: string | undefined, table: LineTable | undefined): string | undefined {
  return name === undefined || table !== undefined || fieldName(name) !== undefined
    ? name
    : undefined
}

/** A word before two numbers or more, parted by more than blanks: who speaks, or what of. */
function isLabel([word = '', ...others]: readonly string[], text: string): boolean {
  return others.length > 1 && /[;\t|,]/.test(text) && /^[A-Za-z][\w.:/-]{0,31}$/.test(word)
}

/** Two words or more, each a name; with a table, one of them one of its own. */
function isHeader(cells: readonly string[], text: string, memory: Memory): boolean {
  const names = cells.every((cell) => heading.test(cell))
  const isNew = new Set(cells).size === cells.length
  if (!names || !isNew || cells.some((cell) => isNumeric(cell, 'auto'))) return false
  const { how, columns, width } = memory
  if (how.table !== undefined) return keysOf(memory).some((key) => cells.includes(key))
  // Words of a message are not to name anything: nor are two with a blank between them, nor where names are.
  const parted = how.separator === 'space' || /[;\t|,]/.test(text)
  const fits = width === undefined || (columns?.length !== width && cells.length === width)
  // What comes again with other numbers in it names nothing: Raw H2 13000, Raw Ethanol 18000.
  if (columns !== undefined && shapeOf(columns) === shapeOf(cells)) {
    return String(columns) === String(cells)
  }
  return cells.length > 1 && parted && fits
}

function shapeOf(cells: readonly string[]): string {
  return cells.join(',').replace(/\d+(?:\.\d+)?/g, '0')
}

const heading = /^[\p{L}_°%][\p{L}\p{M}\w .()[\]/%°²³#-]{0,63}$/u

/** The keys that the table names. */
function keysOf({ how: { table } }: Memory): string[] {
  return Object.entries(table?.fields ?? {}).map(([name, { from = name }]) => String(from))
}

function say(cells: Cells, { how }: Memory): Said {
  return how.table === undefined ? sayAll(cells, how) : sayFields(cells, how, how.table)
}

function sayFields(cells: Cells, { decimal }: How, { fields, subject }: LineTable): Said {
  const values: Record<string, Value> = {}
  let seen = 0
  for (const [name, field] of Object.entries(fields)) {
    const raw = cells.get(field.from ?? name)
    if (raw === undefined) continue
    seen += 1
    const value = readField(raw, field, decimal)
    if (value === null) return doubt('bad value', `${name} ${raw}`)
    if (value !== undefined) values[name] = value
  }
  if (Object.keys(values).length === 0) {
    return doubt(seen === 0 ? 'nothing of the table in the line' : 'no value')
  }
  if (subject === undefined) return { ok: true, values, unchecked: true }
  const whose = String(cells.get(subject) ?? '')
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(whose)) return doubt('bad subject', whose)
  return { ok: true, subject: whose, values, unchecked: true }
}

function sayAll(cells: Cells, { decimal }: How): Said {
  const values: Record<string, Value> = {}
  const units: Record<string, Unit> = {}
  for (const [key, raw] of cells) {
    const found = asItComes(raw, decimal)
    const name = fieldName(found?.unknown === undefined ? String(key) : `${key} ${found.unknown}`)
    if (found === undefined || name === undefined || Object.hasOwn(values, name)) continue
    if (Object.keys(values).length >= fieldsMax) break
    values[name] = found.value
    if (found.unit !== undefined) units[name] = found.unit
  }
  if (Object.keys(values).length === 0) return doubt('no value')
  return { ok: true, values, units, unchecked: true }
}

/** As it comes, a line has so many fields at most. */
const fieldsMax = 64

/** A key as the name of a field; undefined when nothing of it may stand in one. */
function fieldName(key: string): string | undefined {
  // Température is Temperature, and m² is m2.
  const letters = key.normalize('NFKD').replace(/\p{M}/gu, '')
  const name = letters.replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^[^A-Za-z0-9]+|_+$/g, '')
  return name === '' || name === 'unchecked' ? undefined : name.slice(0, 64)
}
