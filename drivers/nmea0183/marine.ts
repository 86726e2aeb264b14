/**
 * The sentences of a ship's instruments: wind, water, weather, compass, rudder, engines, transducers.
 *
 * Angles off the bow run clockwise from 0 to 360. Sources: the field lists of NMEA 0183 as published in
 * the manuals of instrument makers, checked against test/captures/nmea0183.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { type Fields, field, tidy } from './cells.ts'
import {
  bad,
  below,
  type Column,
  degrees,
  eastward,
  firstOf,
  lengths,
  measure,
  metresOnly,
  offBow,
  real,
  row,
  speeds,
  status,
  whole,
} from './columns.ts'
import type { More, Sentence } from './sentence.ts'
import { transducers } from './transducers.ts'

/** Stations of Lambrecht write 999.9 for what they cannot measure, and 9999.9 for a pressure. */
const error = 999
const temperature = (at: number) => below(error, measure(at, { C: 1 }))
const percent = (at: number) => below(error, real(at))

/** In bars beside inches of mercury; some write pascals for the inches, and hectopascals for the bars. */
const pressure = firstOf(
  below(20e5, measure(2, { B: 1e5 })),
  hectopascals(2),
  measure(0, { I: 3386.389, P: 1 }),
)

export const marine: Readonly<Record<string, Sentence>> = {
  // Depth of water
  DBT: { columns: { depth: depthIn() } },
  DBS: { columns: { depth_below_surface: depthIn() } },
  DBK: { columns: { depth_below_keel: depthIn() } },
  DPT: { columns: { depth: real(0), depth_offset: offset(1), depth_range: real(2) } },

  // Wind
  MWD: {
    columns: {
      wind_direction: degrees(0, 'T', -180),
      wind_direction_magnetic: degrees(2, 'M', -180),
      // Some write metres in the place of knots, and end there.
      wind_speed: firstOf(measure(6, metresOnly), measure(4, { N: speeds.N, M: 1 })),
    },
  },
  MWV: { columns: {}, gate: status(4), more: windFromBow },
  VWR: { columns: { wind_angle_apparent: offBow(0), wind_speed_apparent: speedIn(2) } },
  VWT: { columns: { wind_angle_true: offBow(0), wind_speed_true: speedIn(2) } },
  VPW: {
    columns: { wind_vmg: firstOf(measure(2, metresOnly), measure(0, { N: speeds.N })) },
  },

  // Weather
  MDA: {
    columns: {
      pressure,
      air_temperature: temperature(4),
      water_temperature: temperature(6),
      humidity: percent(8),
      absolute_humidity: real(9),
      dew_point: temperature(10),
      wind_direction: degrees(12, 'T'),
      wind_direction_magnetic: degrees(14, 'M'),
      wind_speed: firstOf(measure(18, metresOnly), measure(16, { N: speeds.N })),
    },
  },
  MMB: { columns: { pressure } },
  MHU: {
    columns: { humidity: percent(0), absolute_humidity: real(1), dew_point: temperature(2) },
  },
  MTA: { columns: { air_temperature: temperature(0) } },
  MTW: { columns: { water_temperature: temperature(0) } },

  // Heading and motion
  HDM: { columns: { heading_magnetic: degrees(0, 'M', -180) } },
  HDG: {
    columns: {
      heading_compass: degrees(0),
      deviation: eastward(1),
      variation: eastward(3),
    },
  },
  VHW: {
    columns: {
      heading: degrees(0, 'T'),
      heading_magnetic: degrees(2, 'M'),
      water_speed: firstOf(measure(4, { N: speeds.N }), measure(6, { K: speeds.K })),
    },
  },
  VBW: {
    columns: {
      water_speed_ahead: when(2, real(0, speeds.N)),
      water_speed_across: when(2, real(1, speeds.N)),
      ground_speed_ahead: when(5, real(3, speeds.N)),
      ground_speed_across: when(5, real(4, speeds.N)),
      water_speed_stern: when(7, real(6, speeds.N)),
      ground_speed_stern: when(9, real(8, speeds.N)),
    },
  },
  VLW: {
    columns: {
      water_distance: measure(0, { N: lengths.N }),
      water_trip: measure(2, { N: lengths.N }),
      ground_distance: measure(4, { N: lengths.N }),
      ground_trip: measure(6, { N: lengths.N }),
    },
  },
  VDR: {
    columns: {
      current_direction: degrees(0, 'T'),
      current_direction_magnetic: degrees(2, 'M'),
      current_speed: measure(4, { N: speeds.N }),
    },
  },
  XTE: {
    gate: both(status(0), status(1)),
    columns: { cross_track: crossTrack(2) },
  },

  // Rudder, engines, transducers
  RSA: { columns: { rudder: when(1, real(0)), rudder_port: when(3, real(2)) } },
  RPM: { columns: { rotation: real(2), pitch: real(3) }, gate: status(4), more: whichEngine },
  XDR: { columns: {}, many: true, more: transducers },
}

/** No barometer reads twenty bars: these are hundreds of pascals, said to be bars. */
function hectopascals(at: number): Column {
  const bars = measure(at, { B: 100 })
  return (fields) => {
    const found = bars(fields)
    return typeof found === 'number' && (found <= 2000 || found > 2000e2) ? undefined : found
  }
}

/** Feet, metres and fathoms side by side: metres when they are filled. */
function depthIn(): Column {
  return firstOf(measure(2, metresOnly), measure(0, { f: lengths.f }), measure(4, { F: lengths.F }))
}

/** From the transducer. Plotters of Navico write a minus before the decimals as well: `-1.-4` is −1.4. */
function offset(at: number): Column {
  const value = real(at)
  return (fields) => {
    const number = value(fields)
    if (number !== bad) return number
    const [, metres, parts] = /^-?(\d{1,3})\.-(\d{1,3})$/.exec(field(fields, at)) ?? []
    return metres === undefined ? bad : tidy(-Number(`${metres}.${parts}`))
  }
}

/** Knots, metres per second and km/h side by side. */
function speedIn(at: number): Column {
  return firstOf(
    measure(at, { N: speeds.N }),
    measure(at + 2, metresOnly),
    measure(at + 4, { K: speeds.K }),
  )
}

/** The column, unless the status at `at` is void. */
function when(at: number, column: Column): Column {
  const valid = status(at)
  return (fields) => {
    const is = valid(fields)
    if (is === bad) return bad
    return is === true ? column(fields) : undefined
  }
}

function both(a: Column, b: Column): Column {
  return (fields) => {
    const [first, second] = [a(fields), b(fields)]
    return first === bad || second === bad ? bad : first !== false && second !== false
  }
}

/** Metres off the track, positive when the track is to the left: L says "steer left". */
function crossTrack(at: number): Column {
  const distance = real(at)
  return (fields) => {
    // The side stands between the number and its unit.
    const side = field(fields, at + 1)
    const plain = distance(fields)
    if (typeof plain !== 'number') return plain
    const scale = row({ N: 1852, K: 1000, M: 1 }, field(fields, at + 2))
    if (scale === undefined || (side !== 'L' && side !== 'R')) return bad
    return tidy(plain * scale * (side === 'L' ? 1 : -1))
  }
}

const angleOffBow = degrees(0, undefined, -180)

function windFromBow(fields: Fields, values: Record<string, Value>): More {
  const which = row({ R: 'apparent', T: 'true' }, field(fields, 1))
  const angle = angleOffBow(fields)
  const speed = measure(2, speeds)(fields)
  if (which === undefined || angle === bad || speed === bad) return bad
  if (angle !== undefined) values[`wind_angle_${which}`] = angle
  if (speed !== undefined) values[`wind_speed_${which}`] = speed
  return undefined
}

function whichEngine(fields: Fields): More {
  const source = row({ S: 'shaft', E: 'engine' }, field(fields, 0))
  const number = whole(1, 0, 99)(fields)
  if (source === undefined || typeof number !== 'number') return bad
  return { subject: `${source}-${number}` }
}
