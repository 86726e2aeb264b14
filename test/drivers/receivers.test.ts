/** What receivers and instruments in the field write otherwise than the standard does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { doubts, hear, sayings, sentence } from './bench.ts'

const valuesOf = (body: string) => sayings(hear(nmea0183, sentence(body)))[0]?.values
const doubtsOf = (body: string) => doubts(hear(nmea0183, sentence(body)))

test('nought needs no side, whatever stands there instead', () => {
  // Motorola's T805 leaves out the side, and its mode takes that place; Furuno writes another nought.
  const motorola = valuesOf('GPRMC,212607.891,A,4221.1,N,07103.5,W,0.1,12,181207,0,A')
  assert.deepEqual([motorola?.variation, motorola?.valid], [0, true])
  assert.equal(valuesOf('GPRMC,010341.06,A,0123.4,N,10350.9,E,0,0,220115,0,0,A')?.variation, 0)
  assert.deepEqual(doubtsOf('GPRMC,010341.06,A,0123.4,N,10350.9,E,0,0,220115,3,0,A'), ['bad field'])
})

test('nought to the west is nought, not less than nothing', () => {
  assert.ok(Object.is(valuesOf('HCHDG,238.5,0.0,W,0.0,W')?.deviation, 0))
})

test('a GLL with status and mode the wrong way round is void all the same', () => {
  // Magellan's eXplorist 110 before its first fix.
  const void_ = valuesOf('GPGLL,3728.0549,N,12213.8639,W,014413.076,N,V')
  assert.deepEqual([void_?.valid, void_?.lat, void_?.time], [false, undefined, '01:44:13.076Z'])
})

test('an ellipse may be turned to the west of north', () => {
  // SkyTraq counts from -180 to 180.
  const west = valuesOf('GPGST,213122.000,15.7,22.8,11.6,-1.1,0.4,0.6,1.3')
  assert.deepEqual([west?.ellipse_course, west?.lat_error], [358.9, 0.4])
  assert.deepEqual(doubtsOf('GPGST,213122.000,15.7,22.8,11.6,-181,0.4,0.6,1.3'), ['bad field'])
})

test('a text may stand alone', () => {
  const st = valuesOf('GPTXT,DEFAULT PVT CONFIGURATION')
  assert.deepEqual([st?.text, st?.messages], ['DEFAULT PVT CONFIGURATION', undefined])
  assert.equal(valuesOf('GPTXT,01,01,02,ANTSTATUS=OK')?.text, 'ANTSTATUS=OK')
})

test('a wind in metres a second may stand where knots belong', () => {
  assert.equal(valuesOf('IIMWD,322.8,T,333.9,M,4.5,M')?.wind_speed, 4.5)
  assert.equal(valuesOf('IIMWD,322.8,T,333.9,M,36,N,18.5,M')?.wind_speed, 18.5)
})

test('an anemometer may count in miles an hour and in feet a minute', () => {
  // As Gill's WindObserver writes them.
  assert.equal(valuesOf('IIMWV,120,R,10,P,A')?.wind_speed_apparent, 4.4704)
  assert.equal(valuesOf('IIMWV,120,R,1000,F,A')?.wind_speed_apparent, 5.08)
})

test('a reading that a weather station could not take is absent', () => {
  // Stations of Lambrecht write nines, and hectopascals that they call bars.
  assert.deepEqual(doubtsOf('WIMTA,999.9,C'), ['empty'])
  assert.deepEqual(doubtsOf('WIMMB,,,9999.9,B'), ['empty'])
  assert.equal(valuesOf('WIMTA, -25.0, C')?.air_temperature, -25)
  assert.equal(valuesOf('WIMMB, , ,1050.0, B')?.pressure, 105_000)
  assert.equal(valuesOf('WIMMB,29.92,I,1.0132,B')?.pressure, 101_320)
  const humid = valuesOf('WIMHU,999.9,,15.4,C')
  assert.deepEqual([humid?.humidity, humid?.dew_point], [undefined, 15.4])
})

test('a transducer may have a unit in letters, and a generic one may say its name', () => {
  const angles = sayings(hear(nmea0183, sentence('DHXDR,X,2.72,rad,HDT,C,9.5,C,AIR')))[0]
  assert.deepEqual([angles?.values.xdr_hdt, angles?.values.xdr_air], [2.72, 9.5])
  assert.deepEqual(angles?.units, { xdr_air: 'Cel' })
  // The supervisor's message of Vaisala's WXT536.
  const supervisor = valuesOf('WIXDR,C,20.4,C,2,U,12.0,N,0,U,12.5,V,1,U,3.460,V,2,G,HEL/___,,4')
  assert.deepEqual([supervisor?.xdr_u2, supervisor?.xdr_g4], [3.46, 'HEL/___'])
})

test('before its first fix a receiver may be anywhere, even off the map', () => {
  // Rayming's TN-200: 360 degrees north, which nobody has to believe, since it says that it is void.
  const rmc = valuesOf('GPRMC,000452.981,V,36000.0000,N,72000.0000,E,0.000000,,190120,,')
  assert.deepEqual(rmc, {
    ...{ talker: 'GP', sentence: 'RMC', time: '2020-01-19T00:04:52.981Z', valid: false },
  })
  assert.equal(valuesOf('GPGLL,36000.0000,N,72000.0000,E,000452.981,V')?.valid, false)
  assert.equal(valuesOf('GPGGA,000452,36000.0,N,72000.0,E,0,00,50.0,,,,,,')?.fix, 0)
  for (const told of ['GPGLL,36000.0000,N,72000.0000,E,000452.981,A', 'GPGLL,36000.0,N,72000.0,E'])
    assert.deepEqual(doubtsOf(told), ['bad field'])
  // What is no place must hold all the same.
  assert.deepEqual(doubtsOf('GPRMC,250452.981,V,,,,,,,190120,,'), ['bad field'])
})

test('a fourth dilution of a GSA is that of time, one letter there the system', () => {
  const time = valuesOf('BDGSA,A,3,02,03,04,,,,,,,,,,5.1,1.3,4.9,3.3')
  assert.deepEqual([time?.vdop, time?.tdop, time?.system], [4.9, 3.3, undefined])
  const system = valuesOf('GNGSA,A,3,02,03,04,,,,,,,,,,5.1,1.3,4.9,4')
  assert.deepEqual([system?.tdop, system?.system], [undefined, 4])
  assert.deepEqual(doubtsOf('GNGSA,A,3,02,03,04,,,,,,,,,,5.1,1.3,4.9,3x3'), ['bad field'])
})

test('a dilution of nought is none', () => {
  // With two dimensions only, a Haicom 305N has no vertical one; others know none at all.
  const flat = valuesOf('GPGSA,A,2,05,12,30,,,,,,,,,,17.0,17.0,0.0')
  assert.deepEqual([flat?.pdop, flat?.hdop, flat?.vdop], [17, 17, undefined])
  assert.equal(valuesOf('GPGGA,014413.08,,,,,0,00,0.0,,,,,,')?.hdop, undefined)
})

test('the keel is as deep as a plotter of Navico means it, though it writes its minus twice', () => {
  assert.deepEqual(
    ['24.6,-1.-1,', '24.6,0.-4,', '24.6,-1.1,', '24.6,,'].map(
      (depths) => valuesOf(`SDDPT,${depths}`)?.depth_offset,
    ),
    [-1.1, -0.4, -1.1, undefined],
  )
  assert.equal(valuesOf('SDDPT,24.6,-1.-1,')?.depth, 24.6)
  assert.deepEqual(doubtsOf('SDDPT,24.6,--1.1,'), ['bad field'])
  assert.deepEqual(doubtsOf('SDDPT,-2.-4,0,'), ['bad field'])
})

test('a wind to port may be less than nought, and so may a heading', () => {
  // Pypilot and gateways of Signal K.
  assert.equal(valuesOf('APMWV,-45.5,R,10,N,A')?.wind_angle_apparent, 314.5)
  const true_ = valuesOf('IIMWD,-10,T,-12.5,M,5,N,2.6,M')
  assert.deepEqual([true_?.wind_direction, true_?.wind_direction_magnetic], [350, 347.5])
  assert.equal(valuesOf('APHDM,-5,M')?.heading_magnetic, 355)
  assert.deepEqual(doubtsOf('APMWV,-181,R,10,N,A'), ['bad field'])
  assert.deepEqual(doubtsOf('GPVTG,-5,T,,M,1,N,,K'), ['bad field'])
})

test('degrees may have a nought too many before them', () => {
  const place = valuesOf('GPGLL,05234.5,N,000512.25,E,120000,A')
  assert.deepEqual([place?.lat, place?.lon], [52.575, 5.204166667])
  assert.deepEqual(doubtsOf('GPGLL,5234.5,N,018112.25,E,120000,A'), ['bad field'])
})
