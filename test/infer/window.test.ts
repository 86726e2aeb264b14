import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { windows } from '../../runtime/infer/window.ts'
import { at } from './readings.ts'

const shape = { least: 4, most: 8, gapRatio: 4, normalisation: 'none' } as const

test('a window is the newest values, oldest first, and speaks once there are enough', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), (values) => {
      const take = windows(shape, 'pm2_5')
      for (const [i, value] of values.entries()) {
        const out = take(at(i * 1000, value))
        const newest = values.slice(Math.max(0, i - 7), i + 1)
        if (newest.length < 4) assert.deepEqual(out, { kind: 'filling', held: newest.length })
        else assert.deepEqual(out, { kind: 'tensor', tensor: Float32Array.from(newest) })
      }
    }),
  )
})

test('a standard window has mean 0 and deviation 1 whatever the scale and offset', () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 8, maxLength: 20 })
  const scales = fc.constantFrom(1e-9, 1, 1e12)
  fc.assert(
    fc.property(values, scales, fc.integer({ min: -1e6, max: 1e6 }), (raw, scale, offset) => {
      const take = windows({ ...shape, normalisation: 'standard' }, 'pm2_5')
      const outs = raw.map((value, i) => take(at(i, (value + offset) * scale)))
      const out = outs.at(-1)
      assert.ok(out?.kind === 'tensor')
      const newest = raw.slice(-8)
      if (newest.every((value) => value === newest[0])) {
        assert.ok(out.tensor.every((value) => value === 0))
        return
      }
      const mean = out.tensor.reduce((sum, value) => sum + value, 0) / 8
      const variance = out.tensor.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8
      assert.ok(Math.abs(mean) < 1e-5 && Math.abs(variance - 1) < 1e-5, `${mean} ${variance}`)
    }),
  )
})

test('every tensor is finite, whatever comes in', () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.string(),
    fc.constant(Uint8Array.of(1)),
  )
  const step = fc.tuple(fc.integer({ min: -5, max: 10_000 }), value)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const take = windows({ ...shape, normalisation: 'standard' }, 'pm2_5')
      let now = 1000
      for (const [ms, value] of steps) {
        now = Math.max(0, now + ms)
        const out = take(at(now, value))
        if (out.kind !== 'tensor') continue
        assert.ok(out.tensor.length >= 4 && out.tensor.length <= 8)
        assert.ok(out.tensor.every(Number.isFinite))
      }
    }),
  )
})

test('a gap past the bound begins the window anew, and one at the bound does not', () => {
  const after = (gapMs: number) => {
    const take = windows(shape, 'pm2_5')
    for (let i = 0; i < 8; i += 1) take(at(i * 1000, i))
    return take(at(7000 + gapMs, 8)).kind
  }
  assert.equal(after(4000), 'tensor')
  assert.equal(after(4001), 'filling')
})

test('another boot begins the window anew', () => {
  const take = windows(shape, 'pm2_5')
  for (let i = 0; i < 8; i += 1) take(at(i * 1000, i))
  const other = take(at(0, 9, { boot: 'f'.repeat(32) }))
  assert.deepEqual(other, { kind: 'filling', held: 1 })
})

test('every subject has a window of its own, however they are mixed', () => {
  const take = windows(shape, 'pm2_5')
  for (let i = 0; i < 8; i += 1) {
    take(at(i * 1000, i, { subject: 'one' }))
    const out = take(at(i * 1000, 100 + i, { subject: 'two' }))
    if (i === 7) assert.deepEqual(out, { kind: 'tensor', tensor: series(100, 107) })
  }
})

test('the subject that was silent longest loses its window when there are too many', () => {
  const take = windows(shape, 'pm2_5')
  for (let i = 0; i < 1025; i += 1) take(at(i, 1, { subject: `s${i}` }))
  assert.deepEqual(take(at(2000, 1, { subject: 's1024' })), { kind: 'filling', held: 2 })
  assert.deepEqual(take(at(2000, 1, { subject: 's0' })), { kind: 'filling', held: 1 })
})

test('what is no value for a window is a doubt and leaves it as it was', () => {
  const take = windows(shape, 'pm2_5')
  for (let i = 0; i < 8; i += 1) take(at(i * 1000, i))
  const doubt = (value: Parameters<typeof at>[1], ms = 8000) => {
    const out = take(at(ms, value))
    return out.kind === 'doubt' ? out.doubt : out.kind
  }
  assert.equal(doubt('12'), 'field not a number')
  assert.equal(doubt(Number.NaN), 'field not finite')
  assert.equal(doubt(2n ** 1100n), 'field not finite')
  assert.equal(doubt(1, 6999), 'time ran backwards')
  const elsewhere = take(at(8000, 1, { values: { pm10: 3 } }))
  assert.deepEqual(elsewhere, { kind: 'doubt', doubt: 'field missing' })
  assert.deepEqual(take(at(8000, 8)), { kind: 'tensor', tensor: series(1, 8) })
})

function series(from: number, to: number): Float32Array {
  return Float32Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
