/** Every field that UBX messages can bring, by the maker's names. Details are for the bench. */
import type { Field, Unit } from '../../runtime/sense/driver.ts'

export const ubxFields: Readonly<Record<string, Field>> = {
  time: { title: "the receiver's own UTC time, ISO 8601, where it vouches for it", type: 'text' },
  fullyResolved: truth('the time has no uncertainty of seconds left'),
  tAcc: number('accuracy of the time', 's'),
  lat: number('latitude, north positive', 'lat'),
  lon: number('longitude, east positive', 'lon'),
  height: number('height above the ellipsoid', 'm'),
  hMSL: number('height above mean sea level', 'm'),
  hAcc: number('horizontal accuracy', 'm'),
  vAcc: number('vertical accuracy', 'm'),
  velN: number('speed towards north', 'm/s'),
  velE: number('speed towards east', 'm/s'),
  velD: number('speed downwards', 'm/s'),
  gSpeed: number('speed over ground', 'm/s'),
  headMot: number('course over ground, true', 'deg'),
  sAcc: number('accuracy of the speed', 'm/s'),
  headAcc: number('accuracy of course and heading', 'deg'),
  headVeh: number('heading of the vehicle, true', 'deg'),
  magDec: number('magnetic declination, east positive', 'deg'),
  magAcc: number('accuracy of the declination', 'deg'),
  ecefX: number('earth-centred position, X', 'm'),
  ecefY: number('earth-centred position, Y', 'm'),
  ecefZ: number('earth-centred position, Z', 'm'),
  pAcc: number('accuracy of the position in space', 'm'),
  ecefVX: number('earth-centred speed, X', 'm/s'),
  ecefVY: number('earth-centred speed, Y', 'm/s'),
  ecefVZ: number('earth-centred speed, Z', 'm/s'),
  fixType: integer(
    'NAV-PVT: 0 none, 1 dead reckoning, 2 two dimensions, 3 three, 4 with dead reckoning, 5 time only',
  ),
  gpsFix: integer('NAV-STATUS and NAV-SOL: the same, by the same numbers'),
  gnssFixOk: truth('NAV-PVT: the fix is within the limits set for it'),
  gpsFixOk: truth('NAV-STATUS: the fix is within the limits set for it'),
  gpsfixOK: truth('NAV-SOL: the fix is within the limits set for it'),
  diffSoln: truth('differential corrections were applied'),
  carrSoln: integer('carrier phase: 0 none, 1 float, 2 fixed'),
  lastCorrectionAge: integer(
    'age of the corrections: 1 under 1 s, 2 under 2 s … 12 two minutes or more',
  ),
  psmState: integer('power saving: 0 acquiring, 1 tracking and so on'),
  spoofDetState: integer('spoofing: 0 not known, 1 no sign of it, 2 signs, 3 several signs'),
  numSV: integer('satellites used'),
  numSvs: integer('satellites in view'),
  svUsed: integer('satellites used, counted in the list'),
  gps_in_view: integer('GPS satellites in view'),
  sbas_in_view: integer('SBAS satellites in view'),
  galileo_in_view: integer('Galileo satellites in view'),
  beidou_in_view: integer('BeiDou satellites in view'),
  imes_in_view: integer('IMES beacons in view'),
  qzss_in_view: integer('QZSS satellites in view'),
  glonass_in_view: integer('GLONASS satellites in view'),
  navic_in_view: integer('NavIC satellites in view'),
  gDOP: number('geometric dilution of precision'),
  pDOP: number('position dilution of precision'),
  tDOP: number('time dilution of precision'),
  vDOP: number('vertical dilution of precision'),
  hDOP: number('horizontal dilution of precision'),
  nDOP: number('northing dilution of precision'),
  eDOP: number('easting dilution of precision'),
  ttff: number('from start to first fix', 's'),
  msss: number('since start', 's'),
  msg: detail({ title: 'the message: NAV-PVT, NAV-SAT …', type: 'text' }),
  iTOW: detail(number('GPS time of week', 's')),
  week: detail(integer('GPS week')),
  wknSet: detail(truth('the week is known')),
  towSet: detail(truth('the time of week is known')),
  svId: detail({
    title: 'satellites, as RINEX writes them; the lists below in this order',
    type: 'text',
  }),
  cno: detail({ title: 'their carriers to noise, dBHz', type: 'text' }),
  elev: detail({ title: 'their elevations, degrees', type: 'text' }),
  azim: detail({ title: 'their azimuths, degrees', type: 'text' }),
  prRes: detail({ title: 'their residuals, metres', type: 'text' }),
  qualityInd: detail({
    title: 'qualities of their signals: 0 none … 4 code locked, 5 to 7 carrier too',
    type: 'text',
  }),
  used: detail({ title: 'the satellites used', type: 'text' }),
  swVersion: detail({ title: 'version of the firmware', type: 'text' }),
  hwVersion: detail({ title: 'version of the hardware', type: 'text' }),
  extension: detail({ title: 'what else the receiver says of itself', type: 'text' }),
  protVer: detail(number('version of the protocol')),
}

function number(title: string, unit?: Unit): Field {
  return unit === undefined ? { title, type: 'number' } : { title, type: 'number', unit }
}

function integer(title: string): Field {
  return { title, type: 'integer' }
}

function truth(title: string): Field {
  return { title, type: 'boolean' }
}

function detail(field: Field): Field {
  return { ...field, detail: true }
}
