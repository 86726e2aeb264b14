import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { openLine } from '../../demo/pty.ts'
import { plantowerCapture, startSensors } from '../../demo/sensors.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { render } from '../../runtime/commands/init.ts'
import { openPort } from '../../runtime/sense/port.ts'
import { bin, wayside } from './wayside.ts'

const empty = render([], { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: false })

test('sniff says which sensor speaks, how sure it is, and lines that config check takes', async () => {
  const sensors = await startSensors([await plantowerCapture('air')], { speedup: 20 })
  const path = String(sensors.paths.air)
  const { status, stdout: said, stderr: told } = await run(['sniff', path])
  await sensors.stop()
  assert.equal(status, 0, told)
  assert.match(told, /listening at 9600 baud 8N1/)
  assert.match(told, /plantower at 9600 baud, certain: \d+ intact frames, \d+ % of the bytes/)
  const pasted = empty.replace(/(?<=^sensors:\n)(?: {2}.*\n)+/m, said)
  const checked = checkConfig(pasted)
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual(
    checked.value.sensors.map(({ driver, port }) => [driver, port]),
    [['plantower', path]],
  )
})

test('sniff speaks JSON, with the lines for the config in it', async () => {
  const sensors = await startSensors([await plantowerCapture('air')], { speedup: 20 })
  const path = String(sensors.paths.air)
  const { status, stdout } = await run(['sniff', '--json', path])
  await sensors.stop()
  assert.equal(status, 0)
  const [row] = JSON.parse(stdout)
  assert.deepEqual(
    [row.path, row.driver, row.sure, row.baudRate],
    [path, 'plantower', 'certain', 9600],
  )
  const checked = checkConfig(empty.replace(/(?<=^sensors:\n)(?: {2}.*\n)+/m, row.config))
  assert.ok(checked.ok, JSON.stringify(checked))
})

test('Ctrl-C ends sniff with 130, and nobody is said to be silent who was not heard out', async () => {
  const line = await openLine()
  const { status, stdout, stderr } = await run(['sniff', line.path], 'SIGINT')
  await line.close()
  assert.equal(status, 130, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /stopped before anything was understood/)
})

test('of a port that somebody else has locked sniff says who it is', async () => {
  const line = await openLine()
  const port = await openPort({ path: line.path, baudRate: 9600 })
  const { status, stderr } = await run(['sniff', line.path])
  await port.close()
  await line.close()
  assert.equal(status, 2)
  assert.match(stderr, /cannot open the port .*lock.*; node .*\(pid \d+\) has it open/)
})

test('a port that cannot be opened ends sniff with 2', () => {
  const { status, stderr } = wayside(['sniff', '/dev/no-such-port'])
  assert.equal(status, 2)
  assert.match(stderr, /PORT_UNREADABLE/)
})

test('ports speaks JSON, and ends with 1 where there is none', () => {
  const { status, stdout } = wayside(['ports', '--json'])
  const rows = JSON.parse(stdout) as readonly { readonly path: string }[]
  assert.equal(status, rows.length === 0 ? 1 : 0)
  assert.ok(rows.every(({ path }) => path.startsWith('/dev/')))
})

/** Runs a command to its end, or until it says that it listens and gets this signal. */
async function run(args: readonly string[], signal?: NodeJS.Signals) {
  const child = spawn(process.execPath, [bin, ...args])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    const listens = !stderr.includes('listening') && `${stderr}${chunk}`.includes('listening')
    stderr += chunk
    if (listens && signal !== undefined) child.kill(signal)
  })
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}
