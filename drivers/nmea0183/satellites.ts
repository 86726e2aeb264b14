/**
 * Satellites in GSA and GSV: which were used, and which are in view.
 *
 * GSA has room for twelve; receivers that use more say it again, but for the Navior-24, whose GSA has room
 * for 24. What stands behind the twelve is then a satellite, not a dilution.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { type Fields, field, hexValue, isEmpty, sizeOf, wholeAt } from './cells.ts'
import { bad, type Column, type Columns, degrees, real, taking, whole } from './columns.ts'
import type { More } from './sentence.ts'

/** GSA: where the dilutions begin, of so many fields; behind them stands its system, from version 4.11 on. */
export function dilutionsAt(fields: number): number {
  return fields === 29 ? 26 : 14
}

/** GSA: which satellites were used. */
export function satellitesUsed(from: number, to: number): Column {
  return (fields) => {
    let used = ''
    for (let at = from; at < to; at += 1) {
      const size = sizeOf(fields, at)
      if (size === 0) continue
      const number = wholeAt(fields, at)
      if (Number.isNaN(number)) return bad
      const next = (size === 2 ? pairs[number] : undefined) ?? ` ${field(fields, at)}`
      used = used === '' ? next.slice(1) : used + next
    }
    return used === '' ? undefined : used
  }
}

/** Nearly all numbers of satellites have two digits: a space and these. */
const pairs = Array.from({ length: 100 }, (_, number) => ` ${String(number).padStart(2, '0')}`)

export function hexDigit(at: number): Column {
  return (fields) => hexAt(fields, at)
}

/** One hex digit or two. */
function hexAt(fields: Fields, at: number): number | undefined | typeof bad {
  if (isEmpty(fields, at)) return undefined
  const { bytes } = fields
  const [first, end] = [fields.from[at] ?? 0, fields.to[at] ?? 0]
  const low = hexValue(bytes[end - 1])
  const high = end - first === 2 ? hexValue(bytes[first]) : 0
  return end - first > 2 || low < 0 || high < 0 ? bad : 16 * high + low
}

/** Whose satellites are in view, by the talker. */
const systems = new Map([
  ['GP', 'gps_in_view'],
  ['GL', 'glonass_in_view'],
  ['GA', 'galileo_in_view'],
  ['GB', 'beidou_in_view'],
  ['BD', 'beidou_in_view'],
  ['PQ', 'beidou_in_view'],
  ['GQ', 'qzss_in_view'],
  ['QZ', 'qzss_in_view'],
  ['GI', 'navic_in_view'],
])

/** The same by the system ids of NMEA 0183 version 4.11. */
const systemsById = new Map([
  ['1', 'gps_in_view'],
  ['2', 'glonass_in_view'],
  ['3', 'galileo_in_view'],
  ['4', 'beidou_in_view'],
  ['5', 'qzss_in_view'],
  ['6', 'navic_in_view'],
])

/** GSV: how many are in view, and up to four of them. */
export function inView(talker: string, fields: number): Columns {
  const signalAt = satellitesEnd(talker, fields)
  const system = systems.get(talker) ?? 'in_view'
  const total = whole(2, 0, 999)
  const totals =
    fields - signalAt === 2 ? byItsId(total, signalAt + 1, system) : { [system]: total }
  const signal = fields > signalAt && { signal: hexDigit(signalAt) }
  const many = Math.min(4, satellitesIn(signalAt))
  const named = Array.from({ length: many }, (_, i) => satellite(i + 1))
  return Object.assign({}, totals, signal, ...named)
}

/** GSV: the satellites that a sentence has no room for, and one or another talker says. */
export function beyondFour(fields: Fields, values: Record<string, Value>): More {
  if (fields.length < firstAt + 4 * perSatellite) return undefined
  const signalAt = satellitesEnd(String(values.talker), fields.length)
  for (let n = 5; n <= satellitesIn(signalAt); n += 1) {
    for (const [name, read] of Object.entries(satellite(n))) {
      const value = read(fields)
      if (value === bad) return bad
      if (value !== undefined) values[name] = value
    }
  }
  return undefined
}

/** Where the first satellite stands, and how many fields each has. */
const [firstAt, perSatellite] = [3, 4]

/**
 * Where the satellites end: from 4.11 on a signal id stands behind the last, and behind that Quectel's PQ has
 * a system id.
 */
function satellitesEnd(talker: string, fields: number): number {
  const odd = (fields - firstAt) % perSatellite
  return odd === 1 || (odd === 2 && talker === 'PQ') ? fields - odd : fields
}

/** How many there are. The last may want its carrier to noise, and the comma before it. */
function satellitesIn(end: number): number {
  return Math.max(0, Math.ceil((end - firstAt - 2) / perSatellite))
}

/** The number in view, under the name that the system id at `at` says. */
function byItsId(total: Column, at: number, otherwise: string): Columns {
  const names = new Set([...systemsById.values(), otherwise])
  return Object.fromEntries(
    [...names].map((name): [string, Column] => [
      name,
      (fields) => {
        const number = total(fields)
        const told = systemsById.get(field(fields, at)) ?? otherwise
        return number === bad || told === name ? number : undefined
      },
    ]),
  )
}

function satellite(n: number): Columns {
  const at = firstAt + perSatellite * (n - 1)
  return {
    [`sv${n}_id`]: whole(at),
    [`sv${n}_elevation`]: whenNumbered(at, real(at + 1)),
    [`sv${n}_azimuth`]: whenNumbered(at, degrees(at + 2)),
    [`sv${n}_cn0`]: whenNumbered(at, real(at + 3)),
  }
}

/** Without the number of the satellite nobody can use the rest. */
function whenNumbered(numberAt: number, column: Column): Column {
  const read: Column = (fields) => {
    const value = column(fields)
    return value === bad || !isEmpty(fields, numberAt) ? value : undefined
  }
  const { short } = column
  return short === undefined ? read : taking(read, short.at, short.min, short.max, numberAt)
}
