/** `wayside decode` on recordings, and with what a config says of a sensor. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { wayside } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-decode-'))
after(() => rmSync(folder, { recursive: true }))

const nobody = `"0x${'0'.repeat(40)}"`
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const recording = (...rows: readonly object[]) =>
  [{ recording: 1, port: '/dev/ttyUSB0', baudRate: 9600 }, ...rows]
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('')
const values = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).values)

const config = file(
  'wayside.yaml',
  `folder: data
broker: { url: "mqtt://127.0.0.1:9" }
operator: ${nobody}
gateway: ${nobody}
receiver: ${nobody}
sensors:
  - name: garden
    driver: lines
    port: /dev/ttyACM0
    options: { table: ./garden.yaml }
  - { name: meter, driver: sdm120, port: /dev/ttyUSB0 }
`,
)
file(
  'garden.yaml',
  'columns: [t, h]\nfields: { temperature: { from: t, unit: Cel, scale: 0.1 } }\n',
)

test('a recording is read as the bytes that came, however they were cut', () => {
  const co2 = file(
    'co2.recording',
    recording(
      { ms: 2, asked: 'ff0186000000000079' },
      { ms: 31, hex: 'ff86026047' },
      { ms: 33, hex: '000000d1' },
    ),
  )
  const { stdout, stderr, status } = wayside(['decode', 'mhz19', co2, '--doubts'])
  assert.deepEqual([values(stdout), status], [[{ co2: 608, temperature: 31, status: 0 }], 0])
  assert.match(stderr, /1 decoded, 0 doubted, 0 bytes skipped/)
})

test('the questions of a recorded bus tell what its answers are about', () => {
  const text = recording(
    { ms: 2, asked: '010400480002f1dd' },
    { ms: 60, hex: '010404462a' },
    { ms: 61, hex: '7521298c' },
  )
  const { stdout, status } = wayside(['decode', 'modbus', '--profile', 'sdm230'], { input: text })
  assert.equal(status, 0)
  assert.deepEqual(values(stdout).at(-1), { '1-0:1.8.0': 10_909.2822265625 })
})

test('a recording that is none is a fault that says the line', () => {
  const broken = file('broken.recording', recording({ ms: 2, hex: 'xyz' }))
  const { stderr, status } = wayside(['decode', 'mhz19', broken])
  assert.equal(status, 2)
  assert.match(stderr, /line 2 is neither/)
})

test('a sensor of a config is read with its table, whatever folder it is started in', () => {
  const heard = wayside(['decode', 'garden', '--config', config], { input: '#\n215,40\n' })
  assert.deepEqual(
    [values(heard.stdout), heard.status],
    [[{ temperature: 21.5, unchecked: true }], 0],
  )
  const meter = wayside(
    ['decode', 'meter', '--config', config, '--hex', '--request', '01040000000271cb'],
    { input: '010404436633341b38' },
  )
  assert.deepEqual(values(meter.stdout), [{ '1-0:32.7.0': 230.20001220703125 }])
  // What is written here comes before what the config says, and a driver is still one.
  const other = wayside(['decode', 'garden', '--config', config, '--option', 'table=none'], {
    input: '#\n5,4\n',
  })
  assert.deepEqual(values(other.stdout), [{ c1: 5, c2: 4, unchecked: true }])
  assert.equal(wayside(['decode', 'lines', '--config', config], { input: '#\nt=1\n' }).status, 0)
  const none = wayside(['decode', 'cellar', '--config', config], { input: 'x' })
  assert.equal(none.status, 2)
  assert.match(none.stderr, /cellar\n.*garden or meter/)
})

test('hex digits are read as tools print them: dumps with their margins, and logs with single digits', () => {
  const frame = 'ff86028a44000000aa'
  const co2 = [{ co2: 650, temperature: 28, status: 0 }]
  const xxd =
    '00000000: ff86 028a 4400 0000 aaff 8602 8a44 0000  ....D.......D..\n00000010: 00aa                                     ..\n'
  const dumpC =
    '00000000  ff 86 02 8a 44 00 00 00  aa                       |....D....|\n00000009\n'
  const rows: readonly (readonly [string, number])[] = [
    [frame, 1],
    [`${frame}\n${frame.toUpperCase()}`, 2],
    [xxd, 2],
    [dumpC, 1],
    ['00000000: ff 86 02 8a 44 00 00 00 aa  ....D....\n', 1],
    ['0xff 0x86 0x2 0x8a 0x44 0x0 0x0 0x0 0xaa\n', 1],
    ['0xFF, 0x86, 0x02, 0x8A, 0x44, 0x00, 0x00, 0x00, 0xAA', 1],
    ['[ff][86][02][8a][44][00][00][00][aa]', 1],
  ]
  for (const [input, many] of rows) {
    const { stdout, stderr } = wayside(['decode', 'mhz19', '--hex', '-'], { input })
    assert.match(stderr, new RegExp(`^${many} decoded, 0 doubted, 0 bytes skipped`), input)
    assert.deepEqual(values(stdout).slice(0, 1), co2)
  }
  const { stderr, status } = wayside(['decode', 'mhz19', '--hex', '-'], { input: 'RX: ff86' })
  assert.deepEqual([status, /not hex digits: "R"/.test(stderr)], [2, true])
})
