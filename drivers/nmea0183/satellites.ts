/**
 * Satellites in GSA and GSV: which were used, and which are in view.
 *
 * GSA has room for twelve; receivers that use more say it again, but for the Navior-24, whose GSA has room
 * for 24. What stands behind the twelve is then a satellite, not a dilution.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { digits, type Fields, field, hexValue, isEmpty } from './cells.ts'
import { bad, type Column, degrees, dilution, real, type Table, tableOf, whole } from './columns.ts'
import type { More } from './sentence.ts'

/** Where the dilutions of a GSA begin. */
const [usualAt, longAt] = [14, 26]

/** GSA: which satellites were used. */
export function usedSatellites(fields: Fields) {
  const { bytes, from, to } = fields
  let used = ''
  const dilutionsAt = isLong(fields) ? longAt : usualAt
  for (let at = 2; at < dilutionsAt; at += 1) {
    if (isEmpty(fields, at)) continue
    if (Number.isNaN(digits(bytes, from[at] ?? 0, to[at] ?? 0))) return bad
    used += used === '' ? field(fields, at) : ` ${field(fields, at)}`
  }
  return used === '' ? undefined : used
}

/** GSA: the first, second or third of its dilutions. */
export function dilutionOf(nth: number): Column {
  const [usual, long] = [dilution(usualAt + nth), dilution(longAt + nth)]
  return (fields) => (isLong(fields) ? long(fields) : usual(fields))
}

/** GSA: the system that its satellites are of, from version 4.11 on. */
export const systemOf: Column = (fields) => (isLong(fields) ? undefined : systemId(fields))

function isLong({ length }: Fields): boolean {
  return length === longAt + 3
}

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

const systemId = hexDigit(usualAt + 3)

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
export function inView(fields: Fields, talker: string, values: Record<string, Value>): More {
  const total = inViewTotal(fields)
  // From 4.11 on a signal id stands behind the last satellite, and behind that Quectel's PQ has a system id.
  const odd = (fields.length - 3) % 4
  const behind = odd === 1 || (odd === 2 && talker === 'PQ') ? odd : 0
  const signalAt = fields.length - behind
  const told = behind === 2 ? systemsById.get(field(fields, signalAt + 1)) : undefined
  const signal = behind > 0 ? hexAt(fields, signalAt) : undefined
  if (total === bad || signal === bad) return bad
  if (total !== undefined) values[told ?? systems.get(talker) ?? 'in_view'] = total
  if (signal !== undefined) values.signal = signal
  // The last satellite may want its carrier to noise, and the comma before it.
  for (let at = 3, n = 1; at + 2 < signalAt; at += 4, n += 1) {
    const { names, reads } = fourSatellites[n - 1] ?? satellite(n)
    const named = !isEmpty(fields, at)
    for (let i = 0; i < names.length; i += 1) {
      const value = reads[i]?.(fields)
      if (value === bad) return bad
      if (value !== undefined && named) values[names[i] as string] = value
    }
  }
  return undefined
}

const inViewTotal = whole(2, 0, 999)

const satellite = (n: number): Table =>
  tableOf({
    [`sv${n}_id`]: whole(4 * n - 1),
    [`sv${n}_elevation`]: real(4 * n),
    [`sv${n}_azimuth`]: degrees(4 * n + 1),
    [`sv${n}_cn0`]: real(4 * n + 2),
  })
const fourSatellites = [1, 2, 3, 4].map(satellite)
