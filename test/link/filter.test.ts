import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches } from '../../runtime/link/filter.ts'
import { backOff } from '../../runtime/time/backoff.ts'

test('filters match as MQTT 5 §4.7 has it', () => {
  const yes = [
    ['a/b', 'a/b'],
    ['a/+', 'a/b'],
    ['a/#', 'a'],
    ['a/#', 'a/b/c'],
    ['#', 'a/b'],
    ['+/+', '/finance'],
    ['$SYS/#', '$SYS/broker'],
  ] as const
  const no = [
    ['a/b', 'a'],
    ['a', 'a/b'],
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['+', '/finance'],
    ['#', '$SYS/broker'],
    ['+/broker', '$SYS/broker'],
  ] as const
  for (const [filter, topic] of yes) assert.ok(matches(filter, topic), `${filter} ${topic}`)
  for (const [filter, topic] of no) assert.ok(!matches(filter, topic), `${filter} ${topic}`)
})

test('the back-off doubles up to its bound and is drawn from zero up', () => {
  assert.deepEqual(
    [0, 1, 2, 6, 100].map((failures) => backOff(failures, 1_000, 60_000, () => 0.5)),
    [500, 1_000, 2_000, 30_000, 30_000],
  )
  assert.equal(
    backOff(9, 1_000, 60_000, () => 0),
    0,
  )
})
