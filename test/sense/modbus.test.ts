/** Modbus on real serial ports: our slaves, libmodbus's and pymodbus's, and other masters' view of ours. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sdm630 } from '../../demo/meter.ts'
import { type Slave, startModbusLine } from '../../demo/modbus.ts'
import { cable, hearAll, lacks, until, type Wanted } from './live.ts'

const peer = (path: string) => fileURLToPath(new URL(`../peers/${path}`, import.meta.url))
const python = '/usr/bin/python3'
const headers = '/usr/include/modbus'
const noPymodbus =
  lacks('socat', python) ||
  (spawnSync(python, ['-c', 'import pymodbus']).status !== 0 && 'not installed: python3-pymodbus')
const noLibmodbus =
  lacks('socat', 'gcc') || (!existsSync(headers) && 'not installed: libmodbus-dev')

let folder = ''
const ends: (() => Promise<void>)[] = []
const started: ChildProcess[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wayside-modbus-'))
})
after(async () => {
  for (const end of ends) await end()
  // Only what this file started.
  for (const one of started) one.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test('an SDM630 is read whole, beside a slave that is silent and one that babbles', async () => {
  const clock = () => performance.now() / 1000
  const line = await startSlaves([sdm630(1, clock), { unit: 2, silent: true }])
  const quick = { every: '400ms', timeout: '200ms' }
  const noise = setInterval(() => line.babble(Uint8Array.of(0x55, 0x04, 0x41)), 211)
  ends.unshift(async () => clearInterval(noise))
  const heard = hear([
    { name: 'meter', driver: 'sdm630', path: line.path, options: { ...quick, unit: 1 } },
    { name: 'gone', driver: 'sdm630', path: line.path, options: { ...quick, unit: 2 } },
  ])
  await until(() => heard.of('meter').length >= 8 && heard.health('gone')?.breaker === 'open')
  const whole = heard.of('meter').find(({ values }) => Object.keys(values).length === 43)
  const { values, units } = whole ?? assert.fail('no reading has every field')
  const phases = ['1-0:36.7.0', '1-0:56.7.0', '1-0:76.7.0'].map((name) => Number(values[name]))
  const total = phases.reduce((sum, power) => sum + power, 0)
  assert.ok(Math.abs(Number(values['1-0:16.7.0']) - total) < 1)
  assert.ok(Math.abs(Number(values['1-0:32.7.0']) - 230) < 3)
  assert.equal(units['1-0:1.8.0'], 'kWh')
  assert.equal(heard.of('gone').length, 0)
  assert.ok((heard.health('meter')?.bytesSkipped ?? 0) > 0)
})

test("libmodbus's slave is read, its exception is a doubt, and pulling the cable loses only time", {
  skip: noLibmodbus,
}, async () => {
  const server = join(folder, 'server')
  const sources = [peer('libmodbus/server.c'), `-I${headers}`, '-lmodbus']
  await promisify(execFile)('gcc', ['-O1', '-Wall', '-o', server, ...sources])
  const [ours, theirs] = [join(folder, 'lib-a'), join(folder, 'lib-b')]
  let plugged = await plug(ours, theirs)
  await slave(server, [theirs])
  const meter = { driver: 'modbus', path: ours }
  const at17 = { unit: 17, every: '100ms' }
  const heard = hear([
    { ...meter, name: 'row', options: { ...at17, function: 4, address: 5, count: 60 } },
    {
      ...meter,
      name: 'volts',
      options: { ...at17, function: 4, address: 100, count: 2, type: 'f32' },
    },
    { ...meter, name: 'bits', options: { ...at17, function: 1, address: 3, count: 20 } },
    { ...meter, name: 'past', options: { ...at17, function: 3, address: 250, count: 20 } },
  ])
  const names = ['row', 'volts', 'bits']
  await until(() => names.every((name) => heard.of(name).length >= 3))
  await until(() => (heard.health('past')?.doubts['illegal data address'] ?? 0) >= 3)
  const row = heard.of('row')[0]?.values ?? {}
  assert.deepEqual(
    Object.values(row),
    Object.keys(row).map((name) => Number(name.slice(1))),
  )
  assert.deepEqual(heard.of('volts')[0]?.values, { r100: 230.5 })
  assert.equal(heard.of('bits')[0]?.values.b3, true)
  assert.equal(heard.of('bits')[0]?.values.b4, false)
  assert.equal(heard.health('past')?.breaker, 'closed', 'a slave that refuses is not silent')

  plugged.kill('SIGKILL')
  await until(() => heard.notes.includes('port lost'))
  for (const path of [ours, theirs]) await rm(path, { force: true })
  plugged = await plug(ours, theirs)
  await slave(server, [theirs])
  const had = heard.of('row').length
  await until(() => heard.of('row').length > had + 3)
  assert.deepEqual(heard.of('row').at(-1)?.values, row)
})

test("pymodbus's slave is read, holding and input registers and coils", {
  skip: noPymodbus,
}, async () => {
  const [ours, theirs] = [join(folder, 'py-a'), join(folder, 'py-b')]
  await plug(ours, theirs)
  await slave(python, [peer('pymodbus/server.py'), theirs])
  const at17 = { unit: 17, every: '150ms', timeout: '2s' }
  const part = { driver: 'modbus', path: ours }
  const heard = hear([
    { ...part, name: 'holding', options: { ...at17, address: 0, count: 125 } },
    { ...part, name: 'input', options: { ...at17, function: 4, address: 200, count: 3 } },
    { ...part, name: 'coils', options: { ...at17, function: 2, address: 0, count: 10 } },
    { ...part, name: 'past', options: { ...at17, address: 250, count: 20 } },
  ])
  await until(() => ['holding', 'input', 'coils'].every((name) => heard.of(name).length >= 2))
  await until(() => heard.health('past')?.doubts['illegal data address'] !== undefined)
  const holding = heard.of('holding')[0]?.values ?? {}
  assert.deepEqual(Object.values(holding), [...Array(125).keys()])
  assert.deepEqual(heard.of('input')[0]?.values, { r200: 200, r201: 201, r202: 202 })
  assert.equal(Object.values(heard.of('coils')[0]?.values ?? {}).filter(Boolean).length, 4)
})

test('another master reads our slave, and gets its exceptions in the same words', {
  skip: lacks('mbpoll'),
}, async () => {
  const line = await startSlaves([sdm630(1, () => performance.now() / 1000)])
  const poll = (...what: readonly string[]) =>
    promisify(execFile)('mbpoll', [
      ...['-m', 'rtu', '-a', '1', '-b', '9600', '-P', 'none', '-0', '-1', ...what, line.path],
    ]).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    )
  const volts = await poll('-t', '3:float', '-B', '-r', '0', '-c', '3')
  const values = [...volts.matchAll(/^\[\d+\]:\s+([\d.]+)/gm)].map(([, value]) => Number(value))
  assert.equal(values.length, 3)
  for (const value of values) assert.ok(Math.abs(value - 230) < 3)
  assert.match(await poll('-t', '3', '-r', '1', '-c', '2'), /illegal data address/i)
  assert.match(await poll('-t', '4', '-r', '0', '-c', '2'), /illegal function/i)
})

function hear(sensors: readonly Wanted[]) {
  const heard = hearAll(sensors)
  ends.push(heard.stop)
  return heard
}

async function startSlaves(slaves: readonly Slave[]) {
  const line = await startModbusLine(slaves)
  ends.push(line.stop)
  return line
}

async function plug(from: string, to: string): Promise<ChildProcess> {
  const process = await cable(from, to)
  started.push(process)
  return process
}

/** Starts somebody else's slave; resolves when it says that it is ready. */
async function slave(program: string, args: readonly string[]) {
  const process = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(process)
  const [said] = await once(process.stdout, 'data')
  assert.match(String(said), /ready/)
}
