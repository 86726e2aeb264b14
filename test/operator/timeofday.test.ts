import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aheadMaxMs, timeOfDay } from '../../runtime/operator/timeofday.ts'

const hour = 3_600_000
const year = 8_766 * hour
const startMs = 1_800_000_000_000

function clocks() {
  const astray: number[] = []
  const at = { wallMs: startMs, monotonicMs: 0 }
  const time = timeOfDay(
    () => at.wallMs,
    () => at.monotonicMs,
    (aheadMs) => void astray.push(aheadMs),
  )
  return { astray, at, time }
}

test('a wall clock that jumps a year ahead is not signed, is told of once, and is believed again when right', () => {
  const { astray, at, time } = clocks()
  time.hear(startMs / 1000)
  at.wallMs += year
  at.monotonicMs += 5_000
  assert.equal(time.nowMs(), startMs + 5_000)
  time.nowMs()
  assert.deepEqual(astray, [year - 5_000])
  at.wallMs = startMs + 6_000
  at.monotonicMs = 6_000
  assert.equal(time.nowMs(), startMs + 6_000)
  at.wallMs += year
  time.nowMs()
  assert.equal(astray.length, 2)
})

test('an hour ahead of slow blocks is within the bound, and so is any time before the chain was heard', () => {
  const { astray, at, time } = clocks()
  at.wallMs = startMs + year
  assert.equal(time.nowMs(), startMs + year)
  time.hear(startMs / 1000)
  at.wallMs = startMs + aheadMaxMs
  assert.equal(time.nowMs(), startMs + aheadMaxMs)
  assert.deepEqual(astray, [])
})

test('a chain that is idle for days does not hold the gateway back', () => {
  const { astray, at, time } = clocks()
  time.hear(startMs / 1000)
  at.wallMs += 72 * hour
  at.monotonicMs += 72 * hour
  time.hear(startMs / 1000)
  assert.equal(time.nowMs(), startMs + 72 * hour)
  assert.deepEqual(astray, [])
})
