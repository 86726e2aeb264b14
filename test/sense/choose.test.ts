import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { drivers } from '../../drivers/index.ts'
import { Fault } from '../../runtime/faults.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import { flag, hexKey, type Option, readOptions, whole } from '../../runtime/sense/options.ts'

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
