/** What holds for every driver, the next one too. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { drivers } from '../../drivers/index.ts'
import { driversPage } from '../../runtime/commands/drivers.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { unitsOf } from '../../runtime/sense/driver.ts'
import { moments } from '../../runtime/sense/moment.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { isFieldName, isSubject } from '../../runtime/wire/reading.ts'
import { isUnit } from '../../runtime/wire/units.ts'
import { sayings } from './bench.ts'

test('docs/drivers.md says what the drivers say', () => {
  const page = readFileSync(new URL('../../docs/drivers.md', import.meta.url), 'utf8')
  assert.equal(page, driversPage(drivers), 'write it anew: wayside drivers --markdown')
})

test('names are unique, among drivers and models', () => {
  const names = drivers.flatMap(({ id, models }) => [id, ...Object.keys(models)])
  assert.deepEqual([...new Set(names)], names)
})

for (const driver of drivers) {
  test(`${driver.id}: what a model brings are fields of readings`, () => {
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
}
