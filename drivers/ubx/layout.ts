/** Where a value stands in a payload and how it is written: numbers little-endian, as all of UBX. */
import type { Value } from '../../runtime/sense/driver.ts'

/** Undefined where the receiver says that it does not know. */
export type Column = (payload: DataView) => Value | undefined
export type Columns = Readonly<Record<string, Column>>

/** A number at byte `at`: so many `per` of it make one of our unit; `none` is what means "not known". */
type Plain = (at: number, per?: number, none?: number) => (payload: DataView) => number | undefined

export const u1: Plain = (at, per, none) => scaled((view) => view.getUint8(at), per, none)
export const u2: Plain = (at, per, none) => scaled((view) => view.getUint16(at, true), per, none)
export const i2: Plain = (at, per, none) => scaled((view) => view.getInt16(at, true), per, none)
export const u4: Plain = (at, per, none) => scaled((view) => view.getUint32(at, true), per, none)
export const i4: Plain = (at, per, none) => scaled((view) => view.getInt32(at, true), per, none)

/** One bit. */
export function bit(at: number, which: number): (payload: DataView) => boolean {
  return (view) => ((view.getUint8(at) >> which) & 1) === 1
}

/** A few bits of one byte, from the lowest named on. */
export function bits(at: number, lowest: number, count: number): (payload: DataView) => number {
  return (view) => (view.getUint8(at) >> lowest) & ((1 << count) - 1)
}

/** A number in two parts: a whole one, and a signed byte of its hundredths or tenths. */
export function fine(at: number, fineAt: number, parts: number, per: number): Column {
  return (view) => (view.getInt32(at, true) * parts + view.getInt8(fineAt)) / (per * parts)
}

/** The column, where this bit is set. */
export function where(holds: (payload: DataView) => boolean, column: Column): Column {
  return (view) => (holds(view) ? column(view) : undefined)
}

/** The column, where the payload is so long: later firmware says more. */
export function from(size: number, column: Column): Column {
  return (view) => (view.byteLength >= size ? column(view) : undefined)
}

/** Where year, month, day, hour, minute, second and nanosecond stand: the instant, when it is one. */
export function clock(yearAt: number, nanoAt: number): (payload: DataView) => string | undefined {
  return (view) => {
    const small = [2, 3, 4, 5, 6].map((more) => view.getUint8(yearAt + more))
    return instant([view.getUint16(yearAt, true), ...small], view.getInt32(nanoAt, true))
  }
}

/**
 * ISO 8601 down to the nanosecond. `nano` may be negative: then the whole seconds were rounded up. Second
 * 60 is a leap second. Undefined for what no calendar has.
 */
export function instant(parts: readonly number[], nano: number): string | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  const dayMs = Date.UTC(year, month - 1, day)
  const date = new Date(dayMs)
  const isDay = year >= 1980 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  const isTime = hour < 24 && minute < 60 && second <= 60 && Math.abs(nano) <= billion
  if (!isDay || !isTime || nano === billion) return undefined
  const borrows = nano < 0
  const leaps = second === 60 && !borrows
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59))
  const backMs = borrows && second < 60 ? 1000 : 0
  const text = new Date(wholeMs - backMs).toISOString().slice(0, 19)
  const fraction = String(borrows ? nano + billion : nano)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const seconds = leaps ? `${text.slice(0, 17)}60` : text
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
}

/** ASCII up to the first NUL. */
export function text(payload: DataView, at: number, size: number): string {
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset + at, size)
  const end = bytes.indexOf(0)
  const plain = String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)))
  return plain.replace(/[^\x20-\x7e]/g, '').trim()
}

const billion = 1_000_000_000

function scaled(read: (view: DataView) => number, per = 1, none?: number) {
  return (view: DataView) => {
    const number = read(view)
    return number === none ? undefined : number / per
  }
}
