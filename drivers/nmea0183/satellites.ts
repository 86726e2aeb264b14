/**
 * Satellites in GSA and GSV: which were used, and which are in view.
 *
 * GSA has room for twelve; receivers that use more say it again, but for the Navior-24, whose GSA has room
 * for 24. What stands behind the twelve is then a satellite, not a dilution.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { type Fields, field, isEmpty } from './cells.ts'
import { bad, type Column, type Columns, degrees, dilution, real, row, whole } from './columns.ts'
import type { More } from './sentence.ts'

/** Where the dilutions of a GSA begin. */
const [usualAt, longAt] = [14, 26]

/** GSA: which satellites were used. */
export function usedSatellites(fields: Fields) {
  let used = ''
  const dilutionsAt = isLong(fields) ? longAt : usualAt
  for (const [id, at] of satelliteIds) {
    if (at >= dilutionsAt) break
    const number = id(fields)
    if (number === bad) return bad
    if (number !== undefined) used += used === '' ? field(fields, at) : ` ${field(fields, at)}`
  }
  return used === '' ? undefined : used
}

const satelliteIds = Array.from(
  { length: longAt - 2 },
  (_, n) => [whole(2 + n, 0, Number.POSITIVE_INFINITY), 2 + n] as const,
)

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
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    return /^[0-9a-fA-F]{1,2}$/.test(text) ? Number.parseInt(text, 16) : bad
  }
}

const systemId = hexDigit(usualAt + 3)

const systems: Readonly<Record<string, string>> = {
  GP: 'gps',
  GL: 'glonass',
  GA: 'galileo',
  GB: 'beidou',
  BD: 'beidou',
  PQ: 'beidou',
  GQ: 'qzss',
  QZ: 'qzss',
  GI: 'navic',
}

/** System ids of NMEA 0183 version 4.11. */
const byId: Readonly<Record<string, string>> = {
  ...{ 1: 'gps', 2: 'glonass', 3: 'galileo', 4: 'beidou', 5: 'qzss', 6: 'navic' },
}

/** GSV: how many are in view, and up to four of them. */
export function inView(fields: Fields, talker: string, values: Record<string, Value>): More {
  const total = inViewTotal(fields)
  // From 4.11 on a signal id stands behind the last satellite, and behind that Quectel's PQ has a system id.
  const odd = (fields.length - 3) % 4
  const behind = odd === 1 || (odd === 2 && talker === 'PQ') ? odd : 0
  const signalAt = fields.length - behind
  const system =
    (behind === 2 ? row(byId, field(fields, signalAt + 1)) : undefined) ?? row(systems, talker)
  const signal = behind > 0 ? hexDigit(signalAt)(fields) : undefined
  if (total === bad || signal === bad) return bad
  if (total !== undefined) values[system === undefined ? 'in_view' : `${system}_in_view`] = total
  if (signal !== undefined) values.signal = signal
  // The last satellite may want its carrier to noise, and the comma before it.
  for (let at = 3, n = 1; at + 2 < signalAt; at += 4, n += 1) {
    const columns = fourSatellites[n - 1] ?? satellite(n)
    const named = !isEmpty(fields, at)
    for (const name in columns) {
      const value = columns[name]?.(fields)
      if (value === bad) return bad
      if (value !== undefined && named) values[name] = value
    }
  }
  return undefined
}

const inViewTotal = whole(2, 0, 999)

const satellite = (n: number): Columns => ({
  [`sv${n}_id`]: whole(4 * n - 1),
  [`sv${n}_elevation`]: real(4 * n),
  [`sv${n}_azimuth`]: degrees(4 * n + 1),
  [`sv${n}_cn0`]: real(4 * n + 2),
})
const fourSatellites = [1, 2, 3, 4].map(satellite)
