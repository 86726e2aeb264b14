/**
 * Pairs that no mark joins, as some libraries print them:
 *
 *   CO2[400] tVOC[0]                    SparkFun's CCS811
 *   TVOC 0 ppb   eCO2 400 ppm           Adafruit's SGP30: a unit tells the number from a part of a name
 *   CPS, 0, CPM, 12, uSv/hr, 0.07       MightyOhm's Geiger counter: name and number in turn
 *   T23.4,H45                           a number behind its name, which only the next line tells
 */
import { isUnit } from './units.ts'
import { amount, unitWord } from './values.ts'

type Pairs = [key: string, value: string][]

/** The pairs that make up all of this text; none when anything else is in it. */
export function phrasesIn(text: string): Pairs {
  const inBrackets = whole(text, bracketed)
  if (inBrackets.length > 0) return inBrackets
  const named = whole(text, measured)
  return named.every(([, value]) => isUnit(unitOf(value))) ? named : []
}

/** Name and number in turn, twice at least; a word behind them is left out. */
export function inTurn(cells: readonly string[], isNumber: (cell: string) => boolean): Pairs {
  const pairs = Array.from({ length: cells.length >> 1 }, (_, i): [string, string] => [
    cells[2 * i] ?? '',
    cells[2 * i + 1] ?? '',
  ])
  const names = new Set(cells.filter((_, i) => i % 2 === 0))
  const are = [...names].every((name) => /^\p{L}/u.test(name) && !isNumber(name))
  const each = names.size === cells.length - pairs.length
  return pairs.length > 1 && are && each && pairs.every(([, value]) => isNumber(value)) ? pairs : []
}

/** A name and the number behind it in each cell. */
export function numbered(cells: readonly string[]): Pairs {
  const pairs = cells.map((cell): [string, string] => {
    const [, key = '', value = ''] = ending.exec(cell) ?? []
    return [key.trim(), value]
  })
  const names = new Set(pairs.map(([key]) => key))
  return names.size === pairs.length && !names.has('') ? pairs : []
}

const ending = new RegExp(`^(\\p{L}(?:.*[^\\d.,+-])?)(${amount}(?:\\s?${unitWord})?)$`, 'u')
const bracketed = /(\p{L}[\p{L}\p{N}_]*)\[ ?([^\][ ]*) ?\]/gu
const word = '(?<![\\p{L}\\p{N}_.()/-])\\p{L}[\\p{L}\\p{M}\\p{N}_.()/-]{0,31}'
const measured = new RegExp(
  `(${word}(?: ${word}){0,4}?)\\s+(${amount}\\s?${unitWord})(?=$|[\\s,;|])`,
  'gu',
)

const behind = new RegExp(`^${amount}\\s?`)

function whole(text: string, form: RegExp): Pairs {
  const isAll = /^[\s,;|]*$/.test(text.replace(form, ''))
  return isAll ? [...text.matchAll(form)].map(([, key = '', value = '']) => [key, value]) : []
}

function unitOf(value: string): string {
  return value.replace(behind, '')
}
