/** Every field that NMEA 0183 sentences can bring. Details are for the bench, not for readings. */
import type { Field, Unit } from '../../runtime/sense/driver.ts'

/** What satellite receivers say. */
export const gnssFields: Readonly<Record<string, Field>> = {
  time: text("the talker's own UTC time, ISO 8601; without a date until one was heard"),
  lat: number('latitude, north positive', 'lat'),
  lon: number('longitude, east positive', 'lon'),
  alt: number('height above mean sea level', 'm'),
  geoid: number('height of mean sea level above the ellipsoid', 'm'),
  alt_ellipsoid: number('height above the WGS 84 ellipsoid', 'm'),
  speed: number('speed over ground', 'm/s'),
  climb: number('vertical speed, up positive', 'm/s'),
  course: number('course over ground, true', 'deg'),
  course_magnetic: number('course over ground, magnetic', 'deg'),
  variation: number('magnetic variation, east positive', 'deg'),
  valid: { title: 'the receiver vouches for its position', type: 'boolean' },
  fix: integer(
    'fix: 0 none, 1 GNSS, 2 differential, 3 PPS, 4 RTK, 5 RTK float, 6 estimated, 8 simulated',
  ),
  fix_type: integer('1 none, 2 two dimensions, 3 three dimensions'),
  mode: text(
    'autonomous, differential, precise, rtk, rtk float, estimated, manual, simulated, none',
  ),
  satellites: integer('satellites used'),
  hdop: number('horizontal dilution of precision'),
  pdop: number('position dilution of precision'),
  vdop: number('vertical dilution of precision'),
  tdop: number('time dilution of precision'),
  dgps_age: number('age of the differential corrections', 's'),
  dgps_station: text('differential reference station'),
  gps_in_view: integer('GPS satellites in view'),
  glonass_in_view: integer('GLONASS satellites in view'),
  galileo_in_view: integer('Galileo satellites in view'),
  beidou_in_view: integer('BeiDou satellites in view'),
  qzss_in_view: integer('QZSS satellites in view'),
  navic_in_view: integer('NavIC satellites in view'),
  in_view: integer('satellites in view, system not named'),
  range_rms: number('standard deviation of the ranges', 'm'),
  ellipse_major: number('error ellipse, semi-major axis', 'm'),
  ellipse_minor: number('error ellipse, semi-minor axis', 'm'),
  ellipse_course: number('error ellipse, direction of the major axis', 'deg'),
  lat_error: number('standard deviation of the latitude', 'm'),
  lon_error: number('standard deviation of the longitude', 'm'),
  alt_error: number('standard deviation of the altitude', 'm'),
  raim_lat_error: number('expected error of the latitude', 'm'),
  raim_lon_error: number('expected error of the longitude', 'm'),
  raim_alt_error: number('expected error of the altitude', 'm'),
  failed_satellite: integer('satellite that most likely failed'),
  failed_bias: number('estimated bias of that satellite', 'm'),
  horizontal_error: number('estimated horizontal error', 'm'),
  vertical_error: number('estimated vertical error', 'm'),
  spherical_error: number('estimated error of the position', 'm'),
  datum: text('datum of the positions; W84 is WGS 84'),
  heading: number('heading, true', 'deg'),
  rate_of_turn: number('rate of turn, to starboard positive', 'deg/s'),
  talker: detail(text('two letters: GP, GN, II …')),
  sentence: detail(text('three letters: GGA, RMC …; each transducer of XDR is a field `xdr_…`')),
  date: detail(text('the date alone, where no time came with it')),
  nav_status: detail(text("the receiver's navigational status")),
  modes: detail(text('mode letter of each constellation')),
  selection: detail(text('choice between two and three dimensions: manual, automatic')),
  used: detail(text('satellites used, by number')),
  system: detail(integer('GNSS system id')),
  signal: detail(integer('GNSS signal id')),
  messages: detail(integer('sentences of this message')),
  message: detail(integer('number of this sentence')),
  datum_lat_offset: detail(number('latitude offset to the reference datum', 'deg')),
  datum_lon_offset: detail(number('longitude offset to the reference datum', 'deg')),
  datum_alt_offset: detail(number('altitude offset to the reference datum', 'm')),
  datum_reference: detail(text('reference datum')),
  text: detail(text('a text of the receiver')),
  text_kind: detail(integer('kind of the text: 0 error, 1 warning, 2 notice, 7 user')),
  ...satelliteFields(),
}

/** What a ship's instruments say. */
export const marineFields: Readonly<Record<string, Field>> = {
  depth: number('depth of water below the transducer', 'm'),
  depth_offset: number('from the transducer to the waterline (positive) or keel (negative)', 'm'),
  depth_range: number('greatest depth of the range in use', 'm'),
  depth_below_surface: number('depth of water below the surface', 'm'),
  depth_below_keel: number('depth of water below the keel', 'm'),
  wind_direction: number('direction the wind comes from, true', 'deg'),
  wind_direction_magnetic: number('direction the wind comes from, magnetic', 'deg'),
  wind_speed: number('wind speed over ground', 'm/s'),
  wind_angle_apparent: number('apparent wind, clockwise from the bow', 'deg'),
  wind_speed_apparent: number('apparent wind speed', 'm/s'),
  wind_angle_true: number('true wind, clockwise from the bow', 'deg'),
  wind_speed_true: number('true wind speed', 'm/s'),
  wind_vmg: number('speed made good against the wind', 'm/s'),
  pressure: number('air pressure', 'Pa'),
  air_temperature: number('air temperature', 'Cel'),
  water_temperature: number('water temperature', 'Cel'),
  humidity: number('relative humidity', '%RH'),
  absolute_humidity: number('absolute humidity, as the talker counts it'),
  dew_point: number('dew point', 'Cel'),
  heading_magnetic: number('heading, magnetic', 'deg'),
  heading_compass: number('heading that the compass shows, before deviation', 'deg'),
  deviation: number('deviation of the compass, east positive', 'deg'),
  water_speed: number('speed through water', 'm/s'),
  water_speed_ahead: number('speed through water, ahead', 'm/s'),
  water_speed_across: number('speed through water, to starboard', 'm/s'),
  water_speed_stern: number('speed of the stern through water, to starboard', 'm/s'),
  ground_speed_ahead: number('speed over ground, ahead', 'm/s'),
  ground_speed_across: number('speed over ground, to starboard', 'm/s'),
  ground_speed_stern: number('speed of the stern over ground, to starboard', 'm/s'),
  water_distance: number('distance through water', 'm'),
  water_trip: number('distance through water since reset', 'm'),
  ground_distance: number('distance over ground', 'm'),
  ground_trip: number('distance over ground since reset', 'm'),
  current_direction: number('direction the current sets, true', 'deg'),
  current_direction_magnetic: number('direction the current sets, magnetic', 'deg'),
  current_speed: number('speed of the current', 'm/s'),
  cross_track: number('distance off the track, positive when the track is to the left', 'm'),
  rudder: number('rudder (starboard or only), to starboard positive', 'deg'),
  rudder_port: number('port rudder, to starboard positive', 'deg'),
  rotation: number('revolutions of the shaft or engine that is the subject', '1/min'),
  pitch: number('pitch of the propeller, ahead positive', '/100'),
}

function number(title: string, unit?: Unit): Field {
  return unit === undefined ? { title, type: 'number' } : { title, type: 'number', unit }
}

function integer(title: string): Field {
  return { title, type: 'integer' }
}

function text(title: string): Field {
  return { title, type: 'text' }
}

function detail(field: Field): Field {
  return { ...field, detail: true }
}

function satelliteFields(): Record<string, Field> {
  const four = [1, 2, 3, 4].map((n) => [
    [`sv${n}_id`, detail(integer(`number of satellite ${n} of this sentence`))],
    [`sv${n}_elevation`, detail(number('its elevation', 'deg'))],
    [`sv${n}_azimuth`, detail(number('its azimuth, true', 'deg'))],
    [`sv${n}_cn0`, detail(number('its carrier to noise in 1 Hz', 'dB'))],
  ])
  return Object.fromEntries(four.flat())
}
