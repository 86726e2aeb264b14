/**
 * Columns that tell a time or a date. The sentences of a moment tell the same time and those of a day the
 * same date, so each is worked out once.
 */
import { ascii, digits, field, isEmpty, sizeOf } from './cells.ts'
import { bad, type Column } from './columns.ts'
import { rememberingLast } from './time.ts'

/** `hhmmss.sss` as `hh:mm:ss.sssZ`, second 60 allowed for leap seconds. */
export function timeOfDay(at: number): Column {
  return (fields) => {
    if (isEmpty(fields, at)) return undefined
    const { bytes } = fields
    const first = fields.from[at] ?? 0
    const end = fields.to[at] ?? 0
    const fraction = first + 6
    const number = end < fraction ? Number.NaN : digits(bytes, first, fraction)
    const clock = number <= 23_59_60 ? clockOf(number) : bad
    if (clock === bad || (end > fraction && !isFraction(bytes, fraction, end))) return bad
    const last = withoutZeros(bytes, fraction, end)
    return last > fraction ? `${clock}${ascii(bytes, fraction, last)}Z` : `${clock}Z`
  }
}

/** `ddmmyy` as `yyyy-mm-dd`; from 80 on of the last century, when GPS began. All noughts are no date. */
export function dayMonthYear(at: number): Column {
  return (fields) => {
    const size = sizeOf(fields, at)
    if (size === 0) return undefined
    const first = fields.from[at] ?? 0
    const number = size === 6 ? digits(fields.bytes, first, first + 6) : Number.NaN
    if (number === 0) return undefined
    return Number.isNaN(number) ? bad : dayOf(number)
  }
}

/** Day, month and year in three fields, the year in four digits or two; all noughts are no date. */
export function dayThenMonthThenYear(at: number): Column {
  return (fields) => {
    const [day, month, year] = [field(fields, at), field(fields, at + 1), field(fields, at + 2)]
    if (/^0*$/.test(`${day}${month}${year}`)) return undefined
    const digits = /^\d{1,2}$/.test(day) && /^\d{1,2}$/.test(month) && /^(\d\d){1,2}$/.test(year)
    const full = year.length > 2 ? Number(year) : fullYear(Number(year))
    return digits ? isoDay(full, Number(month), Number(day)) : bad
  }
}

/** `hhmmss` as `hh:mm:ss`. */
const clockOf = rememberingLast((number: number) => {
  const hour = Math.floor(number / 10_000)
  const minute = Math.floor(number / 100) % 100
  const second = number % 100
  if (hour > 23 || minute > 59 || second > 60) return bad
  return [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':')
})

/** `ddmmyy` as `yyyy-mm-dd`. */
const dayOf = rememberingLast((number: number) =>
  isoDay(fullYear(number % 100), Math.floor(number / 100) % 100, Math.floor(number / 10_000)),
)

/** A point and any number of digits, even none. */
function isFraction(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[from] === 0x2e && (to === from + 1 || digits(bytes, from + 1, to) >= 0)
}

/** Where a fraction ends when the zeros at its end, and a point with nothing behind it, are left out. */
function withoutZeros(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  while (end > from && bytes[end - 1] === 0x30) end -= 1
  return end === from + 1 ? from : end
}

/** Of the two last digits of a year. */
function fullYear(digits: number): number {
  return digits < 80 ? 2000 + digits : 1900 + digits
}

function isoDay(year: number, month: number, day: number): string | typeof bad {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const last = month === 2 && leap ? 29 : (daysIn[month - 1] ?? 0)
  if (day < 1 || day > last) return bad
  const digits = year < 1000 ? String(year).padStart(4, '0') : year
  return `${digits}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`
}

const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
