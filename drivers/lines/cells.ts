/**
 * A line of text as cells: CSV, and pairs of key and value.
 *
 *   CSV      23.5,40.2      23,5;40,2      "23,5",40      t h p between tabs or spaces
 *   pairs    t=23.5,h=40    Temp: 23.5 C  Hum: 40 %     t:23,5;h:40,1     t=23.5&h=40
 *
 * Double quotes hold a cell together, and stand twice for one of them (RFC 4180). In pairs a comma between
 * two digits never parts: keys begin with a letter.
 */
import { inOneWord, isUnit } from './units.ts'
import { amount, unitWord } from './values.ts'

export type Separator = 'auto' | 'comma' | 'semicolon' | 'tab' | 'bar' | 'space'
export type Decimal = 'auto' | 'point' | 'comma'

const one = new RegExp(`^(${amount})\\s?(${unitWord})?$`)
const letter = '[\\p{L}_]'
/** Of a word that is a key: Temp, PM2.5, T_°C. */
const rest = '[\\p{L}\\p{M}\\p{N}_.()[\\]%/°²³#-]'
const keys = new RegExp(`(?<=^|\\s)(${letter}${rest}*)\\s?[=:]\\s*`, 'gu')
const firstKey = new RegExp(`^(${letter}(?:${rest}|[> '*+]){0,63}?) ?[=:]\\s*`, 'u')

const marks = { semicolon: ';', tab: '\t', bar: '|', comma: ',', space: ' ' } as const

/** The cells of a line of CSV, without the blanks around them. */
export function csvCells(line: string, separator: Separator, decimal: Decimal): string[] {
  const mark = separator === 'auto' ? likeliest(line, decimal) : marks[separator]
  // Several spaces are one; several commas have nothing between them.
  const text = mark === ' ' ? line.trim() : line
  return split(text, (at) => {
    if (text[at] !== mark) return 0
    return mark === ' ' ? run(text, at) : 1
  })
}

/** What stands between the cells: of the marks that are there, the one that is least often a decimal comma. */
function likeliest(line: string, decimal: Decimal): string {
  const possible = [';', '\t', '|', ...(decimal === 'comma' ? [] : [','])]
  return possible.find((mark) => line.includes(mark)) ?? ' '
}

/**
 * The cells of a row between blanks where each unit stands apart: 123 cm is one cell, and so is 23.4 C before
 * 45 %.
 */
export function withUnits(cells: readonly string[]): string[] {
  const joined: string[] = []
  for (const cell of cells) {
    const before = joined.at(-1) ?? ''
    const [, , unit] = one.exec(before) ?? ['', '', 'none']
    if (unit === undefined && isUnit(cell)) joined[joined.length - 1] = `${before} ${cell}`
    else joined.push(cell)
  }
  return joined
}

/** Key and value, in their order; numbers behind a pair are `key.1`, `key.2`, and all else is left out. */
export function pairsOf(line: string, separator: Separator): [string, string][] {
  const mark = separator === 'auto' ? undefined : marks[separator]
  const parts = (at: number) => {
    const letter = line[at] ?? ''
    // Between a key and its value may stand what parts elsewhere.
    if (
      (letter === ' ' || letter === '\t') &&
      /[=:]\s*$/.test(line.slice(Math.max(0, at - 8), at))
    ) {
      return 0
    }
    if (letter === ' ') return mark === ' ' || run(line, at) > 1 ? run(line, at) : 0
    // Behind a decimal point no comma is one: GPS: 52.12,4.56.
    const tens = letter === ',' && isDigit(line[at - 1]) && isDigit(line[at + 1])
    if (tens && !/\.\d{1,12}$/.test(line.slice(Math.max(0, at - 13), at))) return 0
    return (mark === undefined ? ',;|\t&'.includes(letter) : letter === mark) ? 1 : 0
  }
  let key: string | undefined
  let more = 0
  return split(line, parts).flatMap((cell) => {
    const found = pairsIn(cell)
    if (found.length === 0 && key !== undefined && isAmount(cell)) {
      more += 1
      return [[`${key}.${more}`, cell]]
    }
    key = found.at(-1)?.[0] ?? key
    if (found.length > 0) more = 0
    return found
  })
}

/** A number, alone or with a unit that is known: what stands behind it may be somebody's remark. */
function isAmount(cell: string): boolean {
  const [all, , unit] = one.exec(cell) ?? []
  return all !== undefined && (unit === undefined || isUnit(unit))
}

/**
 * Pairs with one space between them. The first key may be several words, and a number among them (PM 2.5: 8);
 * what comes before an arrow is no part of it. Of the others what stands behind the value before is part of
 * the key: Temp C: 23.5 Temp F: 74.3.
 */
function pairsIn(cell: string): [string, string][] {
  const found = [...cell.matchAll(keys)]
  const [phrase = '', long = ''] = firstKey.exec(cell) ?? []
  const isLong = long !== '' && !long.includes('->') && phrase.length <= ends(found[0])
  const behind = isLong ? found.filter(({ index }) => index >= phrase.length) : found
  const marks = behind.map((key) => ({ key: key[1] ?? '', at: key.index, from: ends(key) }))
  if (isLong) marks.unshift({ key: long, at: 0, from: phrase.length })
  let words = ''
  return marks.map(({ key, from }, i): [string, string] => {
    const next = marks[i + 1]
    const name = words === '' ? key : `${words} ${key}`
    const text = cell.slice(from, next?.at).trim()
    const [value, more] = next === undefined ? [text, ''] : parted(text, name, next.key)
    words = more
    return [name, unquoted(value)]
  })
}

/** A value with its unit, and the words behind it that belong to the next key. */
function parted(text: string, key: string, nextKey: string): [value: string, words: string] {
  const words = inOneWord(text).split(/\s+/)
  const [, number, unit] = one.exec(words[0] ?? '') ?? []
  // A word for a value may be of a text of several, but an address or a state before a heading is not.
  const [first = '', second = ''] = words
  if (number === undefined) {
    const heads = words.length === 2 && /^\p{Lu}/u.test(nextKey) && isOfAKey(second, key)
    return heads ? [first, second] : [text, '']
  }
  if (words.length === 1) return [text, '']
  let at = 1
  const next = () => words[at] ?? ''
  if (unit === undefined && (isUnit(next()) || !isOfAKey(next(), key))) at += 1
  // The same amount in other units, which nobody needs to know.
  while (/^\d/.test(next()) && one.test(next())) {
    at += 1
    if (/^\d+(?:[.,]\d*)?$/.test(words[at - 1] ?? '') && !isOfAKey(next(), key)) at += 1
  }
  const left = words.slice(at)
  const are = left.length > 0 && left.every((word) => /^\p{L}[\p{L}\p{N}_.()%-]*$/u.test(word))
  return are ? [words.slice(0, at).join(' '), left.join(' ')] : [text, '']
}

/** A word as headings have them, or of the key before: a unit that nobody knows is neither. */
function isOfAKey(word: string, key: string): boolean {
  return (
    (/^\p{Lu}\p{Ll}{2,}$/u.test(word) && word !== 'Fahrenheit') || key.split(' ').includes(word)
  )
}

/** Where the value behind a key begins. */
function ends(key: RegExpExecArray | undefined): number {
  return key === undefined ? Number.POSITIVE_INFINITY : key.index + key[0].length
}

/** Parts a line where `parts` says how many letters part it, but never inside quotes. */
function split(line: string, parts: (at: number) => number): string[] {
  const cells: string[] = []
  let from = 0
  let blank = true
  for (let at = 0; at < line.length; at += 1) {
    if (blank && line[at] === '"') {
      at = closing(line, at)
      blank = false
      continue
    }
    const size = parts(at)
    if (size === 0) {
      blank = blank && line[at] === ' '
      continue
    }
    cells.push(unquoted(line.slice(from, at).trim()))
    at += size - 1
    from = at + 1
    blank = true
  }
  return [...cells, unquoted(line.slice(from).trim())]
}

/** Where the quote that opens here is closed; the end of the line when it is not. */
function closing(line: string, opened: number): number {
  for (let at = opened + 1; at < line.length; at += 1) {
    if (line[at] !== '"') continue
    if (line[at + 1] !== '"') return at
    at += 1
  }
  return line.length
}

function unquoted(cell: string): string {
  const [, inside] = /^"(.*)"$/.exec(cell) ?? []
  return inside === undefined ? cell : inside.replaceAll('""', '"')
}

function run(line: string, from: number): number {
  let at = from
  while (line[at] === ' ') at += 1
  return at - from
}

function isDigit(letter: string | undefined): boolean {
  return letter !== undefined && letter >= '0' && letter <= '9'
}
