/** Every case from other projects and from makers' documents, and what it becomes here. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { crc16 } from '../../../drivers/modbus/crc.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { chooseDriver } from '../../../runtime/sense/choose.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { capture, cases } from '../bench.ts'

type Case = {
  readonly name: string
  readonly input_hex: string
  readonly request_hex?: string | null
  readonly expect: {
    readonly crc16_as_pymodbus_int?: string
    readonly registers?: readonly number[]
    readonly values?: readonly (number | boolean)[]
  }
}

type Becomes = {
  readonly profile?: string
  readonly request?: string
  readonly subject?: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly doubt?: string
  readonly out?: string
  /** What stands before the frame may look like the beginning of one. */
  readonly noise?: true
}

const shared = cases<Case>('modbus/cases.json')
const all = [...shared, ...cases<Case>('modbus/more.json')]
const mapIn = (path: string) => JSON.parse(new TextDecoder().decode(capture(path)))
const map: Readonly<Record<string, Becomes>> = {
  ...mapIn('modbus/map.json'),
  ...mapIn('modbus/moremap.json'),
}

test('the map has every case and no other', () => {
  assert.deepEqual(
    all.map(({ name }) => name),
    Object.keys(map),
  )
})

for (const { name, input_hex, request_hex, expect } of all) {
  const becomes = map[name] ?? {}
  const { profile = 'generic', request = request_hex ?? '', out } = becomes
  test(`the case ${name} becomes what the map says`, () => {
    const { driver, options } = chooseDriver([modbus], 'modbus', { profile })
    const work = decoder(driver, options)
    work.push(Buffer.from(request, 'hex'))
    const heard = [...work.push(Buffer.from(input_hex, 'hex')), ...work.finish()]
    if (out !== undefined) return assert.deepEqual(heard, [])
    const mended = heard.filter(({ said }) => said.ok || said.doubt !== 'bad checksum')
    const [{ said } = assert.fail('nothing was heard'), ...more] = becomes.noise ? mended : heard
    assert.deepEqual(more, [])
    if (!said.ok) return assert.equal(said.doubt, becomes.doubt)
    assert.deepEqual(said.values, becomes.values)
    const theirs = expect.registers ?? expect.values
    if (theirs !== undefined) assert.deepEqual(Object.values(said.values), theirs)
    assert.equal(said.subject, becomes.subject)
  })
}

test('the CRC is the one that others compute', () => {
  for (const { input_hex, expect } of shared) {
    const theirs = expect.crc16_as_pymodbus_int
    const bytes = Buffer.from(input_hex, 'hex')
    if (theirs === undefined) assert.equal(crc16(bytes), 0)
    // pymodbus writes the two bytes as they are sent, the low one first.
    else assert.equal(swapped(crc16(bytes)), Number(theirs))
  }
})

test('decode reads an answer by its request, and a whole line in both directions', () => {
  const volts = ['--hex', '--profile', 'sdm120', '--request', '01 04 00 00 00 02 71 cb']
  const one = wayside(volts, '01 04 04 43 66 33 34 1b 38')
  assert.equal(one.status, 0, one.stderr)
  const said = JSON.parse(one.stdout)
  assert.deepEqual([said.offset, said.subject, said.units], [0, '1', { '1-0:32.7.0': 'V' }])
  // As modpoll, libmodbus, ESPHome and C print bytes.
  const printed = ['[01][04][04][43][66][33][34][1B][38]', '01.04.04.43.66.33.34.1B.38']
  for (const text of [...printed, '0x01, 0x04, 0x04, 0x43, 0x66, 0x33, 0x34, 0x1b, 0x38']) {
    assert.equal(wayside(volts, text).stdout, one.stdout, text)
  }
  const line = wayside(['--hex', '--doubts'], shared.map(({ input_hex }) => input_hex).join(' '))
  assert.match(line.stderr, /9 decoded, 4 doubted, 8 bytes skipped/)
  const rows = line.stdout
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row))
  assert.deepEqual(rows[1].values, { r124: 141, r125: 142 })
})

test('decode refuses a request that is no frame, and a table that is wrong, by its place', () => {
  const cut = wayside(['--hex', '--request', '0104000000'], '00')
  assert.equal(cut.status, 2)
  assert.match(cut.stderr, /--request/)
  const table = wayside(['--hex', '--profile', 'test/captures/modbus/map.json'], '00')
  assert.equal(table.status, 2)
  assert.match(table.stderr, /map\.json:\d+:\d+: /)
})

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8)
}

function wayside(args: readonly string[], input: string) {
  const bin = fileURLToPath(new URL('../../../runtime/main.ts', import.meta.url))
  const cwd = fileURLToPath(new URL('../../..', import.meta.url))
  return spawnSync(process.execPath, [bin, 'decode', 'modbus', ...args], {
    ...{ cwd, input, encoding: 'utf8' },
  })
}
