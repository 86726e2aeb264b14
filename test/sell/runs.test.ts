import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { moneyTime } from '../../runtime/sell/moneytime.ts'
import { common, has, size, union, without } from '../../runtime/sell/runs.ts'
import type { Range } from '../../runtime/wire/request.ts'

const range: fc.Arbitrary<Range> = fc
  .record({
    stream: fc.constantFrom('air', 'gnss'),
    generation: fc.integer({ min: 1, max: 2 }),
    from: fc.nat(30),
    length: fc.nat(8),
  })
  .map(({ length, ...rest }) => ({ ...rest, to: rest.from + length }))
const ranges = fc.array(range, { maxLength: 8 })

function numbers(all: readonly Range[]): Set<string> {
  const found = new Set<string>()
  for (const { stream, generation, from, to } of all)
    for (let number = from; number <= to; number += 1)
      found.add(`${stream}/${generation}/${number}`)
  return found
}

function only(all: Set<string>, isSuch: (each: string) => boolean): Set<string> {
  return new Set([...all].filter(isSuch))
}

test('runs are sets: union, difference, intersection and size are those of the numbers', () => {
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const [one, other] = [union([], a), union([], b)]
      const [left, right] = [numbers(a), numbers(b)]
      assert.deepEqual(numbers(union(one, b)), new Set([...left, ...right]))
      assert.deepEqual(
        numbers(without(one, b)),
        only(left, (each) => !right.has(each)),
      )
      assert.deepEqual(
        numbers(common(one, other)),
        only(left, (each) => right.has(each)),
      )
      assert.equal(size(one), left.size)
      for (const { stream, generation, from } of b)
        assert.equal(
          has(one, { stream, generation, number: from }),
          left.has(`${stream}/${generation}/${from}`),
        )
    }),
  )
})

test('runs that touch are one run', () => {
  const run = (from: number, to: number): Range => ({ stream: 'air', generation: 1, from, to })
  assert.deepEqual(union([run(1, 3)], [run(4, 9), run(11, 12)]), [run(1, 9), run(11, 12)])
})

test('time for money only grows, and time off counts as nothing', () => {
  let nowMs = 5
  assert.equal(moneyTime(() => nowMs, null).nowMs(), undefined)
  const time = moneyTime(() => nowMs, 1_000)
  nowMs += 50
  assert.equal(time.nowMs(), 1_050)
  time.hear(900)
  assert.equal(time.nowMs(), 1_050)
  time.hear(2_000)
  nowMs += 1
  assert.equal(time.nowMs(), 2_001)
})
