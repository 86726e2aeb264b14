/**
 * The sentences of satellite receivers, as tables: field name → where it stands and how it is written.
 *
 * Sources: NMEA 0183 as described in the interface manuals of u-blox, MediaTek, SiRF, Septentrio and
 * Trimble receivers, versions 2.1 to 4.11 (mode indicator from 2.3, navigational status from 4.10,
 * system and signal id from 4.10 and 4.11).
 */
import { type Fields, field, sizeOf } from './cells.ts'
import {
  bad,
  type Column,
  type Columns,
  degrees,
  dilution,
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
  whole,
  words,
} from './columns.ts'
import { dayMonthYear, dayThenMonthThenYear, timeOfDay } from './dates.ts'
import { bestMode, mode } from './mode.ts'
import { beyondFour, dilutionsAt, hexDigit, inView, satellitesUsed } from './satellites.ts'
import type { Sentence } from './sentence.ts'

export const gnss: Readonly<Record<string, Sentence>> = {
  GGA: {
    columns: {
      time: timeOfDay(0),
      lat: latitude(1),
      lon: longitude(3),
      fix: whole(5, 0, 9),
      satellites: whole(6, 0, 999),
      hdop: dilution(7),
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
      hdop: dilution(7),
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
    columns: (_, fields) => {
      const at = dilutionsAt(fields)
      return {
        selection: spelled(0, { M: 'manual', A: 'automatic' }),
        fix_type: whole(1, 1, 3),
        used: satellitesUsed(2, at),
        pdop: dilution(at),
        hdop: dilution(at + 1),
        vdop: dilution(at + 2),
        ...timeOrSystem(at + 3),
      }
    },
  },
  GSV: {
    many: true,
    columns: (talker, fields) => ({
      messages: whole(0, 1, 99),
      message: whole(1, 1, 99),
      ...inView(talker, fields),
    }),
    more: beyondFour,
  },
  GST: {
    columns: {
      time: timeOfDay(0),
      range_rms: real(1),
      ellipse_major: real(2),
      ellipse_minor: real(3),
      // SkyTraq counts from −180.
      ellipse_course: degrees(4, undefined, -180),
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
    columns: {
      ...{ messages: unlessAlone(whole(0)), message: whole(1), text_kind: whole(2) },
      text: (fields) => words(fields.length === 1 ? 0 : 3)(fields),
    },
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
      hdop: dilution(14),
      vdop: dilution(15),
      tdop: dilution(16),
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

/** Receivers of ST write a text and nothing before it. */
function unlessAlone(column: Column): Column {
  return (fields) => (fields.length === 1 ? undefined : column(fields))
}

/**
 * GSA, behind its dilutions: the system that its satellites are of, from version 4.11 on. Receivers that
 * follow China's standard of BeiDou modules (SiRF's PrimaII) have the dilution of time there.
 */
function timeOrSystem(at: number): Columns {
  const [tdop, system] = [dilution(at), hexDigit(at)]
  const isDilution = (fields: Fields) => sizeOf(fields, at) > 2
  return {
    tdop: (fields) => (isDilution(fields) ? tdop(fields) : undefined),
    system: (fields) => (isDilution(fields) ? undefined : system(fields)),
  }
}
