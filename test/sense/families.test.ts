/**
 * The vocabulary holds for sensors unlike those we have drivers for: stuffed bytes in a polled dialogue,
 * telegrams with a checksum behind their last line, and messages in two parts about one of many subjects.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decoder } from '../../runtime/sense/decoder.ts'
import {
  type Ask,
  defineDriver,
  doubt,
  flag,
  hexKey,
  type Shape,
  type Step,
  stuffed,
  textLine,
  whole,
} from '../../runtime/sense/driver.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { capture, cases, doubts, hear, sayings } from '../drivers/bench.ts'

const plain = { models: {}, otherBaudRates: [], warmUpMs: 0, silenceMs: 30_000 }
const ug = (title: string) => ({ title, type: 'number', unit: 'ug/m3' }) as const

const sps30 = defineDriver<{ readonly everyMs: number; readonly dueMs: number }>({
  ...plain,
  id: 'sps30',
  title: 'Sensirion SPS30 over SHDLC',
  serial: { baudRate: 115_200 },
  options: { everyS: whole('seconds between questions', 1, 3600, 1) },
  fields: { pm1: ug('PM1'), pm2_5: ug('PM2.5'), pm4: ug('PM4'), pm10: ug('PM10') },
  shape: stuffed({
    mark: 0x7e,
    sizeMax: 530,
    flaw(frame) {
      const sum = unstuff(frame).reduce((total, byte) => (total + byte) & 0xff, 0)
      return sum === 0xff ? undefined : 'bad checksum'
    },
  }),
  begin: ({ everyS }) => ({ everyMs: 1000 * Number(everyS), dueMs: 0 }),
  decode(frame, memory): Step<typeof memory> {
    const [, command, state, length] = unstuff(frame)
    if (command !== 3 || state !== 0 || length !== 40) return { memory, said: doubt('no values') }
    const floats = new DataView(unstuff(frame).slice(4).buffer)
    const values = Object.fromEntries(
      ['pm1', 'pm2_5', 'pm4', 'pm10'].map((name, i) => [name, floats.getFloat32(4 * i)]),
    )
    return { memory, said: { ok: true, values } }
  },
  ask(memory, nowMs): Ask<typeof memory> {
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const next = { ...memory, dueMs: nowMs + memory.everyMs }
    const send = Uint8Array.of(0x7e, 0x00, 0x03, 0x00, 0xfc, 0x7e)
    return { memory: next, send, wakeMs: memory.everyMs }
  },
})

const p1: Shape = textLine({
  starts: '/',
  sizeMax: 4096,
  size(bytes, ended) {
    const text = String.fromCharCode(...bytes)
    const end = /\r\n![0-9A-F]{4}/.exec(text)
    return end === null ? (ended ? 0 : 'more') : end.index + end[0].length
  },
  flaw(frame) {
    const sum = crc16(frame.subarray(0, -4)).toString(16).toUpperCase().padStart(4, '0')
    return sum === String.fromCharCode(...frame.subarray(-4)) ? undefined : 'bad checksum'
  },
})

const dsmr = defineDriver({
  ...plain,
  id: 'dsmr',
  title: 'DSMR smart meters, P1 port',
  serial: { baudRate: 115_200 },
  options: { key: hexKey('decryption key', 16) },
  fields: { energy_1: { title: 'energy, tariff 1', type: 'number', unit: 'kWh' } },
  shape: p1,
  begin: () => undefined,
  decode(frame, memory) {
    const [, energy = ''] = /1-0:1\.8\.1\(([\d.]+)\*kWh\)/.exec(String.fromCharCode(...frame)) ?? []
    return { memory, said: { ok: true, values: { energy_1: Number(energy) } } }
  },
})

const ais = defineDriver<{ readonly first?: string; readonly own: boolean }>({
  ...plain,
  id: 'ais',
  title: 'ships',
  serial: { baudRate: 38_400 },
  options: { own: flag('the own ship as well', false) },
  fields: { imo: { title: 'IMO number', type: 'integer' } },
  shape: textLine({ starts: '!', sizeMax: 128, flaw: () => undefined }),
  begin: ({ own }) => ({ own: own === true }),
  decode(frame, memory): Step<typeof memory> {
    const [, parts, part, , , payload = ''] = String.fromCharCode(...frame).split(',')
    if (part !== parts) return { memory: { ...memory, first: payload } }
    const bits = sixBits((memory.first ?? '') + payload)
    const number = (at: number, size: number) => Number.parseInt(bits.slice(at, at + size), 2)
    const said = {
      ok: true,
      subject: String(number(8, 30)),
      values: { imo: number(40, 30) },
    } as const
    return { memory: { own: memory.own }, said }
  },
})

test('stuffed frames of a polled sensor: asked on time, unstuffed, checked, read', () => {
  for (const { input_hex, expect } of cases<{ input_hex: string; expect: { pm25: number } }>(
    'families/sps30.json',
  )) {
    const frame = Buffer.from(input_hex, 'hex')
    const [said] = sayings(hear(sps30, frame))
    assert.equal(Number(said?.values.pm2_5).toFixed(1), expect.pm25.toFixed(1))
    frame[9] = 0
    assert.ok(doubts(hear(sps30, frame)).includes('bad checksum'))
  }
  const work = decoder(sps30, readOptions(sps30, { everyS: 5 }))
  assert.equal(work.ask(0)?.send?.length, 6)
  assert.deepEqual([work.ask(1_000)?.send, work.ask(1_000)?.wakeMs], [undefined, 4_000])
  assert.equal(work.ask(5_000)?.send?.length, 6)
})

test('a telegram of lines is one frame, with its checksum behind the last', () => {
  const telegram = capture('families/dsmr-v5.txt')
  const twice = Uint8Array.from([...telegram.subarray(100), ...telegram, ...telegram])
  const found = sayings(hear(dsmr, twice, { key: '00'.repeat(16) }))
  assert.deepEqual(
    found.map(({ values }) => values.energy_1),
    [4.426, 4.426],
  )
})

test('a message in two parts is said once, by its second part, about its subject', () => {
  const heard = hear(ais, capture('families/ais.txt'))
  assert.equal(heard.length, 1)
  assert.equal(sayings(heard)[0]?.subject, '367309440')
})

function unstuff(frame: Uint8Array): Uint8Array {
  const bytes: number[] = []
  for (let at = 1; at < frame.length - 1; at += 1) {
    const escaped = frame[at] === 0x7d
    if (escaped) at += 1
    bytes.push((frame[at] ?? 0) ^ (escaped ? 0x20 : 0))
  }
  return Uint8Array.from(bytes)
}

function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

function sixBits(payload: string): string {
  return Array.from(payload, (letter) => {
    const code = letter.charCodeAt(0) - 48
    return (code > 40 ? code - 8 : code).toString(2).padStart(6, '0')
  }).join('')
}
