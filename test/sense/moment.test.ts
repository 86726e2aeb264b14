import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { plantower } from '../../drivers/plantower.ts'
import type { Driver } from '../../runtime/sense/driver.ts'
import { type Moment, moments } from '../../runtime/sense/moment.ts'
import { capture, hear, sayings, sentence } from '../drivers/bench.ts'

function grouped(driver: Driver, bytes: Uint8Array | string): Moment<number>[] {
  const group = moments<number>(driver)
  const ended = sayings(hear(driver, bytes)).flatMap((saying, i) => group.push(saying, i))
  return [...ended, ...group.flush()]
}

test('sentences of one UTC time are one moment, in the order of the receiver', () => {
  const [first, second, ...more] = grouped(nmea0183, capture('nmea0183/pygpsdata-nmea2.log'))
  assert.equal(more.length, 0)
  assert.equal(first?.stamp, 0)
  assert.deepEqual(first?.values, {
    time: '2021-03-07T10:29:29Z',
    valid: true,
    lat: 53.450670667,
    lon: -2.24026,
    speed: 0.140443333,
    mode: 'autonomous',
    fix: 1,
    satellites: 8,
    hdop: 1.16,
    alt: 36.3,
    geoid: 48.5,
    fix_type: 3,
    pdop: 2.36,
    vdop: 2.05,
    gps_in_view: 15,
  })
  assert.equal(first?.units.speed, 'm/s')
  assert.equal(second?.values.time, '2021-03-07T10:29:30Z')
})

test('instruments without a clock begin a moment when they say the same again', () => {
  const wind = (angle: number) =>
    sentence(`WIMWV,${angle},R,5.0,M,A`) + sentence(`WIMWV,${angle + 9},T,6.0,M,A`)
  const found = grouped(nmea0183, wind(10) + wind(20) + sentence('INMTW,17.9,C') + wind(30))
  assert.deepEqual(
    found.map(({ values }) => [values.wind_angle_apparent, values.wind_angle_true]),
    [
      [10, 19],
      [20, 29],
      [30, 39],
    ],
  )
  assert.equal(found[1]?.values.water_temperature, 17.9)
})

test('subjects on one line have moments of their own', () => {
  const rpm = (engine: number, speed: number) => sentence(`ERRPM,E,${engine},${speed},0,A`)
  const found = grouped(nmea0183, rpm(1, 900) + rpm(2, 950) + rpm(1, 901))
  assert.deepEqual(
    found.map(({ subject, values }) => [subject, values.rotation]),
    [
      ['engine-1', 900],
      ['engine-2', 950],
      ['engine-1', 901],
    ],
  )
})

test('a moment of notices alone measures nothing, and holds no more frames than its bound', () => {
  const notices = sentence('GNTXT,01,01,02,hello').repeat(100)
  const found = grouped(nmea0183, notices)
  assert.equal(found.length, 2)
  for (const { values } of found) assert.deepEqual(values, {})
})

test('where frames are moments, each is one at once, without what is for the bench only', () => {
  const frame = Buffer.from('424d001400000000000000000000000000000000005100f4', 'hex')
  const [found] = grouped(plantower, Uint8Array.from([...frame, ...frame]))
  assert.deepEqual(found?.values, { pm1: 0, pm2_5: 0, pm10: 0 })
})
