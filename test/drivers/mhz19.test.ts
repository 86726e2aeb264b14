import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mhz19 } from '../../drivers/mhz19.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { hear } from './bench.ts'
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

test('while it starts it says so, and what it answers to other commands is told', () => {
  const heard = (hex: string) => hear(mhz19, Buffer.from(hex, 'hex'))[0]?.said
  // 410 ppm, 20 °C, and 15000 behind the status; the same once it is stable.
  assert.deepEqual(heard('ff86019a3c003a98d1'), { ok: false, doubt: 'still starting' })
  assert.deepEqual(heard('ff86019a3c40000063'), {
    ok: true,
    values: { co2: 410, temperature: 20, status: 64 },
  })
  const told = (doubt: string, detail?: string) => ({ ok: false, doubt, ...(detail && { detail }) })
  assert.deepEqual(
    heard('ff9b000007d000008e'),
    told('answer to a command', 'range is: 00 00 07 d0 00 00'),
  )
  assert.deepEqual(heard('ff0186000000000079'), told('a question, not an answer'))
})
