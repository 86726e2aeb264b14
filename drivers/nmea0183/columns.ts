/**
 * Columns: how one or two fields of a sentence become a value in SI units and degrees.
 *
 * A column answers undefined when its field is empty (talkers leave out what they do not know) and `bad`
 * when the field is filled with something that the standard does not allow there; one bad field makes
 * the whole sentence a doubt. Positions count from the first field behind the address.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import {
  decimal,
  digits,
  type Fields,
  field,
  isEmpty,
  letterIn,
  numeral,
  shortMost,
  sizeOf,
  tidy,
  wholeAt,
} from './cells.ts'

export const bad = Symbol('bad field')
export type Column = {
  (fields: Fields): Value | undefined | typeof bad
  /** What it would answer with as it stands: the table then does not even ask. */
  readonly short?: Short
}
export type Columns = Readonly<Record<string, Column>>

/** A field of one to five digits, between these, when the field `beside` is such a one too. */
export type Short = {
  readonly at: number
  readonly min: number
  readonly max: number
  readonly beside: number
}

/** Most columns take most numbers as they stand, and to call each would take longer than to read it. */
export function taking(read: Column, at: number, min: number, max: number, beside = at): Column {
  return Object.assign(read, { short: { at, min, max, beside } })
}

/** A number, times `scale`. */
export function real(at: number, scale = 1): Column {
  const read: Column = (fields) => {
    const size = sizeOf(fields, at)
    if (size === 0) return undefined
    const number = numeral(fields, at)
    if (Number.isNaN(number)) return bad
    // Nine decimals at most, as they were written: nothing to tidy but a minus before nought.
    return scale === 1 && size <= 10 ? number + 0 : tidy(number * scale)
  }
  return scale === 1 ? taking(read, at, 0, shortMost) : read
}

/** A dilution of precision; receivers that know none say 99.99 or thereabouts, or nought, which none can be. */
export function dilution(at: number): Column {
  const value = below(99, real(at))
  return (fields) => value(fields) || undefined
}

/** A whole number from `min` to `max`. */
export function whole(at: number, min = 0, max = 999_999): Column {
  const read: Column = (fields) => {
    if (isEmpty(fields, at)) return undefined
    const number = wholeAt(fields, at)
    return number >= min && number <= max ? number : bad
  }
  return taking(read, at, min, max)
}

/** A number whose unit letter is in the next field; `scales` turns each letter into SI. */
export function measure(at: number, scales: Readonly<Record<string, number>>): Column {
  const value = real(at)
  const byLetter = new Map(Object.entries(scales).map(([unit, scale]) => [code(unit), scale]))
  const [usual] = Object.values(scales)
  return (fields) => {
    const number = value(fields)
    if (typeof number !== 'number') return number
    const unit = letterIn(fields, at + 1)
    const scale = unit === 0 ? usual : byLetter.get(unit)
    return scale === undefined ? bad : tidy(number * scale)
  }
}

/** Miles an hour are S in the standard and P in anemometers of Gill, which also know feet a minute. */
export const speeds = {
  ...{ N: 1852 / 3600, K: 1 / 3.6, M: 1, S: 0.447_04 },
  ...{ P: 0.447_04, F: 0.3048 / 60 },
}
export const lengths = { M: 1, f: 0.3048, F: 1.8288, N: 1852, K: 1000, S: 1609.344 }
export const metresOnly = { M: 1 }

/**
 * An angle from 0 to 360 degrees; with a letter, the next field must say it or nothing. Some instruments and
 * gateways count wind and heading from −180, which `least` allows.
 */
export function degrees(at: number, letter?: 'T' | 'M', least: 0 | -180 = 0): Column {
  const value = real(at)
  const told = letter === undefined ? 0 : code(letter)
  const read: Column = (fields) => {
    const angle = value(fields)
    if (typeof angle !== 'number') return angle
    const said = told === 0 ? 0 : letterIn(fields, at + 1)
    const may = angle >= least && angle <= 360 && (said === 0 || said === told)
    return may ? (angle < 0 ? tidy(angle + 360) : angle) : bad
  }
  return letter === undefined ? taking(read, at, 0, 360) : read
}

/**
 * A number whose sign is a letter in the next field, such as an offset. Nought needs none, and some receivers
 * write their mode or another nought there.
 */
export function signed(at: number, plus: string, minus: string, scale = 1): Column {
  const value = real(at, scale)
  const [positive, negative] = [code(plus), code(minus)]
  return (fields) => {
    const number = value(fields)
    if (typeof number !== 'number') return number
    const letter = letterIn(fields, at + 1)
    if (letter === negative) return 0 - number
    return letter === positive || number === 0 ? number : bad
  }
}

/** What a compass is off, east positive; receivers without a model of the earth's field say 999.9. */
export function eastward(at: number): Column {
  const angle = signed(at, 'E', 'W')
  return (fields) => {
    const found = angle(fields)
    if (typeof found !== 'number' || Math.abs(found) <= 180) return found
    return Math.abs(found) >= 999 ? undefined : bad
  }
}

/**
 * `ddmm.mmmm` and its hemisphere, as degrees. Some talkers repeat the west in a minus; none means east. Some
 * round 59.99999 minutes to 60, and mean it.
 */
export const latitude = (at: number): Column => angle(at, 'N', 'S', 90)
export const longitude = (at: number): Column => angle(at, 'E', 'W', 180)

/** A for valid, V for void; handhelds of Magellan say N where others say it in the mode behind. */
export function status(at: number): Column {
  return (fields) => {
    const letter = letterIn(fields, at)
    if (letter === 0) return undefined
    if (letter === valid) return true
    return letter === invalid || letter === notValid ? false : bad
  }
}

/** A text of printable characters, `^hh` escapes resolved. */
export function words(at: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    if (!text.includes('^')) return text
    return text.replace(/\^([0-9a-fA-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }
}

/** One of these letters, spelled out. */
export function spelled(at: number, table: Readonly<Record<string, string>>): Column {
  const byLetter = new Map(Object.entries(table).map(([letter, word]) => [code(letter), word]))
  return (fields) => {
    const letter = letterIn(fields, at)
    return letter === 0 ? undefined : (byLetter.get(letter) ?? bad)
  }
}

/** The column, but for numbers from `error` on: instruments write such for what is broken or not there. */
export function below(error: number, column: Column): Column {
  return (fields) => {
    const number = column(fields)
    return typeof number === 'number' && number >= error ? undefined : number
  }
}

/** The first of these columns that is filled; none of them may be bad. */
export function firstOf(...columns: readonly Column[]): Column {
  return (fields) => {
    let first: Value | undefined
    for (const column of columns) {
      const value = column(fields)
      if (value === bad) return bad
      first ??= value
    }
    return first
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

function angle(at: number, plus: string, minus: string, most: number): Column {
  const [positive, negative] = [code(plus), code(minus)]
  return (fields) => {
    if (isEmpty(fields, at)) return undefined
    const { bytes } = fields
    const [first, end] = [fields.from[at] ?? 0, fields.to[at] ?? 0]
    const signed = bytes[first] === 0x2d
    const start = signed ? first + 1 : first
    let dot = start
    while (dot < end && bytes[dot] !== 0x2e) dot += 1
    const whole = dot - start - 2
    // Three digits of degrees at most by the standard; some receivers write four.
    if (whole < 0 || whole > 4) return bad
    const minutes = decimal(bytes, start + whole, end)
    const letter = letterIn(fields, at + 1)
    if (!(minutes <= 60)) return bad
    if (letter !== negative && (letter !== positive || signed)) return bad
    const size = (whole === 0 ? 0 : digits(bytes, start, start + whole)) + minutes / 60
    return size <= most ? tidy(letter === negative ? -size : size) : bad
  }
}

function code(letter: string): number {
  return letter.charCodeAt(0)
}

const [valid, invalid, notValid] = [code('A'), code('V'), code('N')]
