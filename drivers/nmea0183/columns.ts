/**
 * Columns: how one or two fields of a sentence become a value in SI units and degrees.
 *
 * A column answers undefined when its field is empty (talkers leave out what they do not know) and `bad`
 * when the field is filled with something that the standard does not allow there; one bad field makes
 * the whole sentence a doubt. Positions count from the first field behind the address.
 */
import type { Value } from '../../runtime/sense/driver.ts'

export const bad = Symbol('bad field')
export type Column = (fields: readonly string[]) => Value | undefined | typeof bad
export type Columns = Readonly<Record<string, Column>>

/** A number, times `scale`. */
export function real(at: number, scale = 1): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    return numeral.test(text) ? tidy(Number(text) * scale) : bad
  }
}

/** A whole number from `min` to `max`. */
export function whole(at: number, min = 0, max = 999_999): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    const number = Number(text)
    return /^\d+$/.test(text) && number >= min && number <= max ? number : bad
  }
}

/** A number whose unit letter is in the next field; `scales` turns each letter into SI. */
export function measure(at: number, scales: Readonly<Record<string, number>>): Column {
  const value = real(at)
  return (fields) => {
    const number = value(fields)
    if (typeof number !== 'number') return number
    const letter = field(fields, at + 1) || Object.keys(scales)[0]
    const scale = row(scales, letter ?? '')
    return scale === undefined ? bad : tidy(number * scale)
  }
}

export const speeds = { N: 1852 / 3600, K: 1 / 3.6, M: 1, S: 0.447_04 }
export const lengths = { M: 1, f: 0.3048, F: 1.8288, N: 1852, K: 1000, S: 1609.344 }
export const metresOnly = { M: 1 }

/** An angle from 0 to 360 degrees; with a letter, the next field must say it or nothing. */
export function degrees(at: number, letter?: 'T' | 'M'): Column {
  const value = real(at)
  return (fields) => {
    const angle = value(fields)
    if (typeof angle !== 'number') return angle
    const said = letter === undefined ? '' : field(fields, at + 1)
    return angle >= 0 && angle <= 360 && (said === '' || said === letter) ? angle : bad
  }
}

/** A number whose sign is a letter in the next field, such as a variation: east positive. */
export function signed(at: number, plus: string, minus: string, scale = 1): Column {
  const value = real(at, scale)
  return (fields) => {
    const number = value(fields)
    if (typeof number !== 'number') return number
    const letter = field(fields, at + 1)
    if (letter === minus) return -number
    return letter === plus ? number : bad
  }
}

/** `ddmm.mmmm` and its hemisphere, as degrees. Some talkers repeat the west in a minus; none means east. */
export const latitude = (at: number): Column => angle(at, 'N', 'S', 90)
export const longitude = (at: number): Column => angle(at, 'E', 'W', 180)

/** A for valid, V for void. */
export function status(at: number): Column {
  return (fields) => {
    const letter = field(fields, at)
    if (letter === '') return undefined
    return letter === 'A' ? true : letter === 'V' ? false : bad
  }
}

/** `hhmmss.sss` as `hh:mm:ss.sssZ`, second 60 allowed for leap seconds. */
export function timeOfDay(at: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    const [, h = '', m = '', s = '', fraction = ''] = clockForm.exec(text) ?? []
    if (h === '' || Number(h) > 23 || Number(m) > 59 || Number(s) > 60) return bad
    return `${h}:${m}:${s}${fraction.replace(/\.?0*$/, '')}Z`
  }
}

/** `ddmmyy` as `yyyy-mm-dd`; years from 80 on are of the last century, when GPS began. */
export function dayMonthYear(at: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    if (!/^\d{6}$/.test(text)) return bad
    const year = Number(text.slice(4))
    return isoDay(year < 80 ? 2000 + year : 1900 + year, text.slice(2, 4), text.slice(0, 2))
  }
}

/** Day, month and year in three fields. */
export function dayThenMonthThenYear(at: number): Column {
  return (fields) => {
    const [day, month, year] = [field(fields, at), field(fields, at + 1), field(fields, at + 2)]
    if (day === '' && month === '' && year === '') return undefined
    const digits = /^\d{1,2}$/.test(day) && /^\d{1,2}$/.test(month) && /^\d{4}$/.test(year)
    return digits ? isoDay(Number(year), month.padStart(2, '0'), day.padStart(2, '0')) : bad
  }
}

/** A text of printable characters, `^hh` escapes resolved. */
export function words(at: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    return text.replace(/\^([0-9a-fA-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }
}

/** One of these letters, spelled out. */
export function spelled(at: number, table: Readonly<Record<string, string>>): Column {
  return (fields) => {
    const letter = field(fields, at)
    return letter === '' ? undefined : (row(table, letter) ?? bad)
  }
}

/** The first of these columns that is filled; none of them may be bad. */
export function firstOf(...columns: readonly Column[]): Column {
  return (fields) => {
    const values = columns.map((column) => column(fields))
    return values.includes(bad) ? bad : values.find((value) => value !== undefined)
  }
}

/** An angle off the bow, given as 0 to 180 to one side: clockwise from the bow, 0 to 360. */
export function offBow(at: number): Column {
  const side = signed(at, 'R', 'L')
  return (fields) => {
    const angle = side(fields)
    if (typeof angle !== 'number') return angle
    return Math.abs(angle) > 180 ? bad : tidy((angle + 360) % 360)
  }
}

/** What a table says under this key, and only the table: a talker may well write `constructor`. */
export function row<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

export function field(fields: readonly string[], at: number): string {
  return fields[at]?.trim() ?? ''
}

/** Takes the noise out of the last binary digits: nine decimals are finer than any talker's. */
export function tidy(number: number): number {
  return Number(number.toFixed(9))
}

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)$/
const clockForm = /^(\d{2})(\d{2})(\d{2})(\.\d*)?$/
const angleForm = /^(-?)(\d{0,3})(\d{2}(?:\.\d*)?)$/

function angle(at: number, plus: string, minus: string, most: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    const [, sign = '', whole = '', minutes = ''] = angleForm.exec(text) ?? []
    const letter = field(fields, at + 1)
    if (minutes === '' || Number(minutes) >= 60) return bad
    if (letter !== minus && (letter !== plus || sign !== '')) return bad
    const size = Number(whole) + Number(minutes) / 60
    return size > most ? bad : tidy(letter === minus ? -size : size)
  }
}

function isoDay(year: number, month: string, day: string): string | typeof bad {
  const text = `${year}-${month}-${day}`
  const ms = Date.parse(`${text}T00:00:00Z`)
  // Date.parse takes 31 February for 3 March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text) ? text : bad
}
