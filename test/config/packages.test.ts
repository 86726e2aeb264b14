/** Drivers of other packages, named in a config: loaded from beside it, checked, and used like ours. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkConfig, loadConfig } from '../../runtime/commands/config.ts'
import { render } from '../../runtime/commands/init.ts'
import { listAll, sensorPlan } from '../../runtime/config/catalogue.ts'
import { driversOf } from '../../runtime/config/driverlist.ts'

const folder = await mkdtemp(join(tmpdir(), 'wayside-packages-'))
after(() => rm(folder, { recursive: true }))

const driver = `{
  id: 'thermo', title: 'A thermometer', models: {}, serial: { baudRate: 2400 }, otherBaudRates: [],
  warmUpMs: 0, silenceMs: 5000, options: {}, check: 'sum',
  fields: { temperature: { title: 'temperature', type: 'number', unit: 'Cel' } },
  shape: { starts: Uint8Array.of(1), idle: new Uint8Array(0), sizeMax: 4, size: () => 4, flaw: () => undefined },
  begin: () => undefined,
  decode: (frame, memory) => ({ memory, said: { ok: true, values: { temperature: frame[1] } } }),
}`
await install('wayside-thermo', `export const drivers = [${driver}]`)
await install('@maker/old', `exports.drivers = [${driver.replace('thermo', 'old')}]`, 'commonjs')

test('a sensor may name the driver of a package, which gives its stream fields, line and version', async () => {
  const file = join(folder, 'wayside.yaml')
  await writeFile(file, text(['wayside-thermo', '@maker/old'], 'thermo'))
  const config = loadConfig(file)
  const [sensor] = config.sensors
  const plan = sensorPlan(sensor ?? assert.fail('no sensor'), driversOf(config.drivers))
  assert.deepEqual([plan.driver.id, plan.driver.serial.baudRate], ['thermo', 2400])
  const [listed] = listAll(config, [])
  assert.deepEqual(listed?.terms.fields, [{ name: 'temperature', type: 'number', unit: 'Cel' }])
  assert.deepEqual(listed?.setup.driver, {
    ...{ id: 'thermo', version: 'wayside-thermo 1.2.3', check: 'sum' },
  })
  assert.deepEqual(
    driversOf(config.drivers)
      .slice(-2)
      .map(({ id }) => id),
    ['thermo', 'old'],
  )
})

test('what keeps a package from being used is said where it is named', async () => {
  await install('no-list', 'export const driver = 1')
  await install('no-decode', `export const drivers = [{ ...${driver}, decode: undefined }]`)
  await install('breaks', "throw new Error('no such thing')")
  await install('twin', `export const drivers = [{ ...${driver}, id: 'plantower' }]`)
  // What stands further up is no business of this config.
  await mkdir(join(folder, 'deeper/node_modules'), { recursive: true })
  for (const [name, why, at] of [
    ['not-there', /not installed: there is no .*node_modules.not-there/, folder],
    ['wayside-thermo', /not installed: there is no .*deeper/, join(folder, 'deeper')],
    ['no-list', /exports no list named `drivers`/, folder],
    ['no-decode', /thermo has no `decode`: it must be a function/, folder],
    ['breaks', /no such thing/, folder],
    ['twin', /there is another driver named plantower/, folder],
    ['../sneaky', /not the name of an npm package/, folder],
  ] as const) {
    const checked = checkConfig(text([name], 'plantower'), at)
    assert.ok(!checked.ok, name)
    const [{ what, line } = { what: '', line: 0 }, ...more] = checked.problems
    assert.match(what, why)
    assert.equal(line, 1)
    assert.deepEqual(more, [])
  }
})

function text(packages: readonly string[], driverName: string): string {
  const empty = render([], { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: false })
  return `drivers: ${JSON.stringify(packages)}\n${empty.replace('driver: plantower', `driver: ${driverName}`)}`
}

async function install(name: string, code: string, type = 'module') {
  const place = join(folder, 'node_modules', name)
  await mkdir(place, { recursive: true })
  const about = { name, version: '1.2.3', type, exports: './index.js' }
  await writeFile(join(place, 'package.json'), JSON.stringify(about))
  await writeFile(join(place, 'index.js'), code)
}
