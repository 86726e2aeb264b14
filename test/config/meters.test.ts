/** A meter in a config: what its stream is listed with, before anything is read. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkConfig, loadConfig } from '../../runtime/commands/config.ts'
import { listAll, sensorPlan } from '../../runtime/config/catalogue.ts'

const folder = new URL('cases/table-in-a-file/', import.meta.url)
const input = fileURLToPath(new URL('input.yaml', folder))
const text = readFileSync(input, 'utf8')

test('terms name fields by their OBIS codes, and the setup says what these mean', () => {
  const checked = checkConfig(text.replace('./heat.yaml', 'sdm120').replace(/models:[\s\S]*/, ''))
  const [listed] = checked.ok ? listAll(checked.value, []) : assert.fail('not a config')
  const { terms, setup } = listed ?? assert.fail('nothing is listed')
  assert.equal(terms.title, 'Eastron SDM120 electricity meter, one phase')
  const energy = terms.fields.find(({ name }) => name === '1-0:1.8.0')
  assert.deepEqual(energy, { name: '1-0:1.8.0', type: 'number', unit: 'kWh' })
  assert.equal(setup.labels?.['1-0:1.8.0'], 'active energy, imported')
  assert.equal(setup.labels?.reactive_power, undefined, 'a name in words needs no label')
})

test('a table beside the config is read with it, and makes line and fields of its sensor', () => {
  const config = loadConfig(input)
  const [sensor] = config.sensors
  const { driver } = sensorPlan(sensor ?? assert.fail('no sensor'))
  assert.deepEqual(driver.serial, { baudRate: 2400, parity: 'even', stopBits: 1 })
  assert.deepEqual(listAll(config, [])[0]?.terms.fields, [
    { name: 'flow', type: 'number', unit: 'm3' },
    { name: 'supply', type: 'number', unit: 'Cel' },
  ])
})

test('what the config says of a line goes over what the table says', () => {
  const written = text.replace(
    'port: /dev/ttyUSB0',
    'port: /dev/ttyUSB0, parity: odd, baudRate: 4800',
  )
  const checked = checkConfig(written, fileURLToPath(folder))
  const [sensor] = checked.ok ? checked.value.sensors : assert.fail('not a config')
  assert.deepEqual([sensor?.parity, sensor?.baudRate], ['odd', 4800])
})
