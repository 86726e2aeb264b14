import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sds011 } from '../../drivers/sds011.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
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

test('asked every ten minutes it sleeps between: woken, blown free, asked, sent to sleep', () => {
  const work = decoder(sds011, readOptions(sds011, { mode: 'ask', every: '10min' }))
  // The questions are the examples of its maker's protocol, for any sensor.
  assert.equal(at(work, 0), 'aab402010100000000000000000000ffff02ab')
  assert.equal(at(work, 1_000), 'aab406010100000000000000000000ffff06ab')
  assert.equal(at(work, 20_000), '')
  const early = work.push(report)
  assert.deepEqual(
    early.map(({ said }) => said),
    [{ ok: false, doubt: 'warming up' }],
  )
  assert.equal(at(work, 31_000), 'aab404000000000000000000000000ffff02ab')
  const [heard] = work.push(report)
  assert.ok(heard?.said.ok && heard.said.values.pm2_5 === 123.6)
  assert.equal(at(work, 31_100), 'aab406010000000000000000000000ffff05ab')
  assert.equal(at(work, 300_000), '')
  assert.equal(at(work, 601_100), 'aab406010100000000000000000000ffff06ab')
})

test('a sensor that did not answer is sent to sleep all the same', () => {
  const work = decoder(sds011, readOptions(sds011, { mode: 'ask', every: '1min' }))
  for (const nowMs of [0, 1_000, 31_000]) work.ask(nowMs)
  assert.equal(at(work, 36_000), 'aab406010000000000000000000000ffff05ab')
})

test('its own cycle is set once', () => {
  const work = decoder(sds011, readOptions(sds011, { mode: 'cycle', cycle: 1 }))
  assert.equal(at(work, 0), 'aab408010100000000000000000000ffff08ab')
  assert.equal(at(work, 100_000), '')
})

test('its sleep is not taken for silence', () => {
  const asked = sds011.under?.(readOptions(sds011, { mode: 'ask', every: '10min' }))
  assert.ok((asked?.silenceMs ?? 0) > 600_000)
})
