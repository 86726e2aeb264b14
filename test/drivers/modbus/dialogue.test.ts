import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeAnswer } from '../../../drivers/modbus/answer.ts'
import { ask, begin, type Dialogue, type Settings } from '../../../drivers/modbus/dialogue.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { decodeRequest, encodeRequest } from '../../../drivers/modbus/request.ts'
import { chooseDriver } from '../../../runtime/sense/choose.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import type { Driver } from '../../../runtime/sense/driver.ts'
import { doubts, sayings } from '../bench.ts'

/** Two blocks, so that an answer could be taken for that of the other. */
const profile = {
  title: 'two rows',
  unit: 9,
  blocks: [
    { function: 3, address: 0, count: 1, fields: { a: { title: 'a', address: 0, type: 'u16' } } },
    { function: 3, address: 50, count: 1, fields: { b: { title: 'b', address: 50, type: 'u16' } } },
  ],
}
const hasty = { profile, every: '1s', timeout: '100ms', tries: 2 }
const one = (value: number) => encodeAnswer(9, { function: 3, registers: [value] })

test('a poll asks block by block, and begins again a period after it began', () => {
  const slave = open(hasty)
  assert.deepEqual(slave.asks(0), 0)
  assert.deepEqual(slave.hears(one(7)), [{ a: 7 }])
  assert.equal(slave.asks(30), 50)
  assert.deepEqual(slave.hears(one(8)), [{ b: 8 }])
  assert.equal(slave.asks(60), undefined)
  assert.equal(slave.turn?.wakeMs, 940)
  assert.equal(slave.turn?.waits, undefined)
  assert.equal(slave.asks(1_000), 0)
  slave.hears(one(1))
  assert.equal(slave.asks(1_010), 50)
})

test('periods that were missed are left out, not caught up with', () => {
  const slave = open(hasty)
  slave.asks(0)
  slave.hears(one(7))
  slave.asks(10)
  slave.hears(one(8))
  assert.equal(slave.asks(5_500), undefined)
  assert.equal(slave.asks(5_501), 0)
  slave.hears(one(7))
  slave.asks(5_510)
  slave.hears(one(8))
  slave.asks(5_520)
  assert.equal(slave.asks(6_499), undefined)
  assert.equal(slave.asks(6_500), 0)
})

test('a time-out counts the time that question and answer take on the line', () => {
  const slow = open({ ...hasty, profile: { ...profile, baudRate: 300 } })
  slow.asks(0)
  // 8 bytes out and 7 back at 11 bits each, and 100 ms to think.
  assert.equal(Math.round(slow.turn?.wakeMs ?? 0), Math.round((15 * 11_000) / 300 + 100))
})

test('an exception is a doubt in the words of the specification, and the poll goes on', () => {
  const slave = open(hasty)
  slave.asks(0)
  const no = encodeAnswer(9, { function: 'exception', of: 3, code: 2 })
  assert.deepEqual(slave.hears(no), ['illegal data address'])
  assert.equal(slave.asks(10), 50)
  assert.equal(slave.turn?.breaker, 'closed')
})

test('what comes before a question is drained, and an answer to nothing is late', () => {
  const slave = open(hasty)
  slave.asks(0)
  slave.hears(one(7))
  slave.hears(one(7).subarray(0, 4))
  slave.asks(10)
  assert.deepEqual(slave.hears(one(8)), [{ b: 8 }])
  assert.deepEqual(slave.hears(one(9)), ['late answer'])
})

test('after a repetition the second answer is never that of the next question', () => {
  const slave = open(hasty)
  slave.asks(0)
  assert.equal(slave.asks(200), 0, 'it is put again')
  assert.equal(slave.turn?.doubt, 'no answer')
  assert.deepEqual(slave.hears(one(7)), [{ a: 7 }])
  assert.equal(slave.asks(210), undefined, 'left alone: another answer may be on its way')
  assert.equal(slave.turn?.waits, true)
  assert.deepEqual(slave.hears(one(7)), ['late answer'])
  const again = 210 + Math.ceil(slave.turn?.wakeMs ?? 0)
  assert.ok(again >= 310, 'for a whole time-out')
  assert.equal(slave.asks(again), 50)
  assert.deepEqual(slave.hears(one(8)), [{ b: 8 }])
})

test('a slave that never answers is asked ever more seldom, and as ever once it does', () => {
  const slave = open(hasty)
  const probes: number[] = []
  for (let nowMs = 0; nowMs < 400_000; nowMs += 10) {
    if (slave.asks(nowMs) !== undefined) probes.push(nowMs)
  }
  const gaps = probes.slice(6).map((at, i) => at - (probes[i + 5] ?? 0))
  const [first = 0, second = 0, third = 0] = gaps
  assert.ok(first > 5_000 && second > 10_000 && third > 20_000, String(gaps))
  assert.ok(Math.max(...gaps) < 61_000)
  const due = 400_000 + Math.ceil(slave.turn?.wakeMs ?? 0)
  slave.asks(due)
  while (slave.turn?.send === undefined) slave.asks(due + Math.ceil(slave.turn?.wakeMs ?? 0))
  assert.equal(slave.turn.breaker, 'half-open')
  slave.hears(one(7))
  slave.asks(due + 60_100)
  assert.equal(slave.turn.breaker, 'closed')
})

test('a broadcast is sent and not waited for, but all get time to do it', () => {
  const settings: Settings = {
    ...{ unit: 0, everyMs: 1_000, timeoutMs: 100, tries: 2, byteMs: 1 },
    plan: [{ function: 6, address: 1, value: 2 }],
  }
  const first = ask(begin(settings), 0)
  assert.deepEqual(decodeRequest(first.send ?? new Uint8Array())?.unit, 0)
  assert.equal(first.expect, undefined)
  assert.ok(first.wakeMs >= 100 && first.wakeMs <= 200)
  const then: Dialogue = ask(first.memory, Math.ceil(first.wakeMs)).memory
  assert.equal(then.dueMs, 1_000)
  assert.equal(then.breaker.misses, 0)
})

test('whatever the line brings, no value comes out that the slave did not say', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.nat(0xffff).map((value) => {
      const broken = one(value)
      broken[3] = (broken[3] ?? 0) ^ 0x10
      return broken
    }),
    fc.constant(encodeRequest(9, { function: 3, address: 0, count: 1 })),
    fc.constant(encodeAnswer(8, { function: 3, registers: [666] })),
    fc.constant(encodeAnswer(9, { function: 4, registers: [666] })),
    fc.constant(encodeAnswer(9, { function: 3, registers: [666, 666] })),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, fc.constant('ask' as const))), (events) => {
      const slave = open(hasty)
      let nowMs = 0
      slave.asks(nowMs)
      for (const event of events) {
        nowMs += 40
        if (event === 'ask') slave.asks(nowMs)
        else for (const heard of slave.hears(event)) assert.equal(typeof heard, 'string')
      }
    }),
    { numRuns: 500 },
  )
})

/** The driver at work with these options. */
function open(options: Record<string, unknown>) {
  const chosen = chooseDriver([modbus], 'modbus', options)
  const work = decoder(chosen.driver, chosen.options)
  let turn: ReturnType<NonNullable<Driver['ask']>> | undefined
  return {
    get turn() {
      return turn
    },
    /** The first address that is asked for now, if any. */
    asks(nowMs: number): number | undefined {
      turn = work.ask(nowMs)
      const asked = turn?.send === undefined ? undefined : decodeRequest(turn.send)?.request
      return asked !== undefined && 'address' in asked ? asked.address : undefined
    },
    /** Values, and doubts. */
    hears(bytes: Uint8Array) {
      const heard = work.push(bytes)
      return [...sayings(heard).map(({ values }) => values), ...doubts(heard)]
    },
  }
}
