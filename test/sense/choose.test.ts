import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { drivers } from '../../drivers/index.ts'
import { Fault } from '../../runtime/faults.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import {
  document,
  flag,
  hexKey,
  lapse,
  type Option,
  readOptions,
  whole,
} from '../../runtime/sense/options.ts'

const thrown = (run: () => unknown): Fault => {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  return assert.fail('no fault')
}

test('a driver is chosen by its name, by a model, or by both', () => {
  for (const name of ['plantower.pms5003t', 'pms5003t', 'PMS5003T']) {
    const { driver, options } = chooseDriver(drivers, name)
    assert.equal(driver.id, 'plantower')
    assert.equal(options.variant, 'pms5003t')
  }
  assert.equal(chooseDriver(drivers, 'plantower').options.variant, 'auto')
  const { options } = chooseDriver(drivers, 'pms5003', { variant: 'pms7003' })
  assert.equal(options.variant, 'pms7003')
})

test('an unknown driver is a fault that names the nearest', () => {
  const fault = thrown(() => chooseDriver(drivers, 'nmea183'))
  assert.equal(fault.code, 'DRIVER_UNKNOWN')
  assert.equal(fault.exit, 2)
  assert.match(fault.cure, /nmea0183/)
})

test('an unknown option and a value that may not be are faults that say what may', () => {
  const unknown = thrown(() => chooseDriver(drivers, 'plantower', { model: 'x' }))
  assert.match(unknown.message, /it has variant/)
  const wrong = thrown(() => chooseDriver(drivers, 'plantower', { variant: 'sds011' }))
  assert.match(wrong.cure, /pms5003st/)
})

const options: Readonly<Record<string, Option>> = {
  address: whole('slave address', 1, 247, 1),
  key: hexKey('key of the meter', 16),
  strict: flag('be strict', false),
}

test('options are read as typed in yaml or on the command line, and fall back', () => {
  const driver = { id: 'x', options }
  assert.deepEqual(readOptions(driver), { address: 1, strict: false })
  const key = 'AB'.repeat(16)
  for (const written of [
    { address: 17, strict: true, key },
    { address: '17', strict: 'yes', key },
  ]) {
    assert.deepEqual(readOptions(driver, written), { address: 17, strict: true, key })
  }
})

test('a length of time is read with its unit and no other way, and falls back in words', () => {
  const driver = { id: 'x', options: { every: lapse('poll', 50, 3_600_000, 10_000) } }
  for (const [written, ms] of [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5min', 90_000],
    ['1h', 3_600_000],
  ] as const) {
    assert.deepEqual(readOptions(driver, { every: written }), { every: ms })
  }
  for (const written of ['10', 10, '49ms', '2h', '-1s', '1e3ms', '']) {
    const wrong = thrown(() => readOptions(driver, { every: written }))
    assert.match(wrong.cure, /from 50ms to 1h/)
  }
  assert.equal(driver.options.every.fallbackText, '10s')
})

test('a table is taken where its schema accepts it, and a word where it is one of ours', () => {
  const schema = z.strictObject({ rows: z.number() })
  const driver = { id: 'x', options: { table: document('the table', ['ours'], 'ours', schema) } }
  assert.deepEqual(readOptions(driver), { table: 'ours' })
  assert.deepEqual(readOptions(driver, { table: { rows: 3 } }), { table: { rows: 3 } })
  for (const table of ['theirs', { rows: 'x' }, {}, null, [1]]) {
    assert.equal(thrown(() => readOptions(driver, { table })).code, 'DRIVER_OPTION_INVALID')
  }
})

test('a secret is never repeated in a fault, and odd values are faults, never more', () => {
  const driver = { id: 'x', options }
  const fault = thrown(() => readOptions(driver, { key: 'hunter2' }))
  assert.doesNotMatch(fault.message + fault.cure, /hunter2/)
  fc.assert(
    fc.property(fc.constantFrom('address', 'key', 'strict'), fc.anything(), (name, value) => {
      try {
        const read = readOptions(driver, { [name]: value })
        assert.ok(['string', 'number', 'boolean', 'undefined'].includes(typeof read[name]))
      } catch (error) {
        assert.ok(error instanceof Fault, String(error))
      }
    }),
  )
})
