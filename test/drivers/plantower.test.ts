import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { plantower } from '../../drivers/plantower.ts'
import { decoder, type Heard } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { cases, doubts, hear, sayings } from './bench.ts'
import { bytesOf, type Case, holdMap } from './maps.ts'

const frames = cases<Case>('plantower/cases.json').map((one) => bytesOf('plantower', one))

// Their counts are per cm³, ours per 0.1 L.
holdMap('plantower', plantower, {
  pm01: ['pm1', 1],
  pm25: ['pm2_5', 1],
  pm10: ['pm10', 1],
  raw01: ['pm1_factory', 1],
  raw25: ['pm2_5_factory', 1],
  raw10: ['pm10_factory', 1],
  n0_3: ['over0_3um', 100],
  n0_5: ['over0_5um', 100],
  n1_0: ['over1um', 100],
  n2_5: ['over2_5um', 100],
  temp: ['temperature', 1],
  rhum: ['humidity', 1],
  'count_gt_5_0um_per_0.1L': ['over5um', 1],
  version: ['firmware', 1],
  errorcode: ['error_code', 1],
})

test('one flipped bit never becomes a reading', () => {
  for (const frame of frames) {
    // Garbage before the frame is not part of the reading.
    for (let bit = 8 * (frame.indexOf(0x4d) - 1); bit < frame.length * 8; bit += 1) {
      const flipped = frame.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const found = sayings(hear(plantower, flipped))
      assert.equal(found.length, 0, `bit ${bit} of ${Buffer.from(frame).toString('hex')}`)
    }
  }
})

test('finds the frames in any noise, dealt in any way', () => {
  const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => bytes.filter((b) => b !== 0x42))
  const frame = unhex('424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599')
  fc.assert(
    fc.property(fc.array(noise, { minLength: 1, maxLength: 6 }), (gaps) => {
      const stream = Uint8Array.from(gaps.flatMap((gap) => [...gap, ...frame]))
      assert.equal(sayings(hear(plantower, stream)).length, gaps.length)
    }),
  )
})

test('a stopped fan is a doubt, not a clean room', () => {
  const frame = signed({ words: [1, 2, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0x9700] })
  assert.deepEqual(doubts(hear(plantower, frame)), ['mass without particles'])
  // A Honeywell HPMA115 that speaks unasked: the same frame, and only PM2.5 and PM10 in it.
  const honeywell = signed({ words: [0, 35, 37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
  assert.deepEqual(doubts(hear(plantower, honeywell)), ['mass without particles'])
})

test('nothing but zeros is a sensor that has not begun; zeros under its version are clean air', () => {
  const zeros = Array(12).fill(0)
  assert.deepEqual(doubts(hear(plantower, signed({ words: [...zeros, 0] }))), [
    'nothing measured yet',
  ])
  const [clean] = sayings(hear(plantower, signed({ words: [...zeros, 0x9700] })))
  assert.deepEqual([clean?.values.pm2_5, clean?.values.over0_3um], [0, 0])
})

test('a 5003T tells frost, and is known by it in the cleanest air', () => {
  const words = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xffce, 812, 0x9700]
  const [frost] = sayings(hear(plantower, signed({ words })))
  assert.deepEqual([frost?.values.temperature, frost?.values.humidity], [-5, 81.2])
})

test('counts that rise for once are no climate: nobody breathes air of 0.1 °C and 0 %RH', () => {
  const words = [1, 2, 3, 1, 2, 3, 300, 20, 4, 0, 1, 0, 0x9700]
  const [said] = sayings(hear(plantower, signed({ words })))
  assert.deepEqual([said?.values.over5um, said?.values.temperature], [1, undefined])
})

test('names every model by the options it stands for', () => {
  const words = [1, 2, 3, 4, 5, 6, 70, 60, 50, 40, 30, 20]
  const plain = signed({ words: [...words, 0x9700] })
  const [pms5003] = sayings(hear(plantower, plain, { variant: 'pms5003' }))
  assert.equal(pms5003?.values.over10um, 20)
  assert.equal(pms5003?.values.firmware, 0x97)
  const [pms5003s] = sayings(hear(plantower, plain, { variant: 'pms5003s' }))
  assert.equal(pms5003s?.values.ch2o, 0x9700)
  const [pms5003t] = sayings(hear(plantower, plain, { variant: 'pms5003t' }))
  assert.equal(pms5003t?.values.temperature, 3)
  const long = signed({ words: [...words, 11, 0xffec, 455, 0, 0x9100] })
  const [pms5003st] = sayings(hear(plantower, long))
  assert.deepEqual(
    [pms5003st?.values.ch2o, pms5003st?.values.temperature, pms5003st?.values.humidity],
    [11, -2, 45.5],
  )
})

test('a 5003T found by its counts stays one, when its counts could be those of another', () => {
  const clear = signed({ words: [1, 2, 3, 1, 2, 3, 90, 60, 30, 10, 215, 400, 0x9a00] })
  const dusty = signed({ words: [1, 2, 3, 1, 2, 3, 9000, 6000, 3000, 1000, 215, 200, 0x9a00] })
  const found = sayings(hear(plantower, Uint8Array.from([...clear, ...dusty])))
  assert.deepEqual(
    found.map(({ values }) => [values.temperature, values.humidity, values.over5um]),
    [
      [21.5, 40, undefined],
      [21.5, 20, undefined],
    ],
  )
})

test('a 5003T in dusty air is told by its humidity, which stands where fewer particles should', () => {
  const dusty = signed({ words: [1, 2, 3, 1, 2, 3, 9000, 6000, 3000, 1000, 215, 400, 0x9a00] })
  const [said] = sayings(hear(plantower, dusty))
  assert.deepEqual([said?.values.temperature, said?.values.humidity], [21.5, 40])
})

const asked = (options: Record<string, unknown>) =>
  decoder(plantower, readOptions(plantower, { mode: 'ask', ...options }))
const at = (work: ReturnType<typeof decoder>, nowMs: number) =>
  Buffer.from(work.ask(nowMs)?.send ?? []).toString('hex')
const report = unhex('424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599')
// As the manuals print them.
const [wake, sleep, passive, question] = [
  '424de400010174',
  '424de400000173',
  '424de100000170',
  '424de200000171',
]

test('nothing is sent to a sensor that is listened to', () => {
  const work = decoder(plantower, readOptions(plantower))
  assert.equal(at(work, 0), '')
  work.push(report)
  assert.equal(at(work, 3_600_000), '')
})

test('asked every ten minutes it sleeps between: woken, told, blown free, asked, sent to sleep', () => {
  const work = asked({ every: '10min' })
  assert.equal(at(work, 0), wake)
  assert.deepEqual(said(work.push(report)), ['not asked for'])
  assert.equal(at(work, 1_000), passive)
  assert.deepEqual(said(work.push(unhex('424d0004e1000174'))), ['answer to a command'])
  assert.equal(at(work, 29_999), '')
  assert.equal(at(work, 30_000), question)
  assert.deepEqual(said(work.push(report)), ['read'])
  assert.equal(at(work, 30_100), sleep)
  assert.equal(at(work, 599_999), '')
  assert.equal(at(work, 600_000), wake)
})

test('asked every ten seconds it stays awake', () => {
  const work = asked({ every: '10s' })
  for (const nowMs of [0, 1_000]) at(work, nowMs)
  for (const nowMs of [30_000, 40_000, 50_000]) {
    assert.equal(at(work, nowMs), question)
    assert.deepEqual(said(work.push(report)), ['read'])
    assert.equal(at(work, nowMs + 9_999), '')
  }
})

test('one that does not answer is a doubt, and is woken and told again', () => {
  const work = asked({ every: '10s' })
  for (const nowMs of [0, 1_000, 30_000]) at(work, nowMs)
  const turn = work.ask(40_000)
  assert.equal(turn?.doubt, 'no answer')
  assert.equal(Buffer.from(turn?.send ?? []).toString('hex'), wake)
  assert.equal(at(work, 41_000), passive)
  const asleep = asked({ every: '1min' })
  for (const nowMs of [0, 1_000, 30_000]) at(asleep, nowMs)
  assert.equal(at(asleep, 35_000), sleep)
  assert.equal(at(asleep, 60_000), wake)
})

test('one that speaks unasked has lost its power: it is told again, or sent to sleep again', () => {
  const work = asked({ every: '10s' })
  for (const nowMs of [0, 1_000, 30_000]) at(work, nowMs)
  work.push(report)
  assert.deepEqual(said(work.push(report)), ['not asked for'])
  assert.equal(at(work, 31_000), passive)
  assert.equal(at(work, 32_000), question)
  const asleep = asked({ every: '10min' })
  for (const nowMs of [0, 1_000, 30_000]) at(asleep, nowMs)
  asleep.push(report)
  assert.equal(at(asleep, 30_100), sleep)
  assert.deepEqual(said(asleep.push(report)), ['not asked for'])
  assert.equal(at(asleep, 200_000), sleep)
  assert.equal(at(asleep, 600_000), wake)
})

test('its sleep is not taken for silence', () => {
  const under = plantower.under?.(readOptions(plantower, { mode: 'ask', every: '10min' }))
  assert.ok((under?.silenceMs ?? 0) > 635_000)
})

test('a frame that the named model cannot send is a doubt, and so is an answer to a command', () => {
  const frame = unhex('424d001400000000000000000000000000000000005100f4')
  assert.deepEqual(doubts(hear(plantower, frame, { variant: 'pms7003' })), [
    'frame of another model',
  ])
  assert.deepEqual(doubts(hear(plantower, unhex('424d0004e1000174'))), ['answer to a command'])
})

function said(heard: readonly Heard[]): string[] {
  return heard.map((one) => (one.said.ok ? 'read' : one.said.doubt))
}

function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** A frame of these big-endian words, with its head and sum. */
function signed({ words }: { readonly words: readonly number[] }): Uint8Array {
  const frame = new DataView(new ArrayBuffer(4 + 2 * words.length + 2))
  frame.setUint16(0, 0x424d)
  frame.setUint16(2, 2 * words.length + 2)
  words.forEach((word, i) => void frame.setUint16(4 + 2 * i, word))
  const bytes = new Uint8Array(frame.buffer)
  frame.setUint16(
    bytes.length - 2,
    bytes.reduce((sum, byte) => sum + byte, 0),
  )
  return bytes
}
