import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { drivers } from '../../drivers/index.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { type InitOptions, render, sensorText } from '../../runtime/commands/init.ts'
import { type FoundPort, findOn } from '../../runtime/sense/find.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import type { OpenPort } from '../../runtime/sense/port.ts'
import { sentence } from '../drivers/bench.ts'
import { wayside } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-init-'))
after(() => rmSync(folder, { recursive: true }))

const options: InitOptions = {
  broker: 'mqtt://127.0.0.1:1883',
  folder: './wayside-data',
  operator: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  probe: true,
}
const quiet: FoundPort = {
  path: '/dev/ttyS0',
  device: '/dev/ttyS0',
  named: 'as is',
  remarks: [],
  trouble: 'mute',
}

test('what speaks on a port becomes a sensor that config check accepts, at the speed it spoke', async () => {
  const mock = mockPort()
  const open: OpenPort = async (line) => {
    const opened = await mock.open(line)
    const text = line.baudRate === 4800 ? sentence('GPHDT,123.456,T').repeat(2) : '\u0000\u0080x'
    setTimeout(() => mock.say(Buffer.from(text)), 5)
    return opened
  }
  const { signal } = new AbortController()
  const bare = {
    path: '/dev/ttyACM0',
    device: '/dev/ttyACM0',
    named: 'as is',
    remarks: [],
  } as const
  const patience = { waitMs: 3_000, listenMs: 30, answerMs: 5 }
  const port = await findOn(bare, { drivers, open, asks: 'none', signal, patience })
  const checked = checkConfig(render([port, quiet, { ...port, path: '/dev/ttyACM1' }], options))
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual(
    checked.value.sensors.map(({ name, driver, port: path, baudRate }) => [
      name,
      driver,
      path,
      baudRate,
    ]),
    [
      ['nmea0183', 'nmea0183', '/dev/ttyACM0', 4800],
      ['nmea0183-2', 'nmea0183', '/dev/ttyACM1', 4800],
    ],
  )
  assert.equal(checked.value.operator, options.operator?.toLowerCase())
})

test('with nothing found it writes an example that config check accepts, and names the mute ports', () => {
  const text = render([quiet], options)
  assert.equal(checkConfig(text).ok, true)
  assert.match(text, /# nothing known speaks on \/dev\/ttyS0/)
})

test('the rails that it explains are accepted once filled in', () => {
  const filled = render([], options)
    .replace('    price: free', '    price: { amount: 0.01, per: 1h }')
    .replaceAll('0x…', options.operator ?? '')
    .replace(/^# (?=rails:| {2}- chainId| {4}(?!price)[a-z]+: )/gim, '')
  const checked = checkConfig(filled)
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.equal(checked.value.rails.length, 1)
})

test('init writes a file, says what to do next, and never writes over one unasked', () => {
  const file = join(folder, 'wayside.yaml')
  const first = wayside(['init', '--no-probe', file])
  assert.equal(first.status, 0)
  assert.equal(first.stdout, '')
  assert.match(first.stderr, /next:\n {2}wayside config check .*\n {2}wayside run /)
  assert.equal(checkConfig(readFileSync(file, 'utf8')).ok, true)
  assert.equal(wayside(['config', 'check', file]).status, 0)
  const second = wayside(['init', '--no-probe', file])
  assert.equal(second.status, 2)
  assert.match(second.stderr, /is there already/)
  assert.equal(wayside(['init', '--no-probe', '--force', file]).status, 0)
})

test('what sniff appends to it stays a sensor when the rails are filled in', () => {
  const written = render([], options).replace(/^# rails:$/m, 'rails: []')
  const checked = checkConfig(
    `${written}${sensorText({ path: '/dev/ttyUSB7', driver: 'sds011' }, 'dust')}`,
  )
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual(
    checked.value.sensors.map(({ name }) => name),
    ['air', 'dust'],
  )
})

test('a flag that no config would take is said at once, and nothing is written', () => {
  const file = join(folder, 'wrong.yaml')
  for (const [flag, value, why] of [
    ['--operator', '0x1234', /not an address; write 0x and 40 hex digits/],
    ['--gateway', 'me', /not an address/],
    ['--broker', 'http://broker.example', /not a broker; write mqtt:/],
  ] as const) {
    const { status, stderr } = wayside(['init', '--no-probe', flag, value, file])
    assert.equal(status, 2, flag)
    assert.match(stderr, why)
    assert.equal(existsSync(file), false)
  }
})

test('the desk and its device name each other as their inits write it', () => {
  const desk = join(folder, 'office', 'operate.yaml')
  const token = `0x${'22'.repeat(20)}`
  const rpc = ['--rpc', 'https://a.example', 'https://b.example']
  const made = wayside(['operate', 'init', desk, '--folder', 'data', '--token', token, ...rpc])
  assert.equal(made.status, 0, made.stderr)
  const [, operator = '', gateway = ''] =
    /^operator: "(0x[0-9a-f]{40})"\ngateway: "(0x[0-9a-f]{40})"\n$/.exec(made.stdout) ?? []
  assert.match(made.stderr, new RegExp(`wayside init --operator ${operator} --gateway ${gateway}`))
  // Its keys lie beside the config, wherever it was made from.
  const fine = wayside(['config', 'check', desk])
  assert.equal(fine.stdout, `${desk}: fine, the desk of 0 devices, paid in 1 token\n`)
  assert.equal(existsSync(join(folder, 'office/data/operator.key')), true)
  const device = join(folder, 'owned.yaml')
  wayside(['init', '--no-probe', '--operator', operator, '--gateway', gateway, device])
  const checked = checkConfig(readFileSync(device, 'utf8'))
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual([checked.value.operator, checked.value.gateway], [operator, gateway])
})

test('a port that nobody lists is listened to when it is named', async () => {
  const file = join(folder, 'named.yaml')
  const { status, stderr } = wayside(['init', '--port', join(folder, 'no-such-port'), file])
  assert.equal(status, 0)
  assert.match(stderr, /no-such-port: .*(no such file|ENOENT)/i)
  assert.match(readFileSync(file, 'utf8'), /# nothing known speaks on .*no-such-port/)
})
