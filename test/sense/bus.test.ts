/** Several slaves on one line, under a clock that only moves when told to. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { answerOf, type Slave } from '../../demo/modbus.ts'
import { encodeAnswer } from '../../drivers/modbus/answer.ts'
import { modbus } from '../../drivers/modbus/index.ts'
import { decodeRequest } from '../../drivers/modbus/request.ts'
import { plantower } from '../../drivers/plantower.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import type { OpenPort } from '../../runtime/sense/port.ts'
import { superviseAll } from '../../runtime/sense/supervisor.ts'
import type { Reading } from '../../runtime/wire/reading.ts'

/** What each slave keeps in its register 0 is its unit, so that a mixed-up answer shows. */
const slave = (unit: number, more: Partial<Slave> = {}): Slave => ({
  ...{ unit, registers: () => [unit] },
  ...more,
})
const silent = { silent: true }

test('each device is asked at its own pace, and its readings go to its own stream', async () => {
  await using bench = await start([slave(1), slave(2)], { 1: '1s', 2: '5s' })
  await bench.pass(20_000)
  assert.equal(bench.opened(), 1)
  assert.equal(bench.readings('unit1').length, 20)
  assert.equal(bench.readings('unit2').length, 4)
  for (const unit of [1, 2]) {
    for (const { values, subject } of bench.readings(`unit${unit}`)) {
      assert.deepEqual([values, subject], [{ r0: unit }, undefined])
    }
  }
  assert.deepEqual(
    bench.health().map(({ state, breaker }) => [state, breaker]),
    [
      ['open', 'closed'],
      ['open', 'closed'],
    ],
  )
})

test('the line is silent for 3.5 characters before anybody is asked', async () => {
  await using bench = await start([slave(1), slave(2)], { 1: '50ms', 2: '50ms' })
  await bench.pass(2_000)
  const { asked, said } = bench.times()
  assert.ok(asked.length > 40)
  for (const at of asked) {
    const before = said.filter((ms) => ms <= at).at(-1) ?? Number.NEGATIVE_INFINITY
    assert.ok(at - before >= (3.5 * 11_000) / 9600, `${at} after ${before}`)
  }
})

test('a silent slave costs the others nothing but a rare probe', async (t) => {
  const polls = async (slaves: readonly Slave[]) => {
    await using bench = await start(slaves, { 1: '200ms', 2: '1s', 3: '1s' })
    await bench.pass(300_000)
    const health = bench.health().map(({ state, breaker }) => [state, breaker])
    return { good: bench.readings('unit1').length, asked: bench.asked(), health }
  }
  const alone = await polls([slave(1)])
  const beside = await polls([slave(1), slave(2, silent), slave(3, silent)])
  t.diagnostic(`${beside.good} polls beside two silent slaves, ${alone.good} without, in 300 s`)
  assert.ok(beside.good / alone.good > 0.95, `${beside.good} of ${alone.good}`)
  assert.ok((beside.asked[2] ?? 0) < 20, `asked ${beside.asked[2]} times in 300 s`)
  assert.deepEqual(beside.health.slice(1), [
    ['silent', 'open'],
    ['silent', 'open'],
  ])
})

test('a slave that comes back is heard within a minute, and warms up its own breaker only', async () => {
  await using bench = await start([slave(1), slave(2, silent)], { 1: '1s', 2: '1s' })
  await bench.pass(120_000)
  assert.equal(bench.readings('unit2').length, 0)
  bench.replace(slave(2))
  await bench.pass(61_000)
  assert.ok(bench.readings('unit2').length > 0)
  assert.equal(bench.health()[1]?.breaker, 'closed')
  assert.ok(bench.notes().includes('device does not answer'))
  assert.ok(bench.notes().includes('sensor speaks again'))
})

test('a babbling slave is drained and counted, and the others are read beside it', async () => {
  await using bench = await start([slave(1), slave(2)], { 1: '1s', 2: '1s' })
  const babble = Uint8Array.from({ length: 7 }, (_, i) => (i * 37 + 3) & 0xff)
  for (let round = 0; round < 1_000; round += 1) {
    bench.say(babble)
    await bench.pass(20)
  }
  for (const name of ['unit1', 'unit2']) {
    assert.ok(bench.readings(name).length >= 15, `${bench.readings(name).length} in 20 s`)
  }
  const [first] = bench.health()
  assert.ok((first?.bytesSkipped ?? 0) > 1_000)
  assert.deepEqual([...new Set(bench.readings('unit1').map(({ values }) => values.r0))], [1])
})

test('late answers of one are not taken for answers of another', async () => {
  let thinks = 0
  const slow = slave(1, { delayMs: () => (thinks = (thinks + 170) % 700) })
  const tables = { 1: '300ms', 2: '300ms' }
  await using bench = await start([slow, slave(2, { delayMs: () => 30 })], tables, '200ms')
  await bench.pass(60_000)
  for (const unit of [1, 2]) {
    const values = bench.readings(`unit${unit}`).map(({ values: found }) => found.r0)
    assert.ok(values.length > 20)
    assert.deepEqual([...new Set(values)], [unit])
  }
})

test('a line that hangs up is opened again, and everybody goes on', async () => {
  await using bench = await start([slave(1), slave(2)], { 1: '1s', 2: '1s' })
  await bench.pass(3_000)
  bench.hangUp()
  await bench.pass(3_000)
  assert.equal(bench.opened(), 2)
  assert.ok(bench.notes().includes('port lost'))
  const before = bench.readings('unit2').length
  await bench.pass(3_000)
  assert.ok(bench.readings('unit2').length > before)
})

test('a line on which nobody answers is opened anew', async () => {
  await using bench = await start([slave(1, silent), slave(2, silent)], { 1: '1s', 2: '1s' })
  await bench.pass(65_000)
  assert.ok(bench.opened() >= 2)
  assert.deepEqual(new Set(bench.health().map(({ state }) => state)), new Set(['silent']))
})

test('only devices that take turns share a port; others have their own', () => {
  const port = mockPort()
  const of = (name: string, path: string, driver: typeof modbus) => ({
    ...parts(port.open, () => 0),
    ...{ name, path, ...chooseDriver([modbus, plantower], driver.id) },
  })
  const lines = superviseAll([
    of('a', '/dev/one', modbus),
    of('b', '/dev/two', modbus),
    of('c', '/dev/one', modbus),
    of('d', '/dev/four', plantower),
  ])
  assert.deepEqual(
    lines.map((line) =>
      line
        .health()
        .map(({ name }) => name)
        .join(),
    ),
    ['a,c', 'b', 'd'],
  )
})

function parts(open: OpenPort, nowMs: () => number) {
  return {
    open,
    clock: { boot: 'ab'.repeat(16), monotonicMs: nowMs, wall: () => undefined },
    random: () => 0.5,
    moment(_: Reading) {},
    doubt(_: string) {},
    note(_: string) {},
  }
}

/** Devices with these slaves at the other end; unit → how often it is polled. */
async function start(
  slaves: readonly Slave[],
  every: Readonly<Record<number, string>>,
  timeout = '300ms',
) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = mockPort()
  const there = new Map(slaves.map((one) => [one.unit, one]))
  const [readings, notes]: [Reading[], string[]] = [[], []]
  const asked: Record<number, number> = {}
  const times = { asked: [] as number[], said: [] as number[] }
  let nowMs = 0
  const say = (bytes: Uint8Array) => {
    times.said.push(nowMs)
    port.say(bytes)
  }

  const open: OpenPort = async (line) => ({
    ...(await port.open(line)),
    async write(bytes) {
      times.asked.push(nowMs)
      const { unit, request } = decodeRequest(bytes) ?? assert.fail('no request')
      asked[unit] = (asked[unit] ?? 0) + 1
      const heard = there.get(unit)
      if (heard === undefined || heard.silent) return
      const answer = encodeAnswer(unit, answerOf(heard, request))
      setTimeout(say, heard.delayMs?.(request) ?? 20, answer)
    },
  })
  const lines = superviseAll(
    slaves.map(({ unit }) => ({
      ...parts(open, () => nowMs),
      ...chooseDriver([modbus], 'modbus', { unit, every: every[unit], timeout }),
      ...{ name: `unit${unit}`, path: '/dev/bus' },
      moment: (reading: Reading) => void readings.push(reading),
      note: (says: string) => void notes.push(says),
    })),
  )
  const stop = new AbortController()
  const ended = lines.map((line) => line.start(stop.signal))
  await settle()

  return {
    say,
    hangUp: () => port.hangUp('gone'),
    opened: () => port.opened.count,
    asked: () => asked,
    times: () => times,
    notes: () => notes,
    replace: (next: Slave) => void there.set(next.unit, next),
    readings: (name: string) => readings.filter(({ stream }) => stream === name),
    health: () => lines.flatMap((line) => line.health()),
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= Math.min(left, stepMs)) {
        nowMs += Math.min(left, stepMs)
        mock.timers.tick(Math.min(left, stepMs))
        if (nowMs % 1_000 === 0) await settle()
      }
      await settle()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(ended)
      mock.timers.reset()
    },
  }
}

const stepMs = 1

function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}
