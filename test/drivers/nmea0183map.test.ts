/** Every sentence and log of the captures against the map, and what other decoders read in them. */
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { type Case, holdMap, type Names } from './maps.ts'

const knot = 1852 / 3600
const mile = 1852

/** By sentence: their field → ours, and by how much theirs is multiplied. */
const sentences: Readonly<Record<string, Names>> = {
  GGA: {
    NumSatellites: ['satellites', 1],
    Altitude: ['alt', 1],
    Separation: ['geoid', 1],
    DGPSId: ['dgps_station', 1],
    DGPSAge: null,
  },
  GNS: {
    SVs: ['satellites', 1],
    Altitude: ['alt', 1],
    Separation: ['geoid', 1],
    Age: ['dgps_age', 1],
    Station: ['dgps_station', 1],
  },
  RMC: { Speed: ['speed', knot], Course: ['course', 1], Variation: ['variation', 1] },
  VTG: {
    TrueTrack: ['course', 1],
    MagneticTrack: ['course_magnetic', 1],
    GroundSpeedKnots: ['speed', knot],
  },
  GSV: {
    TotalMessages: ['messages', 1],
    MessageNumber: ['message', 1],
    // Ours is named by the system; the tests of sentences hold it.
    NumberSVsInView: null,
    ...ofFour('SVPRNNumber', 'id'),
    ...ofFour('Elevation', 'elevation'),
    ...ofFour('Azimuth', 'azimuth'),
    ...ofFour('SNR', 'cn0'),
    SystemID: null,
  },
  GLL: {},
  GSA: { FixType: null, SystemID: ['system', 1] },
  // A date in parts; `flat` puts it together. Offsets are of the local clock.
  ZDA: { Day: null, Month: null, Year: null, OffsetHours: null, OffsetMinutes: null },
  HDT: { Heading: ['heading', 1] },
  HDM: { Heading: ['heading_magnetic', 1] },
  HDG: {
    Heading: ['heading_compass', 1],
    Deviation: ['deviation', 1],
    Variation: ['variation', 1],
  },
  THS: { Heading: ['heading', 1] },
  ROT: { RateOfTurn: ['rate_of_turn', 1 / 60] },
  VHW: {
    TrueHeading: ['heading', 1],
    MagneticHeading: ['heading_magnetic', 1],
    SpeedThroughWaterKnots: ['water_speed', knot],
  },
  DBT: { DepthMeters: ['depth', 1] },
  DBS: { DepthMeters: ['depth_below_surface', 1] },
  DBK: { DepthMeters: ['depth_below_keel', 1] },
  DPT: { Depth: ['depth', 1], Offset: ['depth_offset', 1], RangeScale: ['depth_range', 1] },
  MWV: { WindAngle: ['wind_angle_true', 1], WindSpeed: ['wind_speed_true', knot] },
  MWD: {
    WindDirectionTrue: ['wind_direction', 1],
    WindDirectionMagnetic: ['wind_direction_magnetic', 1],
    WindSpeedMeters: ['wind_speed', 1],
  },
  MDA: {
    PressureBar: ['pressure', 1e5],
    AirTemp: ['air_temperature', 1],
    WaterTemp: ['water_temperature', 1],
    RelativeHum: ['humidity', 1],
    AbsoluteHum: ['absolute_humidity', 1],
    DewPoint: ['dew_point', 1],
    WindDirectionTrue: ['wind_direction', 1],
    WindDirectionMagnetic: ['wind_direction_magnetic', 1],
    WindSpeedMeters: ['wind_speed', 1],
  },
  MTA: { Temperature: ['air_temperature', 1] },
  MTW: { Temperature: ['water_temperature', 1] },
  RPM: { EngineNumber: null, SpeedRPM: ['rotation', 1], PitchPercent: ['pitch', 1] },
  RSA: { StarboardRudderAngle: ['rudder', 1], PortRudderAngle: ['rudder_port', 1] },
  VBW: {
    LongitudinalWaterSpeedKnots: ['water_speed_ahead', knot],
    TransverseWaterSpeedKnots: ['water_speed_across', knot],
  },
  VDR: {
    SetDegreesTrue: ['current_direction', 1],
    SetDegreesMagnetic: ['current_direction_magnetic', 1],
    DriftKnots: ['current_speed', knot],
  },
  VLW: {
    TotalInWater: ['water_distance', mile],
    SinceResetInWater: ['water_trip', mile],
    TotalOnGround: ['ground_distance', mile],
    SinceResetOnGround: ['ground_trip', mile],
  },
  VPW: { SpeedMPS: ['wind_vmg', 1] },
  // Left is the other way round from the bow.
  VWR: { MeasuredAngle: ['wind_angle_apparent', 1], SpeedKnots: ['wind_speed_apparent', knot] },
  VWT: { TrueAngle: ['wind_angle_true', 1], SpeedKnots: ['wind_speed_true', knot] },
  // Named by what they are; the tests of sentences hold them.
  XDR: Object.fromEntries(
    ['', 2, 3, 4, 5].flatMap((n) => [
      [`Value${n}`, null],
      [`TransducerName${n}`, null],
    ]),
  ),
  PGRME: {
    Horizontal: ['horizontal_error', 1],
    Vertical: ['vertical_error', 1],
    Spherical: ['spherical_error', 1],
  },
  DTM: {
    LocalDatumCode: ['datum', 1],
    LatitudeOffsetMinute: ['datum_lat_offset', 1 / 60],
    LongitudeOffsetMinute: ['datum_lon_offset', 1 / 60],
    AltitudeOffsetMeters: ['datum_alt_offset', 1],
    DatumName: ['datum_reference', 1],
  },
  TXT: {
    TotalNumber: ['messages', 1],
    Number: ['message', 1],
    ID: ['text_kind', 1],
    Message: ['text', 1],
  },
}

const everywhere: Names = {
  Latitude: ['lat', 1],
  Longitude: ['lon', 1],
  time: ['time', 1],
  HDOP: ['hdop', 1],
  PDOP: ['pdop', 1],
  VDOP: ['vdop', 1],
}

const names: Names = Object.fromEntries(
  Object.entries(sentences).flatMap(([type, fields]) =>
    Object.entries({ ...everywhere, ...fields }).map(([name, ours]) => [`${type}.${name}`, ours]),
  ),
)

/** The second of a kind is called `Azimuth2` here. */
function ofFour(theirs: string, ours: string): Names {
  return Object.fromEntries(['', 2, 3, 4].map((n) => [`${theirs}${n}`, [`sv${n || 1}_${ours}`, 1]]))
}

/** Units, states and letters, and the same amount once more in another unit. */
const beside =
  /(Valid|Validity|Unit|Type|Status|Mode|Quality|Direction|DirectionBow|Reference|Feet|Fathoms|KPH|Inch|Subcode|Source|True|Raw|Talker|Checksum|Hour|Minute|Second|Millisecond|DD|MM|YY)$/
const again: Readonly<Record<string, readonly string[]>> = {
  ...{ MDA: ['WindSpeedKnots'], MWD: ['WindSpeedKnots'], VPW: ['SpeedKnots'] },
  ...{ VWR: ['SpeedMPS'], VWT: ['SpeedMPS'] },
}

/**
 * Theirs is the text of a structure: `Speed: 173.8, Latitude: MustParseGPS("5133.82 N"), Date: Date{…}`.
 * Their zero also stands for an empty field, so it proves nothing, and an empty text neither.
 */
function flat(expect: Case['expect']): Readonly<Record<string, unknown>> {
  const type = String(expect.type ?? '').replace(/^G[PNL](?=[A-Z]{3}$)/, '')
  const text = String(expect.fields_text ?? '').replace(/BaseSentence\{.*?\{.*?\}.*?\},/, '')
  const found: Record<string, unknown> = {}
  const times: Record<string, number> = {}
  for (const [, name = '', number, place, words] of text.matchAll(field)) {
    const value = number !== undefined ? Number(number) : place ? degrees(place) : words
    if (beside.test(name) || again[type]?.includes(name)) continue
    times[name] = (times[name] ?? 0) + 1
    const nth = times[name] === 1 ? '' : times[name]
    if (value !== undefined && value !== 0 && value !== '') found[`${type}.${name}${nth}`] = value
  }
  const time = timeOf(text)
  const west = (of: string) => new RegExp(`${of}Direction: (West|South)`).test(text)
  for (const name of ['Variation', 'Deviation']) {
    const key = `${type}.${name}`
    if (found[key] !== undefined && west(name)) found[key] = -Number(found[key])
  }
  for (const name of ['MeasuredAngle', 'TrueAngle']) {
    const key = `${type}.${name}`
    if (found[key] !== undefined && /Bow: Left/.test(text)) found[key] = 360 - Number(found[key])
  }
  return time === undefined ? found : { ...found, [`${type}.time`]: time }
}

const field = /(\w+): (?:(-?\d+(?:\.\d+)?)(?=[,}\s]|$)|MustParse\w+\("([^"]+)"\)|"([^"]*)"|\w+)/g

/** `5133.82 N`. */
function degrees(text: string): number {
  const [, whole = '', minutes = '', letter = ''] = /^(\d+)(\d\d\.\d+) ([NSEW])$/.exec(text) ?? []
  return (Number(whole) + Number(minutes) / 60) * (/[SW]/.test(letter) ? -1 : 1)
}

/** `Time{true, 22, 05, 16, 0}` or the same with names, and a date beside it in either form. */
function timeOf(text: string): string | undefined {
  const [, inside] = /Time: Time\{([^}]*)\}/.exec(text) ?? []
  const [hour = '', minute = '', second = '', ms = '0'] = inside?.match(/\d+/g) ?? []
  if (inside === undefined || !inside.includes('true')) return undefined
  const two = (part: string) => part.padStart(2, '0')
  const fraction = Number(ms) === 0 ? '' : `.${ms.padStart(3, '0').replace(/0+$/, '')}`
  const clock = `${two(hour)}:${two(minute)}:${two(second)}${fraction}Z`
  const [dd, mm = '', yy = ''] = /Date: Date\{([^}]*)\}/.exec(text)?.[1]?.match(/\d+/g) ?? []
  if (dd !== undefined)
    return `${Number(yy) < 80 ? 20 : 19}${two(yy)}-${two(mm)}-${two(dd)}T${clock}`
  const [, day, month, year] = /Day: (\d+), Month: (\d+), Year: (\d+)/.exec(text) ?? []
  return day === undefined ? clock : `${year}-${two(month ?? '')}-${two(day)}T${clock}`
}

const files = ['cases-go-nmea.json', 'cases-pynmeagps.json', 'cases-receivers.json']
holdMap('nmea0183', nmea0183, names, { flat, near: 1e-6, files })
