import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { dated } from '../../drivers/nmea0183/time.ts'
import { capture, doubts, hear, sayings, sentence } from './bench.ts'

const only = (body: string, options = {}) => sayings(hear(nmea0183, sentence(body), options))[0]

test('values are in SI units and degrees, west and south negative', () => {
  const rmc = only('GPRMC,220516,A,5133.82,N,00042.24,W,173.8,231.8,130694,004.2,W')
  assert.equal(rmc?.time, '1994-06-13T22:05:16Z')
  assert.deepEqual(rmc?.values, {
    talker: 'GP',
    sentence: 'RMC',
    time: '1994-06-13T22:05:16Z',
    valid: true,
    lat: 51.563666667,
    lon: -0.704,
    speed: 89.410444444,
    course: 231.8,
    variation: -4.2,
  })
  assert.equal(only('GPVTG,220.86,T,,M,2.550,N,4.724,K,A')?.values.mode, 'autonomous')
  assert.equal(only('GPVTG,,T,,M,,N,36,K')?.values.speed, 10)
  assert.equal(only('HEROT,-30,A')?.values.rate_of_turn, -0.5)
})

test('every talker is read, and one of them alone when that is asked for', () => {
  for (const talker of [
    'GP',
    'GN',
    'GL',
    'GA',
    'BD',
    'GB',
    'QZ',
    'GQ',
    'GI',
    'II',
    'YD',
    'AI',
    '23',
  ]) {
    const body = `${talker}GGA,034225.077,3356.4650,S,15124.5567,E,1,03,9.7,-25.0,M,21.0,M,,0000`
    assert.equal(only(body)?.values.lat, -33.941083333, talker)
    assert.equal(only(body, { talker: 'XX' }), undefined)
    assert.equal(only(body, { talker })?.values.talker, talker)
  }
})

test('satellites in view are told by system, with signal ids of 4.11 and without', () => {
  const old = only('GLGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,12,13,06,292,00')?.values
  assert.equal(old?.glonass_in_view, 11)
  assert.equal(old?.sv4_azimuth, 292)
  assert.equal(old?.signal, undefined)
  const now = only('GAGSV,3,1,09,02,00,179,,04,09,321,,07,11,134,11,11,10,227,,A')?.values
  assert.deepEqual([now?.galileo_in_view, now?.signal, now?.sv3_cn0], [9, 10, 11])
})

test('without a fix there is no position, even when the receiver repeats one', () => {
  const gll = only('GPGLL,3926.7952,N,12000.5947,W,022732,V,N')?.values
  assert.deepEqual([gll?.valid, gll?.lat, gll?.time], [false, undefined, '02:27:32Z'])
  const gga = only('GPGGA,034225.077,3356.4650,S,15124.5567,E,0,00,99.9,-25.0,M,21.0,M,,')?.values
  assert.deepEqual([gga?.fix, gga?.lat, gga?.alt], [0, undefined, undefined])
})

test('a field that nobody can mean makes the sentence a doubt', () => {
  for (const body of [
    'GPGLL,9926.7952,N,12000.5947,W,022732,A,A',
    'GPGLL,3966.7952,N,12000.5947,W,022732,A,A',
    'GPGLL,3926.7952,X,12000.5947,W,022732,A,A',
    'GPGLL,3926.7952,N,-12000.5947,E,022732,A,A',
    'GPGLL,3926.7952,N,12000.5947,W,252732,A,A',
    'GPRMC,220516,A,5133.82,N,00042.24,W,1e3,231.8,130694,,',
    'GPRMC,220516,A,5133.82,N,00042.24,W,1.3,231.8,310294,,',
    'GPHDT,361,T',
  ]) {
    assert.deepEqual(doubts(hear(nmea0183, sentence(body))), ['bad field'], body)
  }
})

test('a sentence without checksum is a doubt, until the config says otherwise', () => {
  const line = '$GPHDT,123.456,T\r\n'
  assert.deepEqual(doubts(hear(nmea0183, line)), ['no checksum'])
  assert.equal(sayings(hear(nmea0183, line, { checksum: 'optional' }))[0]?.values.heading, 123.456)
})

test('takes any line end, checksums in small letters, and binary right behind a sentence', () => {
  const plain = sentence('GNGSV,1,1,00').trimEnd()
  const small = plain.replace(/..$/, (digits) => digits.toLowerCase())
  const ubx = '\u00b5b\u0001\u0007\u0003\u0000$\n!Z,'
  for (const between of ['\r\n', '\r', '\n', '\r\r\n', '', ubx, `${ubx}\r\n`, `\r\n${ubx}`]) {
    const bytes = Buffer.from([plain, small, plain].join(between), 'latin1')
    assert.equal(sayings(hear(nmea0183, bytes)).length, 3, JSON.stringify(between))
  }
})

test('what loggers write around a sentence is no part of it', () => {
  const plain = sentence('GPHDT,123.456,T').trimEnd()
  const log = `12:00:01 ${plain},d-109,S2105\r\n\\s:mast*12\\${plain}\r\n${plain}  \r\n`
  assert.equal(sayings(hear(nmea0183, log)).length, 3)
})

test('a sentence between UBX messages is found, and the rest is counted as skipped', () => {
  const heard = hear(nmea0183, capture('nmea0183/pygpsdata-mixed.log'))
  assert.equal(sayings(heard).length, 15)
  assert.deepEqual(doubts(heard), [])
})

test('a proprietary or unknown sentence is a doubt that names it', () => {
  for (const body of ['PSRF103,00,01,00,01', 'GPXYZ,1', 'U1XYZ,1', 'GNGGAH,1']) {
    const [heard] = hear(nmea0183, sentence(body))
    assert.deepEqual(heard?.said, {
      ok: false,
      doubt: 'unknown sentence',
      detail: body.split(',')[0],
    })
  }
})

test('a date heard once dates the sentences after it, on the right side of midnight', () => {
  const log =
    sentence('GPRMC,235959.5,A,5133.82,N,00042.24,W,0,,311223,,,A') +
    sentence('GPGLL,5133.82,N,00042.24,W,000000.25,A,A') +
    sentence('GPGLL,5133.82,N,00042.24,W,235959.75,A,A')
  assert.deepEqual(
    sayings(hear(nmea0183, log)).map(({ time }) => time),
    ['2023-12-31T23:59:59.5Z', '2024-01-01T00:00:00.25Z', '2023-12-31T23:59:59.75Z'],
  )
  assert.equal(dated('12:00:00Z'), undefined)
})

test('what stands for "not known" is absent, and the rest of the sentence is read', () => {
  const agnostic = only('GPRMC,113938.50,A,3842.86,N,11705.43,W,0.011,46.4,231122,999.9000,E,D')
  assert.deepEqual([agnostic?.values.variation, agnostic?.values.course], [undefined, 46.4])
  const dateless = only('GPRMC,000042.000,V,,,,,0.00,0.00,000000,,,N')
  assert.deepEqual([dateless?.values.valid, dateless?.values.time], [false, '00:00:42Z'])
  assert.equal(only('GPZDA,000042,00,00,0000,00,00')?.values.time, '00:00:42Z')
  // As plotters of Navico write it.
  assert.equal(only('GPZDA,195719,16,04,14,-02,00')?.time, '2014-04-16T19:57:19Z')
  assert.deepEqual(doubts(hear(nmea0183, sentence('HCHDG,101.1,,,190,E'))), ['bad field'])
})

test('what a talker may leave out or round is read', () => {
  const level = only('HCHDG,238.5,0.0,,0.0,')?.values
  assert.deepEqual([level?.deviation, level?.variation], [0, 0])
  assert.deepEqual(doubts(hear(nmea0183, sentence('HCHDG,238.5,,,7.1,'))), ['bad field'])
  assert.equal(only('GPGLL,4859.99999,N,00060.0000,W,120824.758,A')?.values.lon, -1)
  const short = only('GPGSV,1,1,03,22,42,067,42,24,14,311,43,27,05,244')?.values
  assert.deepEqual([short?.sv3_id, short?.sv3_azimuth, short?.sv3_cn0], [27, 244, undefined])
})

test('PQ is a talker, though P begins a proprietary sentence', () => {
  const view = only('PQGSV,2,1,08,02,20,116,,03,,,,05,34,137,,07,06,045,,0,4')?.values
  assert.deepEqual(
    [view?.talker, view?.beidou_in_view, view?.signal, view?.sv4_azimuth, view?.sv5_id],
    ['PQ', 8, 0, 45, undefined],
  )
  assert.equal(only('PQGSA,A,3,12,,,,,,,,,,,,2.9,1.3,2.6,4')?.values.system, 4)
  assert.equal(only('PQGSV,1,1,01,02,20,116,33,1,5')?.values.qzss_in_view, 1)
})

test('a dilution that is not known is absent, and a GSA with room for more satellites keeps its own', () => {
  const none = only('GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99')?.values
  assert.deepEqual(none, { talker: 'GP', sentence: 'GSA', selection: 'automatic', fix_type: 1 })
  assert.equal(only('GPGGA,,,,,,0,00,99.99,,,,,,')?.values.hdop, undefined)
  // As the Navior-24 CH-4701 says it.
  const long = only(
    'GPGSA,A,3,27,23,13,07,25,01,02,03,04,05,06,08,09,,,,,,,,,,,,07.9,06.0,05.2',
  )?.values
  assert.deepEqual([long?.pdop, long?.hdop, long?.vdop, long?.system], [7.9, 6, 5.2, undefined])
  assert.equal(long?.used, '27 23 13 07 25 01 02 03 04 05 06 08 09')
})

test('an address of a maker may be long, and a second dollar before it is passed over', () => {
  const said = hear(nmea0183, `$${sentence('PSTMANTENNASTATUS,0,0,0,0')}`)[0]?.said
  assert.deepEqual(said, { ok: false, doubt: 'unknown sentence', detail: 'PSTMANTENNASTATUS' })
  assert.equal(sayings(hear(nmea0183, `$${sentence('GPHDT,12,T')}`)).length, 1)
})

test('transducers of one name or number are told apart by their type', () => {
  const numbered = only('WIXDR,C,9.7,C,2,U,24.1,V,0,U,24.4,V,1,U,3.510,V,2')
  assert.deepEqual(
    [numbered?.values.xdr_c2, numbered?.values.xdr_u0, numbered?.values.xdr_u2],
    [9.7, 24.1, 3.51],
  )
  const named = only('IIXDR,C,20.5,C,AIR,H,40,P,AIR,P,1013.2,H,0,C,5,C,,C,21,C,AIR,C,22,C,AIR')
  const { talker, sentence: _, ...values } = named?.values ?? {}
  assert.deepEqual(values, {
    ...{ xdr_air: 20.5, xdr_air_h: 40, xdr_p0: 101_320, xdr_c3: 5, xdr_air_c: 21, xdr_air_c5: 22 },
  })
  assert.deepEqual(named?.units, {
    ...{ xdr_air: 'Cel', xdr_air_h: '%RH', xdr_p0: 'Pa', xdr_c3: 'Cel' },
    ...{ xdr_air_c: 'Cel', xdr_air_c5: 'Cel' },
  })
})

test('a letter that means a pressure in a barometer is percent elsewhere, and nothing in a generic one', () => {
  const tank = only('IIXDR,V,54,P,FUEL,P,101300,P,BARO,G,0.5,P,LEVEL,R,2.5,l,FLOW')
  assert.deepEqual(tank?.units, {
    ...{ xdr_fuel: '/100', xdr_baro: 'Pa', xdr_flow: 'm3/s' },
  })
  assert.deepEqual([tank?.values.xdr_level, tank?.values.xdr_flow], [0.5, 0.0025])
})

test('a list of transducers may end early or late, and have places that are empty', () => {
  // NASA Marine's wind meter, LCJ's CV7, and one that ends as positions end since NMEA 2.3.
  assert.equal(only('YXXDR,C,16,C')?.values.xdr_c0, 16)
  assert.equal(only('WIXDR,C,022.0,C,,')?.values.xdr_c0, 22)
  assert.equal(only('IIXDR,A,4,D,ROLL,A')?.values.xdr_roll, 4)
  assert.equal(only('IIXDR,,,,,C,4,C,AIR')?.values.xdr_air, 4)
  for (const cut of [
    'IIXDR,A,4,D,ROLL,A,3',
    'IIXDR,A,4,D,ROLL,34',
    'IIXDR,GPS_FAIL',
    'IIXDR,AB,4,D,ROLL',
  ])
    assert.deepEqual(doubts(hear(nmea0183, sentence(cut))), ['bad field'], cut)
})

test('a unit that nobody knows costs the unit, not the other transducers', () => {
  const station = only('WIXDR,C,+023.0,C,TEMP,Z,0120,W,SOLAR,Y,0.5,M,PRECIP,C,50,F,ROOF')
  assert.deepEqual(station?.units, { xdr_temp: 'Cel', xdr_roof: 'Cel' })
  const { talker, sentence: _, ...values } = station?.values ?? {}
  assert.deepEqual(values, { xdr_temp: 23, xdr_solar: 120, xdr_precip: 0.5, xdr_roof: 10 })
})

test('the weather stations of Vaisala say wind, rain and heating as transducers', () => {
  const wind = only('WIXDR,A,302,D,0,S,0.1,M,0,S,36,K,1,S,10,S,2')
  assert.deepEqual(
    [wind?.values.xdr_s0, wind?.values.xdr_s1, wind?.values.xdr_s2, wind?.units?.xdr_s0],
    [0.1, 10, 4.4704, 'm/s'],
  )
  const rain = only('WIXDR,V,0.02,M,0,Z,30,s,0,R,2.7,M,0,U,28.3,N,0')
  assert.deepEqual([rain?.values.xdr_v0, rain?.values.xdr_r0], [0.02, 2.7])
  assert.deepEqual(rain?.units, { xdr_z0: 's', xdr_u0: 'V' })
})

test('a pressure in pascals is one, whether or not the standard has room for it', () => {
  assert.equal(
    only('IIMDA,99700.0,P,,B,3.2,C,,C,,,,C,295.19,T,,M,5.7,N,2.93,M')?.values.pressure,
    99_700,
  )
})

test('transducers, engines and wind say what they measure in', () => {
  const xdr = sayings(hear(nmea0183, sentence('WIXDR,C,9.7,C,2,P,1.02,B,Baro,H,40,P,RH')))[0]
  assert.deepEqual(
    [xdr?.values.xdr_c2, xdr?.values.xdr_baro, xdr?.units],
    [9.7, 102_000, { xdr_c2: 'Cel', xdr_baro: 'Pa', xdr_rh: '%RH' }],
  )
  assert.equal(only('RCRPM,S,0,74.6,30.0,A')?.subject, 'shaft-0')
  assert.equal(only('IIVWR,024,L,018,N,,,,')?.values.wind_angle_apparent, 336)
  assert.equal(only('WIMWV,12.1,T,36,K,A')?.values.wind_speed_true, 10)
  assert.equal(only('IIDBT,,f,,M,10,F')?.values.depth, 18.288)
})
