import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { moneyTime } from '../../runtime/sell/moneytime.ts'

const hour = 3_600_000

test('there is no time for money before a gateway has spoken', () => {
  let nowMs = 5
  const time = moneyTime(() => nowMs, null)
  nowMs += hour
  assert.equal(time.nowMs(), undefined)
  time.hear(1_000)
  assert.equal(time.nowMs(), 1_000)
})

test('time off counts as nothing: a device that was off for a year goes on where it was', () => {
  let nowMs = 100
  const before = moneyTime(() => nowMs, 7_000)
  nowMs += hour
  const savedMs = before.nowMs() ?? 0
  assert.equal(savedMs, 7_000 + hour)
  // Another boot: the monotonic clock begins anew, and nobody knows how long it was dark.
  nowMs = 3
  const after = moneyTime(() => nowMs, savedMs)
  assert.equal(after.nowMs(), savedMs)
  nowMs += 10
  assert.equal(after.nowMs(), savedMs + 10)
})

test('it never goes back, whatever is heard and in what order, and follows the newest word', () => {
  const heard = fc.array(fc.record({ waitMs: fc.nat(hour), timeMs: fc.nat(1e12) }))
  fc.assert(
    fc.property(heard, fc.option(fc.nat(1e12)), (words, savedMs) => {
      let nowMs = 0
      const time = moneyTime(() => nowMs, savedMs)
      let last = -1
      for (const { waitMs, timeMs } of words) {
        nowMs += waitMs
        const silent = time.nowMs() ?? -1
        time.hear(timeMs)
        assert.equal(time.nowMs(), Math.max(silent, timeMs))
        assert.ok((time.nowMs() ?? 0) >= last)
        last = time.nowMs() ?? 0
      }
    }),
  )
})
