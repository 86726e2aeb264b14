import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkLimits } from '../../runtime/link/limits.ts'
import { openSuspects } from '../../runtime/link/suspects.ts'

const [small, large] = [100, 200].map((bytes) => ({ topic: 'a/epoch', bytes })) as [Sent, Sent]
type Sent = { readonly topic: string; readonly bytes: number }

function open() {
  const clock = { ms: 0 }
  const limits = { ...linkLimits, inFlightMax: 4, asideFirstMs: 10, asideMaxMs: 40, refusedMax: 2 }
  return { clock, ...openSuspects(limits, () => clock.ms) }
}

test('two lines that fall with many and the same first make the next carry one at a time, until as many arrived', () => {
  const suspects = open()
  assert.equal(suspects.hungUp([small, large]), undefined)
  assert.equal(suspects.width(), 4, "one fall is anybody's")
  assert.equal(suspects.hungUp([small, large]), undefined)
  suspects.acked(small)
  assert.equal(suspects.width(), 1)
  for (let i = 0; i < 2; i += 1) assert.equal(suspects.hungUp([large]), undefined)
  assert.equal(suspects.width(), 1, 'what fell is the next again')
  assert.deepEqual(suspects.hungUp([large]), large)
  suspects.acked(small)
  assert.equal(suspects.width(), 4)
  for (let i = 0; i < 9; i += 1) assert.equal(suspects.hungUp([]), undefined)
  assert.equal(suspects.width(), 4, 'a line that falls at rest accuses nobody')
})

test('what three lines in a row fall on alone is set aside, with all that is larger there', () => {
  const suspects = open()
  assert.deepEqual(
    [1, 2, 3].map(() => suspects.hungUp([large])),
    [undefined, undefined, large],
  )
  assert.equal(suspects.isAside(large), true)
  assert.equal(suspects.isAside({ ...large, bytes: 201 }), true)
  assert.equal(suspects.isAside(small), false)
  assert.equal(suspects.isAside({ ...large, topic: 'a/index' }), false)
})

test('a bad radio, on which lines fall on this and that, sets nothing aside', () => {
  const suspects = open()
  for (let i = 0; i < 20; i += 1) {
    assert.equal(suspects.hungUp([large]), undefined)
    assert.equal(suspects.hungUp([large]), undefined)
    if (i % 2 === 0) suspects.acked(large)
    else assert.equal(suspects.hungUp([small]), undefined)
  }
})

test('it is tried again after ever longer, and what arrives is forgiven', () => {
  const suspects = open()
  for (let i = 0; i < 3; i += 1) suspects.hungUp([large])
  for (const forMs of [10, 20, 40, 40]) {
    suspects.clock.ms += forMs - 1
    assert.equal(suspects.isAside(large), true)
    suspects.clock.ms += 1
    assert.equal(suspects.isAside(large), false)
    assert.deepEqual(suspects.hungUp([large]), large)
  }
  suspects.acked(small)
  assert.equal(suspects.has('a/epoch'), true)
  suspects.acked(large)
  assert.equal(suspects.has('a/epoch'), false)
})
