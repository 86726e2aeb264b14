/** The desk's sealed lines to buyers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ledger, Session } from '../../runtime/operator/ledger.ts'
import { deskLimits } from '../../runtime/operator/limits.ts'
import { openSessions } from '../../runtime/operator/sessions.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { openMessage } from '../../runtime/wire/session.ts'
import { secretOf } from './fixture.ts'

/** Sessions over a ledger in memory, under a clock that a test sets. */
function open(sessionsMax = 2) {
  const kept = new Map<string, Session>()
  const counters: bigint[] = []
  const clock = { nowMs: 1_800_000_000_000 }
  const ledger: Pick<Ledger, 'sessions' | 'save'> = {
    sessions: () => [...kept.values()],
    save: ({ over }) => void (over !== undefined && kept.delete(over)),
  }
  const start = () =>
    openSessions({
      ledger: ledger as Ledger,
      send(name, message) {
        const opened = openMessage(message, kept.get(name)?.keys ?? session(name).keys, 'answer')
        if (opened !== undefined) counters.push(opened.counter)
      },
      note() {},
      nowMs: () => clock.nowMs,
      monotonicMs: () => 0,
      limits: { ...deskLimits, sessionsMax },
    })
  return { kept, counters, clock, start }
}

function session(name: string): Session {
  const seed = Number.parseInt(name.slice(0, 2), 16)
  const key = secretOf(seed)
  const keys = { id: Buffer.from(name, 'hex'), ask: key, answer: key, keys: key }
  return { name, channel: hex(key), keys }
}

const [first, second, third] = [1, 2, 3].map((n) => session(`0${n}`.repeat(16))) as [
  Session,
  Session,
  Session,
]

test('a desk with all its places taken has room for those that sit there, and for another when one leaves', () => {
  const { start } = open()
  const sessions = start()
  for (const one of [first, second]) {
    assert.ok(sessions.roomFor(one.name))
    sessions.open(one)
  }
  assert.deepEqual([sessions.roomFor(first.name), sessions.roomFor(third.name)], [true, false])
  sessions.close(first.name)
  assert.ok(sessions.roomFor(third.name))
})

test('no answer has a counter that one before it had, within a millisecond and over a restart', () => {
  const { kept, counters, clock, start } = open()
  kept.set(first.name, first)
  const before = start()
  for (let i = 0; i < 3; i += 1) before.answer(first, { to: 1n, kind: 'ok' })
  clock.nowMs += 10
  const after = start()
  for (let i = 0; i < 2; i += 1) after.answer(first, { to: 1n, kind: 'ok' })
  assert.equal(counters.length, 5)
  assert.deepEqual(
    counters,
    [...new Set(counters)].sort((a, b) => Number(a - b)),
  )
})
