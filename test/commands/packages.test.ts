/** Drivers of npm packages on the bench: decoded, listed and found like ours, from where a user has them. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startSensors } from '../../demo/sensors.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { render } from '../../runtime/commands/init.ts'
import { driverList } from '../../runtime/config/driverlist.ts'
import { bin } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-bench-'))
after(() => rmSync(folder, { recursive: true }))

/** Frames of four bytes: 5a, two of data, the sum of these three. */
const code = (id: string, start: number) => `{
  id: '${id}', title: 'A probe in the ground', models: { ${id}2: { scale: '2' } },
  serial: { baudRate: 9600 }, otherBaudRates: [], warmUpMs: 0, silenceMs: 5000, check: 'sum',
  options: { scale: { title: 'factor', allowed: '1 or 2', fallback: 1,
    read: (written) => ({ 1: 1, 2: 2 })[written] } },
  fields: { moisture: { title: 'moisture', type: 'number', unit: '/100' } },
  shape: {
    starts: Uint8Array.of(${start}), idle: new Uint8Array(0), sizeMax: 4, size: () => 4,
    flaw: (frame) => ((frame[0] + frame[1] + frame[2]) & 255) === frame[3] ? undefined : 'bad checksum',
  },
  begin: (options) => options.scale,
  decode: (frame, memory) => ({ memory, said: { ok: true, values: { moisture: frame[1] * memory } } }),
}`
install('wayside-soil', `export const drivers = [${code('soil', 0x5a)}]`)
install('@maker/two', `exports.drivers = [${code('rain', 1)}, ${code('wind', 2)}]`, 'commonjs')
writeFileSync(join(folder, 'making.mjs'), `export const drivers = [${code('making', 0x5a)}]`)
const frame = '5a2a0084'

test('a package with one driver stands for it; of several one is named with --with', () => {
  const soil = wayside(['decode', 'wayside-soil', '--hex'], frame)
  assert.equal(soil.status, 0, soil.stderr)
  const row = { driver: 'soil', offset: 0, values: { moisture: 42 }, units: { moisture: '/100' } }
  assert.deepEqual(JSON.parse(soil.stdout), row)
  const model = wayside(['decode', 'soil.soil2', '--hex', '--with', 'wayside-soil'], frame)
  assert.deepEqual(JSON.parse(model.stdout).values, { moisture: 84 })
  const option = ['decode', 'wayside-soil', '--hex', '--option', 'scale=2']
  assert.deepEqual(JSON.parse(wayside(option, frame).stdout).values, { moisture: 84 })
  const both = ['--with', '@maker/two', '--with', 'wayside-soil']
  assert.equal(wayside(['decode', 'wind', '--hex', ...both], '02010003').status, 0)
  const several = wayside(['decode', '@maker/two', '--hex'], '02010003')
  assert.equal(several.status, 2)
  assert.match(several.stderr, /perhaps rain --with @maker\/two or wind --with @maker\/two/)
})

test('a driver in the making is decoded from its file, or from the folder of its package', () => {
  for (const path of ['./making.mjs', join(folder, 'making.mjs'), './node_modules/wayside-soil']) {
    const { status, stdout, stderr } = wayside(['decode', path, '--hex'], `${frame}5a00`)
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout).values, { moisture: 42 })
  }
})

test('what is no package, or brings no driver, ends with 2 and says why', () => {
  install('no-driver', 'export const nothing = 1')
  mkdirSync(join(folder, 'node_modules/torn'))
  writeFileSync(join(folder, 'node_modules/torn/package.json'), '{"name":')
  for (const [name, why] of [
    ['./not-there.js', /not installed: there is no .*not-there\.js/],
    ['not-there', /there is no driver not-there/],
    ['no-driver', /exports no list named `drivers`/],
    ['torn', /its package\.json: /],
  ] as const) {
    const { status, stderr } = wayside(['decode', name])
    assert.equal(status, 2)
    assert.match(stderr, why)
  }
  assert.match(wayside(['drivers', '--with', 'not-there']).stderr, /DRIVER_PACKAGE_INVALID/)
})

test('drivers lists and shows those of a package too', () => {
  assert.match(wayside(['drivers', '--with', 'wayside-soil']).stdout, /^soil {8}A probe in the/m)
  assert.match(wayside(['drivers', 'soil', '--with', 'wayside-soil']).stdout, /moisture/)
})

test('a list of drivers reads each package once, however many sensors ask for its version', () => {
  const list = driverList(['wayside-soil', '@maker/two'], folder)
  writeFileSync(join(folder, 'node_modules/wayside-soil/package.json'), '{"version":"9.9.9"}')
  assert.equal(list.versionOf('soil'), 'wayside-soil 1.2.3')
  assert.deepEqual([list.packageOf('wind'), list.packageOf('sds011')], ['@maker/two', undefined])
})

test('sniff finds the sensor of a package, and prints what a config needs for it', async () => {
  install('wayside-soil', `export const drivers = [${code('soil', 0x5a)}]`)
  const bursts = [Buffer.from(frame, 'hex')]
  const sensors = await startSensors([{ name: 'bed', bursts, baudRate: 9600, periodMs: 50 }])
  const path = String(sensors.paths.bed)
  const child = spawn(process.execPath, [bin, 'sniff', '--with', 'wayside-soil', path], {
    cwd: folder,
  })
  let [said, told] = ['', '']
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    told += chunk
  })
  const [status] = await once(child, 'close')
  await sensors.stop()
  assert.equal(status, 0, told)
  const [, line = ''] = /^ {2}# at the top of the file: (drivers: .*)$/m.exec(said) ?? []
  const empty = render([], { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: false })
  const pasted = `${line}\n${empty.replace(/(?<=^sensors:\n)(?: {2}.*\n)+/m, said)}`
  const checked = checkConfig(pasted, folder)
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual(
    checked.value.sensors.map(({ driver, port }) => [driver, port]),
    [['soil', path]],
  )
  const found = { path: '/dev/x', device: '/dev/x', named: 'as is', remarks: [] } as const
  const options = { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: true }
  const { drivers } = driverList(['wayside-soil'], folder)
  const first = render(
    [{ ...found, driver: 'soil', baudRate: 9600 }],
    {
      ...{ ...options, with: ['wayside-soil'] },
    },
    drivers,
  )
  assert.ok(checkConfig(first, folder).ok)
})

function install(name: string, text: string, type = 'module') {
  const place = join(folder, 'node_modules', name)
  mkdirSync(place, { recursive: true })
  const about = { name, version: '1.2.3', type, exports: './index.js' }
  writeFileSync(join(place, 'package.json'), JSON.stringify(about))
  writeFileSync(join(place, 'index.js'), text)
}

function wayside(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    ...{ cwd: folder, input, encoding: 'utf8', timeout: 60_000 },
  })
  return { status, stdout, stderr }
}
