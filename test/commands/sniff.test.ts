import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { plantowerCapture, startSensors } from '../../demo/sensors.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { render } from '../../runtime/commands/init.ts'
import { bin, wayside } from './wayside.ts'

const empty = render([], { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: false })

test('sniff says which sensor speaks, how sure it is, and lines that config check takes', async () => {
  const sensors = await startSensors([await plantowerCapture('air')], { speedup: 20 })
  const path = String(sensors.paths.air)
  const child = spawn(process.execPath, [bin, 'sniff', path])
  let [said, told] = ['', '']
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    told += chunk
  })
  const [status] = await once(child, 'exit')
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
