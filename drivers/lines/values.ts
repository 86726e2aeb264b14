/**
 * What a cell says: a number with or without its unit, a truth, a text, or that there is none.
 *
 * A number may have a decimal comma, and a unit behind it (23.5C, 40 %). A unit that this table does not
 * know, or another than was promised, is no number: 73 °F are not 73 °C.
 */
import type { LineField, Unit, Value } from '../../runtime/sense/driver.ts'
import { scaled } from '../scaled.ts'
import type { Decimal } from './cells.ts'
import type { Raw } from './json.ts'
import { inOneWord, unitsNamed } from './units.ts'

/** Undefined: there is none. Null: it can not be what the table says. */
export type Read = Value | undefined | null

/** What sensors and their libraries write for none; Arduino prints `ovf` for a float that is too large. */
const none = /^(?:null|none|nan|[+-]?inf(?:inity)?|-nan|ovf|n\/?a|-{1,5}(?:[.,]-{0,3})?|)$/i

/** Scales print their sign apart from the number: +  0.123kg. */
export const amount = '(?:[+-] {0,6})?(?:\\d+(?:[.,]\\d*)?|[.,]\\d+)(?:[eE][+-]?\\d{1,3})?'
export const unitWord = "[%°º*'µμΩ℃℉A-Za-z][A-Za-z0-9%°º*µμΩ²³^/]{0,11}"
/** Behind the first may stand the same amount in other units, and a remark: 23.0°C / 73.4°F, 512 (dark). */
const number = new RegExp(
  `^(${amount})\\s?(${unitWord})?(?:\\s(?:/\\s)?${amount}\\s?${unitWord}){0,3}(?:\\s?\\([^()]*\\))?$`,
)

/** What a field of a table takes from a cell. */
export function readField(raw: Raw, field: LineField, decimal: Decimal): Read {
  if (raw === null || isNone(raw) || field.none.some((word) => isSame(word, raw, decimal))) {
    return undefined
  }
  if (field.type === 'text') return textOf(raw)
  if (field.type === 'boolean') return truthOf(raw)
  const found = numberOf(raw, decimal)
  if (found === undefined || !fits(found.unit, field)) return null
  const value = scaled(found.value, field.scale, field.offset)
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return field.type === 'integer' && typeof value === 'number' && !Number.isInteger(value)
    ? null
    : value
}

/**
 * Without a table: numbers, with the unit that they name, and truths; undefined for all else. A unit that
 * nobody knows is handed out as it stands.
 */
export function asItComes(
  raw: Raw,
  decimal: Decimal,
): { readonly value: Value; readonly unit?: Unit; readonly unknown?: string } | undefined {
  if (typeof raw === 'boolean') return { value: raw }
  if (raw === null || isNone(raw)) return undefined
  const found = numberOf(raw, decimal)
  if (found === undefined) {
    const truth = /^(?:true|false)$/i.test(String(raw)) ? truthOf(raw) : null
    return typeof truth === 'boolean' ? { value: truth } : undefined
  }
  if (found.unit === '') return { value: found.value }
  const [unit] = unitsNamed(found.unit)
  if (unit !== undefined) return { value: found.value, unit }
  // 3ffe85f0 is an address, and no three of anything.
  return /^[^\d]+(?:[/^][^\d]*\d?)?$/.test(found.unit)
    ? { value: found.value, unknown: found.unit }
    : undefined
}

/** A cell that could only be a number, or none. */
export function isNumeric(cell: string, decimal: Decimal): boolean {
  return isNone(cell) || numberOf(cell, decimal) !== undefined
}

function isNone(raw: Raw): boolean {
  return typeof raw === 'number' ? !Number.isFinite(raw) : none.test(String(raw))
}

function isSame(word: string | number, raw: Raw, decimal: Decimal): boolean {
  if (typeof word === 'string') return word === String(raw)
  return Number(numberOf(raw, decimal)?.value) === word
}

function numberOf(raw: Raw, decimal: Decimal) {
  if (typeof raw === 'number') return { value: raw === 0 ? 0 : raw, unit: '' }
  if (typeof raw === 'bigint') return inRange(raw) ? { value: raw, unit: '' } : undefined
  if (typeof raw !== 'string') return undefined
  if (/^0x[0-9a-f]{1,16}$/i.test(raw)) return { value: plain(BigInt(raw)), unit: '' }
  const [, digits = '', unit = ''] = number.exec(inOneWord(raw)) ?? []
  const wrong = { point: ',', comma: '.', auto: undefined }[decimal]
  if (digits === '' || (wrong !== undefined && digits.includes(wrong))) return undefined
  const value = exactly(digits.replace(',', '.').replaceAll(' ', ''))
  return value === undefined ? undefined : { value, unit }
}

/** A whole number stays exact; none is larger than 64 bits. */
function exactly(digits: string): number | bigint | undefined {
  const value = Number(digits)
  if (!/^[+-]?\d+$/.test(digits) || Number.isSafeInteger(value)) {
    return Number.isFinite(value) ? (value === 0 ? 0 : value) : undefined
  }
  const whole = BigInt(digits.replace('+', ''))
  return inRange(whole) ? whole : undefined
}

function plain(whole: bigint): number | bigint {
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

function inRange(whole: bigint): boolean {
  return whole >= -(2n ** 63n) && whole < 2n ** 64n
}

/** Where the table scales, its unit is that of the value, and not that of the line. */
function fits(suffix: string, { unit, scale, offset }: LineField): boolean {
  if (suffix === '' || scale !== undefined || offset !== undefined) return true
  if (unit === undefined) return !/\d/.test(suffix)
  return suffix === unit || unitsNamed(suffix).includes(unit)
}

function textOf(raw: Raw): Read {
  const text = String(raw)
  return text.length <= 64 && text.isWellFormed() && !/\p{Cc}/u.test(text) ? text : null
}

function truthOf(raw: Raw): Read {
  const word = String(raw).toLowerCase()
  if (['true', 'on', 'yes', '1'].includes(word)) return true
  return ['false', 'off', 'no', '0'].includes(word) ? false : null
}
