import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sds011 } from '../../drivers/sds011.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { hear } from './bench.ts'
import { holdMap } from './maps.ts'

holdMap('sds011', sds011, {
  pm25: ['pm2_5', 1],
  pm10: ['pm10', 1],
  pm100: ['pm100', 1],
  // Which sensor it was is the subject.
  id: null,
  direction: null,
  // The same figures in words, of the case whose numbers stand in `bertrik-sds011-datasheet`.
  asserted_in_test: null,
})

const at = (work: ReturnType<typeof decoder>, nowMs: number) =>
  Buffer.from(work.ask(nowMs)?.send ?? []).toString('hex')
const report = Buffer.from('aac0d4043a0aa1601dab', 'hex')

test('nothing is sent to a sensor that is listened to', () => {
  const work = decoder(sds011, readOptions(sds011))
  assert.equal(at(work, 0), '')
  assert.equal(at(work, 3_600_000), '')
})

const [wake, toldToWait, question, sleep] = [
  'aab406010100000000000000000000ffff06ab',
  'aab402010100000000000000000000ffff02ab',
  'aab404000000000000000000000000ffff02ab',
  'aab406010000000000000000000000ffff05ab',
]
const asked = (every: string) => decoder(sds011, readOptions(sds011, { mode: 'ask', every }))
const said = (work: ReturnType<typeof decoder>) =>
  work.push(report).map((one) => (one.said.ok ? one.said.values.pm2_5 : one.said.doubt))

test('asked every ten minutes it sleeps between: woken, blown free, asked, sent to sleep', () => {
  const work = asked('10min')
  // The questions are the examples of its maker's protocol, for any sensor.
  assert.equal(at(work, 0), wake)
  assert.deepEqual(said(work), ['not asked for'])
  assert.equal(at(work, 1_000), toldToWait)
  assert.equal(at(work, 29_999), '')
  assert.equal(at(work, 30_000), question)
  assert.deepEqual(said(work), [123.6])
  assert.equal(at(work, 30_100), sleep)
  assert.equal(at(work, 599_999), '')
  assert.equal(at(work, 600_000), wake)
  assert.equal(at(work, 601_000), '', 'it is told once')
  assert.equal(at(work, 630_000), question)
})

test('asked every ten seconds it stays awake, and one that does not answer is woken again', () => {
  const work = asked('10s')
  for (const nowMs of [0, 1_000]) work.ask(nowMs)
  for (const nowMs of [30_000, 40_000]) {
    assert.equal(at(work, nowMs), question)
    assert.deepEqual(said(work), [123.6])
  }
  assert.equal(at(work, 50_000), question)
  const missed = work.ask(60_000)
  assert.equal(missed?.doubt, 'no answer')
  assert.equal(Buffer.from(missed?.send ?? []).toString('hex'), wake)
})

test('one that speaks unasked is told again', () => {
  const work = asked('10s')
  for (const nowMs of [0, 1_000, 30_000]) work.ask(nowMs)
  assert.deepEqual([...said(work), ...said(work)], [123.6, 'not asked for'])
  assert.equal(at(work, 30_500), '', 'but not more than once a second')
  assert.equal(at(work, 31_000), toldToWait)
})

test('a sensor that did not answer is sent to sleep all the same', () => {
  const work = asked('1min')
  for (const nowMs of [0, 1_000, 30_000]) work.ask(nowMs)
  assert.equal(at(work, 35_000), sleep)
})

test('its own cycle is set once, on a sensor that is awake and speaks; 0 makes it as delivered', () => {
  for (const [cycle, set] of [
    [1, 'aab408010100000000000000000000ffff08ab'],
    [0, 'aab408010000000000000000000000ffff07ab'],
  ] as const) {
    const work = decoder(sds011, readOptions(sds011, { mode: 'cycle', cycle }))
    assert.equal(at(work, 0), wake)
    assert.equal(at(work, 1_000), 'aab402010000000000000000000000ffff01ab')
    assert.equal(at(work, 2_000), set)
    assert.deepEqual(said(work), [123.6])
    assert.equal(at(work, 100_000_000), '')
  }
})

test('its sleep is not taken for silence', () => {
  const asked = sds011.under?.(readOptions(sds011, { mode: 'ask', every: '10min' }))
  assert.ok((asked?.silenceMs ?? 0) > 600_000)
})

test('what it answers to a command is told', () => {
  // The answers of the protocol's examples.
  for (const [hex, what] of [
    ['aac502000000a16003ab', 'reports unasked'],
    ['aac502010100a16005ab', 'reports only when asked'],
    ['aac505000000a001a6ab', 'its id is a001'],
    ['aac506010000a16008ab', 'sleeps'],
    ['aac506000100a16008ab', 'works'],
    ['aac5070f070aa16028ab', 'its firmware is of 15-7-10'],
    ['aac508010100a1600bab', 'reports every 1 min'],
    ['aac508010000a1600aab', 'reports each second'],
  ] as const) {
    const [heard] = hear(sds011, Buffer.from(hex, 'hex'))
    assert.deepEqual(heard?.said, { ok: false, doubt: 'answer to a command', detail: what })
  }
})

test('zeros under an id are clean air; with no id it has not begun', () => {
  const [clean] = hear(sds011, Buffer.from('aac00000000058d931ab', 'hex'))
  assert.deepEqual(clean?.said, { ok: true, subject: '58d9', values: { pm2_5: 0, pm10: 0 } })
  const [none] = hear(sds011, Buffer.from('aac000000000000000ab', 'hex'))
  assert.deepEqual(none?.said, { ok: false, doubt: 'nothing measured yet' })
})
