/** `wayside record` as a user runs it, with a driver or a config that asks, and what comes of its files. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startModbusLine } from '../../demo/modbus.ts'
import { openLine } from '../../demo/pty.ts'
import { checkConfig, loadConfig } from '../../runtime/commands/config.ts'
import { openPortOrRecording } from '../../runtime/sense/playback.ts'
import { readRecording } from '../../runtime/sense/recording.ts'
import { hearAll, until } from '../sense/live.ts'
import { bin, wayside } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-record-'))
after(() => rmSync(folder, { recursive: true }))

const nobody = `"0x${'0'.repeat(40)}"`
const config = (sensors: string) =>
  `folder: data\nbroker: { url: "mqtt://127.0.0.1:9" }\noperator: ${nobody}\ngateway: ${nobody}\nreceiver: ${nobody}\nsensors:\n${sensors}`

test('a sensor that is asked is recorded with its questions, and the recording answers for it', async () => {
  const line = await openLine()
  let asked = 0
  line.onData((chunk) => {
    if (!Buffer.from(chunk).includes(Buffer.from('ff0186', 'hex'))) return
    asked += 1
    const frame = Uint8Array.of(0xff, 0x86, 2, asked, 70, 0, 0, 0, 0)
    frame[8] = 256 - (frame.subarray(1, 8).reduce((sum, byte) => sum + byte, 0) & 255)
    line.write(frame)
  })
  const { text, told, status } = await record(
    [line.path, '--driver', 'mhz19', '--option', 'every=1s'],
    3,
  )
  await line.close()
  assert.equal(status, 0, told)
  assert.match(told, /^\d+ bytes heard and \d+ sent\nmhz19: [3-9] readings\n$/m)
  const rows = readRecording(text)
  if (typeof rows === 'string') assert.fail(rows)
  assert.ok(rows.filter((row) => row.asked).length >= 3)
  writeFileSync(join(folder, 'co2.recording'), text)
  const sensors =
    '  - { name: co2, driver: mhz19, port: "recording:co2.recording", options: { every: 1s } }\n'
  writeFileSync(join(folder, 'wayside.yaml'), config(sensors))
  // Beside the config, wherever the device is started.
  const [sensor] = loadConfig(join(folder, 'wayside.yaml')).sensors
  assert.equal(sensor?.port, `recording:${join(folder, 'co2.recording')}`)
  const wanted = {
    name: 'co2',
    driver: 'mhz19',
    path: sensor?.port ?? '',
    options: { every: '1s' },
  }
  const played = hearAll([wanted], openPortOrRecording)
  await until(() => played.readings.length >= 3)
  await played.stop()
  assert.deepEqual(
    played.readings.slice(0, 3).map(({ values }) => values.co2),
    [513, 514, 515],
  )
})

test('the sensors of a config that share a port are recorded as they take turns', async () => {
  const line = await startModbusLine([1, 2].map((unit) => ({ unit, registers: () => [unit * 7] })))
  const options = (unit: number) => `{ unit: ${unit}, every: 300ms }`
  const sensors = [1, 2, 3].map(
    (unit) =>
      `  - { name: m${unit}, driver: modbus, port: ${line.path}, options: ${options(unit)} }\n`,
  )
  writeFileSync(join(folder, 'bus.yaml'), config(sensors.join('')))
  const { text, told, status } = await record(['m2', '--config', join(folder, 'bus.yaml')], 8)
  await line.stop()
  assert.equal(status, 0, told)
  assert.match(told, /^m1: \d+ readings$/m)
  assert.match(told, /^m3: 0 readings, \d+ times `no answer`$/m)
  writeFileSync(join(folder, 'bus.recording'), text)
  const path = `recording:${join(folder, 'bus.recording')}`
  const played = hearAll(
    [1, 2, 3].map((unit) => ({
      name: `m${unit}`,
      driver: 'modbus',
      path,
      options: { unit, every: '300ms' },
    })),
    openPortOrRecording,
  )
  await until(() => [1, 2].every((unit) => played.of(`m${unit}`).length >= 3))
  await played.stop()
  for (const unit of [1, 2]) {
    assert.ok(played.of(`m${unit}`).every(({ values }) => values.r0 === unit * 7))
  }
  assert.equal(played.of('m3').length, 0)
})

test('a recording that cannot be played is a mistake of the config, with file and line', () => {
  writeFileSync(
    join(folder, 'torn.recording'),
    '{"recording":1}\n{"ms":3,"hex":"00"}\n{"ms":2,"hex":"00"}',
  )
  for (const [file, why] of [
    ['torn.recording', 'sensors.0.port: torn.recording: line 3 goes back in time: 2 ms after 3 ms'],
    ['.', 'sensors.0.port: .: it is no file'],
  ] as const) {
    const text = config(`  - { name: air, driver: sds011, port: "recording:${file}" }\n`)
    const checked = checkConfig(text, folder)
    assert.ok(!checked.ok)
    assert.deepEqual(
      checked.problems.map(({ line, what }) => [line, what]),
      [[7, why]],
    )
  }
})

test('what cannot be asked ends with 2: a port, a driver, an option, a sensor that is not there', () => {
  for (const [args, why] of [
    [['/dev/no-such-port', '--driver', 'mhz19'], /cannot open the port \/dev\/no-such-port/],
    [['/dev/no-such-port'], /PORT_UNREADABLE/],
    [['/dev/x', '--driver', 'mhz91'], /perhaps mhz19/],
    [['/dev/x', '--driver', 'mhz19', '--option', 'every=never'], /DRIVER_OPTION_INVALID/],
    [['attic', '--config', join(folder, 'bus.yaml')], /no sensor of .*bus\.yaml is there/],
  ] as const) {
    const { status, stdout, stderr } = wayside(['record', ...args])
    assert.equal(status, 2, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, why)
  }
})

/** Records until so many answers were heard, then ends it as Ctrl-C does. */
async function record(args: readonly string[], answers: number) {
  const child = spawn(process.execPath, [bin, 'record', ...args], { cwd: folder })
  let [text, told, ending] = ['', '', false]
  child.stdout.on('data', (chunk) => {
    text += chunk
    if (ending || text.split('"hex"').length <= answers) return
    ending = child.kill('SIGINT')
  })
  child.stderr.on('data', (chunk) => {
    told += chunk
  })
  const [status] = await once(child, 'close')
  return { text, told, status }
}
