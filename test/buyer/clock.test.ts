/** A buyer whose clock is wrong: nothing is lost, and it is told that the clock is why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { astrayMs, openOrderTime } from '../../runtime/buyer/ordertime.ts'
import type { BuyNote } from '../../runtime/buyer/tally.ts'
import { sentenceOf } from '../../runtime/buyer/words.ts'
import { refusal } from '../../runtime/wire/refusal.ts'
import { device } from '../operator/fixture.ts'
import { openStreet } from './street.ts'

const dayMs = 86_400_000

for (const [days, words] of [
  [400, /clock is 400 days behind the time by which 0x\w+ sells: set this clock/],
  [-400, /clock is 400 days ahead of the time by which 0x\w+ sells: set this clock/],
  [1, /clock is 24 hours behind/],
  [-1, /clock is 24 hours ahead of/],
] as const) {
  test(`a buyer whose clock is ${-days} days off is told so once, and reads what it pays for`, async (t) => {
    const street = await openStreet(t, { gatewayWallMs: () => Date.now() + days * dayMs })
    const buyer = await street.buy()
    const values: number[] = []
    for await (const item of buyer.readings()) {
      values.push(item.reading.values.pm2_5 as number)
      if (values.length === 40) buyer.stop()
    }
    await buyer.close()
    assert.deepEqual(
      values,
      values.map((_, i) => (values[0] as number) + i),
    )
    const { counts, findings, money } = buyer.summary()
    assert.deepEqual([counts.opened, findings], [counts.bought, {}])
    assert.equal(street.devices[0]?.counts().delivered, money?.promised)
    const told = buyer.notes.filter(({ event }) => event === 'clock astray')
    assert.equal(told.length, 1)
    assert.match(sentenceOf(told[0] as BuyNote), /^CLOCK_ASTRAY: /)
    assert.match(sentenceOf(told[0] as BuyNote), words)
  })
}

function timed() {
  const notes: BuyNote[] = []
  const now = { wall: 1_790_000_000_000, monotonic: 0 }
  const time = openOrderTime({
    wallMs: () => now.wall,
    monotonicMs: () => now.monotonic,
    note: (note) => void notes.push(note),
  })
  return { notes, now, time }
}

test('only whoever gives the time moves it, only forwards, and the wall clock counts again once it is later', () => {
  const { now, time } = timed()
  const ended = (timeMs: number) => refusal('order-ended', { untilMs: 1, timeMs })
  const { wall } = now
  time.heed(device(0), ended(wall + 9 * dayMs), false)
  time.heed(device(0), refusal('busy', { timeMs: wall + 9 * dayMs }), true)
  time.heed(device(0), refusal('order-ended', { timeMs: 'tomorrow' }), true)
  time.heed(device(0), ended(wall - 9 * dayMs), true)
  assert.equal(time.nowMs(), wall)
  time.heed(device(0), ended(wall + 9 * dayMs), true)
  now.monotonic += 5_000.7
  assert.equal(time.nowMs(), wall + 9 * dayMs + 5_000)
  now.wall += 10 * dayMs
  assert.equal(time.nowMs(), now.wall)
})

test('a clock that is off by less than an hour is worth no word', () => {
  const { notes, now, time } = timed()
  time.hear(device(0), now.wall + astrayMs)
  time.hear(device(0), now.wall - astrayMs)
  assert.equal(notes.length, 0)
  time.hear(device(0), now.wall - astrayMs - 1)
  time.hear(device(0), now.wall + 9 * dayMs)
  assert.deepEqual(
    notes.map((note) => note.event === 'clock astray' && note.aheadMs),
    [astrayMs + 1],
  )
})
