import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sps30 } from '../../drivers/sps30.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { doubts, hear, sayings } from './bench.ts'
import { holdMap } from './maps.ts'

holdMap('sps30', sps30, {
  pm01: ['pm1', 1],
  pm25: ['pm2_5', 1],
  pm04: ['pm4', 1],
  pm10: ['pm10', 1],
  n0_5: ['to0_5um', 1],
  n1_0: ['to1um', 1],
  n2_5: ['to2_5um', 1],
  n4_0: ['to4um', 1],
  n10_0: ['to10um', 1],
  diam: ['typical_size', 1],
})

const at = (work: ReturnType<typeof decoder>, nowMs: number) =>
  Buffer.from(work.ask(nowMs)?.send ?? []).toString('hex')

test('it is started, then asked each second, and started again when it says that it does not measure', () => {
  const work = decoder(sps30, readOptions(sps30))
  // Both as the data sheet prints them.
  assert.equal(at(work, 0), '7e0000020103f97e')
  assert.equal(at(work, 1_000), '7e000300fc7e')
  const [idle] = work.push(frame(0x03, 0x43))
  assert.deepEqual(idle?.said, { ok: false, doubt: 'not measuring' })
  assert.equal(at(work, 1_100), '', 'but not more than once a second')
  assert.equal(at(work, 2_000), '7e0000020103f97e')
})

test('one that measures already refuses to be started, and is asked in its time', () => {
  const work = decoder(sps30, readOptions(sps30))
  work.ask(0)
  const [refused] = work.push(frame(0x00, 0x43))
  assert.deepEqual(refused?.said, { ok: false, doubt: 'measuring already' })
  assert.equal(at(work, 10), '', 'not started again and again')
  assert.equal(at(work, 1_000), '7e000300fc7e')
})

test('a question without an answer is a doubt, and one that it refuses is another', () => {
  const work = decoder(sps30, readOptions(sps30))
  work.ask(0)
  assert.equal(work.ask(1_000)?.doubt, 'no answer')
  const [refused] = work.push(frame(0x03, 0x28))
  assert.deepEqual(refused?.said, { ok: false, doubt: 'refused', detail: 'argument out of range' })
  assert.equal(work.ask(2_000)?.doubt, undefined)
})

test('a status without a fault is no error', () => {
  const heard = hear(sps30, frame(0xd2, 0x00, [0, 0, 0, 0, 0]))
  assert.deepEqual(doubts(heard), ['answer to a command'])
})

test('both formats of numbers are read, told by their length', () => {
  const words = [5, 9, 12, 13, 26, 37, 42, 42, 43, 835]
  const data = words.flatMap((word) => [word >> 8, word & 0xff])
  const [said] = sayings(hear(sps30, frame(0x03, 0x00, data)))
  assert.deepEqual(Object.values(said?.values ?? {}), [...words.slice(0, 9), 0.835])
  assert.equal(at(decoder(sps30, readOptions(sps30, { format: 'integer' })), 0), '7e0000020105f77e')
})

test('a broken fan is asked after, and named', () => {
  const work = decoder(sps30, readOptions(sps30))
  work.ask(0)
  const [broken] = work.push(frame(0x03, 0x80))
  assert.deepEqual(broken?.said, { ok: false, doubt: 'error' })
  assert.equal(at(work, 1_000), '7e00d201002c7e')
  const [named] = work.push(frame(0xd2, 0x80, [0x00, 0x00, 0x00, 0x10, 0x00]))
  assert.deepEqual(named?.said, { ok: false, doubt: 'error', detail: 'fan stands still' })
})

test('what it says of itself is no reading, and told', () => {
  const said = (command: number, data: readonly number[]) => {
    const [{ said: one } = assert.fail()] = hear(sps30, frame(command, 0x00, data))
    return one.ok ? undefined : one.detail
  }
  const number = [...Buffer.from('8F6A47D1BB0C6A0D'), 0]
  assert.equal(said(0xd0, number), '8F6A47D1BB0C6A0D')
  assert.equal(said(0xd1, [2, 2, 0, 7, 0, 2, 0]), 'firmware 2.2, hardware 7')
  assert.equal(said(0x80, [0x00, 0x09, 0x3a, 0x80]), 'cleans every 604800 s')
  assert.equal(said(0x01, []), '01')
})

test('a number that is none makes no reading', () => {
  const data = [0x7f, 0xc0, 0, 0, ...Array(36).fill(0)]
  assert.deepEqual(doubts(hear(sps30, frame(0x03, 0x00, data))), ['no number'])
})

test('a stuffed byte that is none is no frame', () => {
  assert.deepEqual(doubts(hear(sps30, Buffer.from('7e00037d00fc7e', 'hex'))), ['bad stuffing'])
})

test('stuffed marks inside the numbers are read as what they were', () => {
  const data = [0x7e, 0x7d, 0x11, 0x13, ...Array(16).fill(0)]
  const [said] = sayings(hear(sps30, frame(0x03, 0x00, data)))
  assert.deepEqual([said?.values.pm1, said?.values.pm2_5], [0x7e7d, 0x1113])
})

function frame(command: number, state: number, data: readonly number[] = []): Uint8Array {
  const plain = [0x00, command, state, data.length, ...data]
  const sum = ~plain.reduce((all, byte) => all + byte, 0) & 0xff
  const marks = new Set([0x7e, 0x7d, 0x11, 0x13])
  const inside = [...plain, sum].flatMap((byte) => (marks.has(byte) ? [0x7d, byte ^ 0x20] : byte))
  return Uint8Array.of(0x7e, ...inside, 0x7e)
}
