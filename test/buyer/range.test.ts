import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Shelf } from '../../runtime/buyer/feed.ts'
import { type Dated, dates, spanOf } from '../../runtime/buyer/range.ts'
import type { Header } from '../../runtime/wire/header.ts'

const epochMs = 10

/** Boots, each with a stretch of an unset clock before a longer one of a set clock. */
const past = fc.array(fc.record({ unset: fc.nat(8), more: fc.nat(12) }), {
  minLength: 1,
  maxLength: 6,
})

function calendarOf(boots: readonly { readonly unset: number; readonly more: number }[]) {
  const all: (Dated | undefined)[] = []
  for (const { unset, more } of boots) {
    for (let i = 0; i < unset; i += 1) all.push(undefined)
    for (let i = 0; i <= unset + more; i += 1) {
      const openedMs = 1_000 + all.length * epochMs
      all.push({ openedMs, closedMs: openedMs + epochMs })
    }
  }
  return all
}

function shelfOf(calendar: readonly (Dated | undefined)[], first: number): Shelf {
  const last = first + calendar.length - 1
  const [one, other] = [calendar[0], calendar.at(-1)]
  return {
    stream: 'air',
    generations: [{ generation: 1, first, last }],
    first: { number: first, monotonicMs: 0, ...(one && { wallMs: one.openedMs }) },
    last: { number: last, monotonicMs: 0, ...(other && { wallMs: other.closedMs }) },
    lastHash: `0x${'00'.repeat(32)}`,
    tombstones: [],
  }
}

test('halving finds exactly the epochs that touch a range, an undated one counting by the next', async () => {
  const times = fc.tuple(fc.integer({ min: 900, max: 2_500 }), fc.integer({ min: 1, max: 900 }))
  await fc.assert(
    fc.asyncProperty(past, times, fc.integer({ min: 1, max: 50 }), async (boots, times, first) => {
      const calendar = calendarOf(boots)
      const [fromMs, lengthMs] = times
      const toMs = fromMs + lengthMs
      let looks = 0
      const dateOf = async (number: number) => {
        looks += 1
        assert.ok(number >= first && number < first + calendar.length)
        return calendar[number - first]
      }
      const range = { from: { wallMs: fromMs }, to: { wallMs: toMs } }
      const span = await spanOf(range, shelfOf(calendar, first), 10_000, dateOf)
      const next = (i: number) => calendar.slice(i).find((dated) => dated !== undefined)
      const touches = calendar.flatMap((_, i) => {
        const dated = next(i)
        const isIn = dated !== undefined && dated.closedMs > fromMs && dated.openedMs < toMs
        return isIn ? [first + i] : []
      })
      const found = Array.from(
        { length: Math.max(0, (span.to ?? 0) + 1 - span.from) },
        (_, i) => span.from + i,
      )
      assert.deepEqual(found, touches)
      assert.ok(looks < 300, `${looks} looks`)
    }),
  )
})

test('a week of epochs takes some dozens of looks', async () => {
  const calendar = calendarOf([{ unset: 0, more: 60_479 }])
  let looks = 0
  const dateOf = async (number: number) => {
    looks += 1
    return calendar[number - 1]
  }
  const range = {
    from: { wallMs: 1_000 + 12_345 * epochMs },
    to: { wallMs: 1_000 + 45_678 * epochMs },
  }
  const span = await spanOf(range, shelfOf(calendar, 1), 10_000_000, dateOf)
  assert.deepEqual(span, { from: 12_346, to: 45_678 })
  assert.ok(looks <= 34, `${looks} looks`)
})

test('long stretches without a clock cost little more', async () => {
  const calendar = calendarOf([
    { unset: 9_000, more: 50 },
    { unset: 20_000, more: 900 },
  ])
  const looked = new Set<number>()
  const dateOf = async (number: number) => {
    looked.add(number)
    return calendar[number - 1]
  }
  const shelf = shelfOf(calendar, 1)
  const from = 1_000 + 39_000 * epochMs
  const span = await spanOf(
    { from: { wallMs: from }, to: { wallMs: 2 * from } },
    shelf,
    1e9,
    dateOf,
  )
  assert.equal(span.from, 39_001)
  assert.ok(looked.size <= 120, `${looked.size} looks`)
})

test('one set moment dates a whole boot, and no other boot', () => {
  const calendar = dates()
  const header = (boot: string, openedMonotonicMs: number, openedWallMs?: number) =>
    ({
      ...{ boot, openedMonotonicMs, closedMonotonicMs: openedMonotonicMs + 10 },
      ...(openedWallMs === undefined ? {} : { openedWallMs, closedWallMs: openedWallMs + 10 }),
    }) as Header
  assert.equal(calendar.of(header('a', 100)), undefined)
  assert.deepEqual(calendar.of(header('a', 200, 5_000)), { openedMs: 5_000, closedMs: 5_010 })
  assert.deepEqual(calendar.of(header('a', 100)), { openedMs: 4_900, closedMs: 4_910 })
  assert.equal(calendar.of(header('b', 100)), undefined)
})
