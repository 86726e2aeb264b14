/**
 * The sentences of satellite receivers, as tables: field name → where it stands and how it is written.
 *
 * Sources: NMEA 0183 as described in the interface manuals of u-blox, MediaTek, SiRF, Septentrio and
 * Trimble receivers, versions 2.1 to 4.11 (mode indicator from 2.3, navigational status from 4.10,
 * system and signal id from 4.10 and 4.11).
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { type Fields, field, isEmpty } from './cells.ts'
import {
  bad,
  type Column,
  type Columns,
  dayMonthYear,
  dayThenMonthThenYear,
  degrees,
  eastward,
  firstOf,
  latitude,
  longitude,
  measure,
  metresOnly,
  real,
  row,
  signed,
  speeds,
  spelled,
  status,
  timeOfDay,
  whole,
  words,
} from './columns.ts'
import type { More, Sentence } from './sentence.ts'

export const gnss: Readonly<Record<string, Sentence>> = {
  GGA: {
    columns: {
      time: timeOfDay(0),
      lat: latitude(1),
      lon: longitude(3),
      fix: whole(5, 0, 9),
      satellites: whole(6, 0, 999),
      hdop: real(7),
      alt: measure(8, metresOnly),
      geoid: measure(10, metresOnly),
      dgps_age: real(12),
      dgps_station: words(13),
    },
  },
  GNS: {
    columns: {
      time: timeOfDay(0),
      lat: latitude(1),
      lon: longitude(3),
      mode: bestMode(5),
      modes: words(5),
      satellites: whole(6, 0, 999),
      hdop: real(7),
      alt: real(8),
      geoid: real(9),
      dgps_age: real(10),
      dgps_station: words(11),
      nav_status: words(12),
    },
  },
  RMC: {
    columns: {
      time: timeOfDay(0),
      valid: status(1),
      lat: latitude(2),
      lon: longitude(4),
      speed: real(6, speeds.N),
      course: degrees(7),
      date: dayMonthYear(8),
      variation: eastward(9),
      mode: mode(11),
      nav_status: words(12),
    },
  },
  GLL: {
    columns: {
      lat: latitude(0),
      lon: longitude(2),
      time: timeOfDay(4),
      valid: status(5),
      mode: mode(6),
    },
  },
  VTG: {
    columns: {
      course: degrees(0, 'T'),
      course_magnetic: degrees(2, 'M'),
      speed: firstOf(measure(4, { N: speeds.N }), measure(6, { K: speeds.K })),
      mode: mode(8),
    },
  },
  GSA: {
    many: true,
    columns: {
      selection: spelled(0, { M: 'manual', A: 'automatic' }),
      fix_type: whole(1, 1, 3),
      used: usedSatellites,
      pdop: real(14),
      hdop: real(15),
      vdop: real(16),
      system: hexDigit(17),
    },
  },
  GSV: {
    many: true,
    columns: { messages: whole(0, 1, 99), message: whole(1, 1, 99) },
    more: inView,
  },
  GST: {
    columns: {
      time: timeOfDay(0),
      range_rms: real(1),
      ellipse_major: real(2),
      ellipse_minor: real(3),
      ellipse_course: degrees(4),
      lat_error: real(5),
      lon_error: real(6),
      alt_error: real(7),
    },
  },
  GBS: {
    columns: {
      time: timeOfDay(0),
      raim_lat_error: real(1),
      raim_lon_error: real(2),
      raim_alt_error: real(3),
      failed_satellite: whole(4),
      failed_bias: real(6),
      system: hexDigit(8),
      signal: hexDigit(9),
    },
  },
  ZDA: { columns: { time: timeOfDay(0), date: dayThenMonthThenYear(1) } },
  DTM: {
    columns: {
      datum: words(0),
      datum_lat_offset: signed(2, 'N', 'S', 1 / 60),
      datum_lon_offset: signed(4, 'E', 'W', 1 / 60),
      datum_alt_offset: real(6),
      datum_reference: words(7),
    },
  },
  TXT: {
    many: true,
    columns: { messages: whole(0), message: whole(1), text_kind: whole(2), text: words(3) },
  },
  HDT: { columns: { heading: degrees(0, 'T') } },
  THS: {
    columns: { heading: degrees(0) },
    gate: (fields) =>
      row({ A: true, E: true, M: true, S: true, V: false }, field(fields, 1)) ?? bad,
  },
  ROT: { columns: { rate_of_turn: real(0, 1 / 60) }, gate: status(1) },

  // Proprietary sentences that say what the standard ones leave out.
  PUBX00: {
    columns: {
      time: timeOfDay(1),
      lat: latitude(2),
      lon: longitude(4),
      alt_ellipsoid: real(6),
      nav_status: words(7),
      horizontal_error: real(8),
      vertical_error: real(9),
      speed: real(10, speeds.K),
      course: degrees(11),
      climb: real(12, -1),
      hdop: real(14),
      vdop: real(15),
      tdop: real(16),
      satellites: whole(17),
    },
    gate: (fields) => field(fields, 7) !== 'NF',
  },
  PUBX04: { columns: { time: timeOfDay(1), date: dayMonthYear(2) } },
  PGRME: {
    columns: {
      horizontal_error: measure(0, metresOnly),
      vertical_error: measure(2, metresOnly),
      spherical_error: measure(4, metresOnly),
    },
  },
}

const modes: Readonly<Record<string, string>> = {
  R: 'rtk',
  F: 'rtk float',
  P: 'precise',
  D: 'differential',
  A: 'autonomous',
  E: 'estimated',
  M: 'manual',
  S: 'simulated',
  N: 'none',
}

/** The mode indicator; letters that only one maker uses stay letters. */
function mode(at: number): Column {
  return (fields) => {
    const letter = field(fields, at)
    if (letter === '') return undefined
    return row(modes, letter) ?? (/^[A-Z]$/.test(letter) ? letter : bad)
  }
}

/** GNS has a letter for each constellation; the best of them is the mode of the fix. */
function bestMode(at: number): Column {
  return (fields) => {
    const letters = [...field(fields, at)]
    if (letters.length === 0) return undefined
    if (letters.some((letter) => row(modes, letter) === undefined)) return bad
    const best = Object.keys(modes).find((letter) => letters.includes(letter))
    return modes[best ?? 'N']
  }
}

function usedSatellites(fields: Fields) {
  let used = ''
  for (const [id, at] of satelliteIds) {
    const number = id(fields)
    if (number === bad) return bad
    if (number !== undefined) used += used === '' ? field(fields, at) : ` ${field(fields, at)}`
  }
  return used === '' ? undefined : used
}

const satelliteIds = Array.from(
  { length: 12 },
  (_, n) => [whole(2 + n, 0, Number.POSITIVE_INFINITY), 2 + n] as const,
)

function hexDigit(at: number): Column {
  return (fields) => {
    const text = field(fields, at)
    if (text === '') return undefined
    return /^[0-9a-fA-F]{1,2}$/.test(text) ? Number.parseInt(text, 16) : bad
  }
}

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

/** GSV: how many are in view, and up to four of them. */
function inView(fields: Fields, talker: string, values: Record<string, Value>): More {
  const system = row(systems, talker)
  const total = inViewTotal(fields)
  // From 4.11 on a signal id stands behind the last satellite, and behind that Quectel's PQ has a system id.
  const odd = (fields.length - 3) % 4
  const behind = odd === 1 || (odd === 2 && talker === 'PQ') ? odd : 0
  const signalAt = fields.length - behind
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
