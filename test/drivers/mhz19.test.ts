import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mhz19 } from '../../drivers/mhz19.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { holdMap } from './maps.ts'

holdMap('mhz19', mhz19, { CO2: ['co2', 1] })

const at = (work: ReturnType<typeof decoder>, nowMs: number) =>
  Buffer.from(work.ask(nowMs)?.send ?? []).toString('hex')

test('it is asked in its time, and a question without an answer is a doubt', () => {
  const work = decoder(mhz19, readOptions(mhz19))
  assert.equal(at(work, 0), 'ff0186000000000079')
  assert.equal(at(work, 4_999), '')
  assert.equal(work.ask(5_000)?.doubt, 'no answer')
  work.push(Buffer.from('ff8601020000000077', 'hex'))
  assert.equal(work.ask(10_000)?.doubt, undefined)
})

test('range and self-calibration are set before the first question, when they are named', () => {
  const work = decoder(mhz19, readOptions(mhz19, { range: '5000', calibration: 'off' }))
  // The manual's own example of a range of 5000 ppm would be ff 01 99 00 00 00 13 88 cb.
  assert.equal(at(work, 0), 'ff01990000001388cb')
  assert.equal(at(work, 1_000), 'ff0179000000000086')
  assert.equal(at(work, 2_000), 'ff0186000000000079')
})

test('before its first measurement it says 0, which is no air', () => {
  const work = decoder(mhz19, readOptions(mhz19))
  const [heard] = work.push(Buffer.from('ff860000000000007a', 'hex'))
  assert.deepEqual(heard?.said, { ok: false, doubt: 'nothing measured yet' })
})
