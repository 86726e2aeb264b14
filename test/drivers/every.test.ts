/** What holds for every driver, the next one too. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { drivers } from '../../drivers/index.ts'
import { driversPage } from '../../runtime/commands/drivers.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { type Driver, unitsOf } from '../../runtime/sense/driver.ts'
import { cutter } from '../../runtime/sense/frame.ts'
import { moments } from '../../runtime/sense/moment.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { isFieldName, isSubject } from '../../runtime/wire/reading.ts'
import { isUnit } from '../../runtime/wire/units.ts'
import { capture, hear, sayings } from './bench.ts'

test('docs/drivers.md says what the drivers say', () => {
  const page = readFileSync(new URL('../../docs/drivers.md', import.meta.url), 'utf8')
  assert.equal(page, driversPage(drivers), 'write it anew: wayside drivers --markdown')
})

test('names are unique, among drivers and models', () => {
  const names = drivers.flatMap(({ id, models }) => [id, ...Object.keys(models)])
  assert.deepEqual([...new Set(names)], names)
})

for (const driver of drivers) {
  test(`${driver.id}: names, units and limits are such as the wire and the supervisor take`, () => {
    assert.match(driver.id, /^[a-z][a-z0-9-]{1,30}$/)
    assert.ok(driver.silenceMs >= 1_000)
    assert.ok(driver.shape.sizeMax <= 16_384)
    for (const [name, { title, unit }] of Object.entries(driver.fields)) {
      assert.ok(isFieldName(name), name)
      assert.ok(title.length > 0 && title.length < 100)
      assert.ok(unit === undefined || isUnit(unit), unit)
    }
    for (const options of Object.values(driver.models)) {
      const brings = driver.fieldsWith?.(readOptions(driver, options)) ?? []
      for (const name of brings) {
        assert.ok(driver.fields[name] !== undefined && !driver.fields[name].detail, name)
      }
    }
  })

  test(`${driver.id}: any bytes give sayings that the wire takes, or doubts, and never throw`, () => {
    const { starts } = driver.shape
    const byte = fc.oneof(fc.constantFrom(...starts, 0x4d, 0x2c, 0x2a), fc.nat(255))
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 120 }), { maxLength: 5 }), (chunks) => {
        const work = decoder(driver, readOptions(driver))
        const group = moments<number>(driver)
        const heard = [...chunks.flatMap((c) => work.push(Uint8Array.from(c))), ...work.finish()]
        for (const saying of sayings(heard)) {
          assert.ok(Object.keys(saying.values).every(isFieldName))
          assert.ok(saying.subject === undefined || isSubject(saying.subject))
          assert.ok(Object.values(unitsOf(driver, saying)).every(isUnit))
          group.push(saying, 0)
        }
        group.flush()
      }),
    )
  })

  if (driver.check === undefined) {
    test(`${driver.id}: nothing guards its frames, and every saying of it says so`, () => {
      const said = sayings(hear(driver, sampleOf(driver)))
      assert.ok(said.length > 0)
      assert.ok(said.every(({ unchecked }) => unchecked))
      assert.ok('unchecked' in driver.fields)
    })
    continue
  }

  test(`${driver.id}: a frame with any one bit wrong is cut with a flaw or not at all`, () => {
    const sample = sampleOf(driver)
    const truth = sayings(hear(driver, sample)).map(({ values }) => values)
    for (let bit = 0; bit < 8 * sample.length; bit += 1) {
      const frame = sample.slice()
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const cut = cutter(driver.shape)
      const intact = [...cut.push(frame), ...cut.finish()].filter(({ flaw }) => !flaw)
      for (const { values } of intact.flatMap(({ bytes }) => sayings(hear(driver, bytes)))) {
        assert.deepEqual([values], truth, `bit ${bit}`)
      }
    }
  })
}

function sampleOf({ id }: Driver): Uint8Array {
  return samples[id] ?? assert.fail(`a sample frame of ${id} is missing`)
}

/** One intact frame of each driver. */
const samples: Readonly<Record<string, Uint8Array>> = {
  plantower: Buffer.from('424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599', 'hex'),
  sds011: Buffer.from('aac0d4043a0aa1601dab', 'hex'),
  mhz19: Buffer.from('ff86026047000000d1', 'hex'),
  sps30: Buffer.from(
    '7e0003002840a78320411777bb414a5f8341548ddd41d2833e427d33fc85422617224229a4d9422a29bc3f55b7e79e7e',
    'hex',
  ),
  nmea0183: Buffer.from(
    '$GNGGA,104113.00,5327.03557,N,00214.42234,W,1,05,8.68,65.4,M,48.5,M,,*68\r\n',
  ),
  ubx: capture('ubx/pygpsdata-NAV.log').subarray(0, 100),
  // As the smart shunt of the captures sent it.
  vedirect: Buffer.from(
    '\r\nPID\t0xA389\r\nV\t12868\r\nVS\t-12\r\nI\t0\r\nP\t0\r\nCE\t0\r\nSOC\t1000\r\nTTG\t-1\r\nAlarm\tOFF\r\n' +
      'AR\t0\r\nBMV\tSmartShunt 500A/50mV\r\nFW\t0405\r\nChecksum\tK',
  ),
  modbus: Buffer.from('1103006b00037687', 'hex'),
  dsmr: capture('dsmr/TELEGRAM_UNPADDED_CRC.txt'),
  d0: Buffer.from('\x021.8.0(000285.4*kWh)\r\n!\r\n\x03q'),
  sml: capture('sml/smartmeter-obis-ttyUSB0-2.dump').subarray(0, 324),
  lines: Buffer.from('{"t":23.5,"h":40}\nt=23.5;h=40\n'),
}
