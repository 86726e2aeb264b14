/** A budget: so many a second, and a burst of as many seconds' worth as was said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { budget } from '../../runtime/time/budget.ts'

for (const [burstS, words] of [
  [1, 'one second of them'],
  [2, 'two seconds of them'],
] as const) {
  test(`a budget lets so many pass in a second, and ${words} at once`, () => {
    let nowMs = 0
    const orders = budget(5, () => nowMs, burstS)
    const passed = (tries: number) =>
      Array.from({ length: tries }, orders.take).filter(Boolean).length
    assert.equal(passed(1_000), 5 * burstS)
    nowMs += 1_000
    assert.equal(passed(1_000), 5)
    nowMs += 100
    assert.equal(passed(1_000), 0)
    nowMs += 3_600_000
    assert.equal(passed(1_000), 5 * burstS)
  })
}
