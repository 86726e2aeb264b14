/** A driver of somebody else at its worst: the device counts a doubt and goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sds011 } from '../../drivers/sds011.ts'
import { openBook, reasonsMax } from '../../runtime/sense/book.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import type { Driver, Said } from '../../runtime/sense/driver.ts'
import { guarded, wrongSaying } from '../../runtime/sense/guard.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { doubts, sayings } from '../drivers/bench.ts'

const { under: _, ask: __, ...plain } = sds011
const frame = Uint8Array.from(Buffer.from('aac0d4043a0aa1601dab', 'hex'))
const boom = () => {
  throw new TypeError('cannot read properties of undefined')
}
const says = (said: unknown): Driver => ({
  ...plain,
  decode: (_frame, memory) => ({ memory, said: said as Said }),
})

test('a driver that throws anywhere is a counted doubt, and its next frame is heard', () => {
  let count = 0
  const once: Driver = {
    ...plain,
    decode(bytes, memory) {
      count += 1
      return count === 1 ? boom() : plain.decode(bytes, memory)
    },
  }
  const heard = decoder(guarded(once), readOptions(once)).push(Buffer.concat([frame, frame]))
  assert.deepEqual(doubts(heard), ['the driver threw'])
  assert.equal(sayings(heard).length, 1)
  const flaw = guarded({ ...plain, shape: { ...plain.shape, flaw: boom } })
  assert.ok(doubts(decoder(flaw, readOptions(flaw)).push(frame)).includes('the driver threw'))
  const size = decoder(guarded({ ...plain, shape: { ...plain.shape, size: boom } }), {})
  assert.deepEqual([size.push(frame), size.skipped()], [[], 10])
  const asks = guarded({ ...plain, ask: boom })
  assert.deepEqual(asks.ask?.(1, 0), { memory: 1, wakeMs: 60_000, doubt: 'the driver threw' })
  const as = guarded({ ...plain, under: () => ({ ...plain, decode: boom }) })
  const chosen = as.under?.({}) ?? assert.fail('no other form')
  assert.equal(chosen.decode(frame, 0).said?.ok, false)
})

test('what no reading can hold is a doubt that says what it is', () => {
  const ok = true
  for (const [said, wrong] of [
    [{ ok, values: { pm2_5: Number.NaN } }, 'the value of pm2_5'],
    [{ ok, values: { pm2_5: undefined } }, 'the value of pm2_5'],
    [{ ok, values: { pm2_5: { of: 1 } } }, 'the value of pm2_5'],
    [{ ok, values: { total: 2n ** 64n } }, 'the value of total'],
    [{ ok, values: { 'a/b': 1 } }, 'the field name a/b'],
    [{ ok, values: { a: 1 }, units: { a: 'furlong' } }, 'the unit furlong'],
    [{ ok, values: { a: 1 }, subject: '1/2' }, 'the subject 1/2'],
    [{ ok, values: { a: 1 }, time: 'yesterday' }, 'the time yesterday'],
    [{ ok }, 'TypeError: Cannot convert undefined or null to object'],
  ] as const) {
    const [{ said: heard } = { said: undefined }] = decoder(guarded(says(said)), {}).push(frame)
    assert.ok(heard !== undefined && !heard.ok)
    assert.equal(heard.detail, wrong)
  }
  assert.equal(decoder(guarded(says(undefined)), {}).push(frame).length, 0)
})

test('whatever a driver says, what passes its guard is a reading or a doubt', () => {
  fc.assert(
    fc.property(fc.anything(), (said) => {
      for (const one of decoder(guarded(says(said)), {}).push(frame)) {
        if (one.said.ok) assert.equal(wrongSaying(plain, one.said), undefined)
        else assert.equal(typeof one.said.doubt, 'string')
      }
    }),
  )
})

test('doubts are counted whatever they are called, and of ever new ones only so many by name', () => {
  const told: string[] = []
  const book = openBook({
    ...{ name: 'air', driver: plain, options: {}, path: '/dev/ttyUSB0' },
    open: boom,
    clock: { boot: 'ab'.repeat(16), monotonicMs: () => 0, wall: () => undefined },
    moment() {},
    doubt: (reason) => told.push(reason),
    note() {},
  })
  const unlucky = ['constructor', '__proto__', 'constructor']
  const ever = Array.from({ length: 2 * reasonsMax }, (_, i) => `doubt ${i}`)
  for (const reason of [...unlucky, ...ever, 'constructor']) book.hears.doubt(reason)
  const doubts = new Map(Object.entries(book.health().doubts))
  assert.deepEqual([doubts.get('constructor'), doubts.get('__proto__')], [3, 1])
  assert.equal(doubts.size, reasonsMax + 1)
  assert.equal(doubts.get('other'), reasonsMax + 2)
  assert.equal(told.length, 2 * reasonsMax + 4)
})
