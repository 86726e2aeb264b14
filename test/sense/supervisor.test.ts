import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { plantower } from '../../drivers/plantower.ts'
import { type Driver, defineDriver, headed } from '../../runtime/sense/driver.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { supervise } from '../../runtime/sense/supervisor.ts'
import type { Reading } from '../../runtime/wire/reading.ts'
import { capture, sentence } from '../drivers/bench.ts'

const frame = new Uint8Array(
  Buffer.from('424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599', 'hex'),
)

test('frames become readings, stamped when their first byte was read', async () => {
  await using bench = await start(plantower)
  await bench.pass(100)
  bench.port.say(frame.subarray(0, 5))
  await bench.pass(40)
  bench.port.say(frame.subarray(5))
  const [reading, ...more] = bench.readings
  assert.equal(more.length, 0)
  assert.equal(reading?.stream, 'air')
  assert.equal(reading?.monotonicMs, 100)
  assert.equal(reading?.wallMs, 1_700_000_000_100)
  assert.equal(reading?.values.pm2_5, 33)
  assert.equal(reading?.units.pm2_5, 'ug/m3')
})

test('at start there is no warm-up; after a silence on an open port there is one', async () => {
  await using bench = await start(plantower)
  bench.port.say(frame)
  assert.equal(bench.readings.length, 1)
  await bench.pass(plantower.silenceMs)
  assert.equal(bench.port.opened.count, 1)
  assert.ok(bench.notes.includes('sensor is silent'))
  await bench.pass(1_000)
  assert.equal(bench.port.opened.count, 2)
  assert.equal(bench.health().state, 'silent')
  for (let s = 0; s < 30; s += 1) {
    bench.port.say(frame)
    await bench.pass(1_000)
  }
  assert.equal(bench.readings.length, 1)
  assert.deepEqual(bench.health().doubts, { 'warming up': 30 })
  bench.port.say(frame)
  assert.equal(bench.readings.length, 2)
  assert.equal(bench.health().state, 'open')
})

test('noise is no sign of life, and every doubt is counted by its reason', async () => {
  await using bench = await start(plantower)
  const broken = frame.slice()
  broken[20] = 1
  for (let s = 0; s < 5; s += 1) {
    bench.port.say(broken)
    await bench.pass(1_000)
  }
  assert.equal(bench.readings.length, 0)
  assert.deepEqual(bench.health().doubts, { 'bad checksum': 5 })
  assert.deepEqual(bench.doubts, Array(5).fill('bad checksum'))
  assert.equal(bench.health().bytesSkipped, 5 * frame.length)
  assert.notEqual(bench.health().state, 'open')
})

test('a hang-up opens the port anew, with delays that grow until frames flowed for a minute', async () => {
  await using bench = await start(plantower, { random: () => 1 })
  const lives = []
  for (let life = 0; life < 4; life += 1) {
    bench.port.say(frame)
    bench.port.hangUp('gone')
    await bench.pass(0)
    lives.push(await bench.until(() => bench.port.opened.count === life + 2))
  }
  assert.deepEqual(lives, [500, 1_000, 2_000, 4_000])
  for (let s = 0; s <= 61; s += 1) {
    bench.port.say(frame)
    await bench.pass(1_000)
  }
  bench.port.hangUp('gone')
  await bench.pass(0)
  assert.equal(await bench.until(() => bench.port.opened.count === 6), 500)
  // The cable was pulled, no silence was seen: nothing warms up.
  assert.equal(bench.health().doubts['warming up'], undefined)
})

test('a port that cannot be opened is tried again and again, at most 30 s apart', async () => {
  await using bench = await start(plantower, { random: () => 1, refuse: 'no such file' })
  await bench.pass(120_000)
  assert.equal(bench.health().opened, 0)
  assert.equal(bench.health().state, 'backoff')
  const tries = bench.port.opened.count
  await bench.pass(60_000)
  assert.equal(bench.port.opened.count, tries + 2)
  bench.port.refuse(undefined)
  await bench.pass(30_000)
  assert.equal(bench.health().opened, 1)
})

test('a burst of sentences is one reading, soon after the line goes quiet', async () => {
  await using bench = await start(nmea0183)
  await bench.pass(10)
  bench.port.say(capture('nmea0183/pygpsdata-nmea4sm.log'))
  assert.equal(bench.readings.length, 0)
  await bench.pass(199)
  assert.equal(bench.readings.length, 0)
  await bench.pass(1)
  assert.equal(bench.readings.length, 1)
  assert.equal(bench.readings[0]?.monotonicMs, 10)
  assert.equal(bench.readings[0]?.values.heading, 23.34)
})

test('moments still open at the end are handed out, and what measured nothing is a doubt', async () => {
  const bench = await start(nmea0183)
  bench.port.say(Buffer.from(sentence('GNTXT,01,01,02,hello')))
  await bench.pass(200)
  assert.deepEqual(bench.doubts, ['nothing measured'])
  bench.port.say(Buffer.from(sentence('GPHDT,123.456,T')))
  await bench[Symbol.asyncDispose]()
  assert.equal(bench.readings.length, 1)
  assert.equal(bench.health().state, 'stopped')
})

test('a polled sensor is asked, asked again when it does not answer, and the miss is a doubt', async () => {
  await using bench = await start(polled)
  assert.deepEqual(bench.port.written.map(String), ['1'])
  bench.port.say(Uint8Array.of(0xee, 42, 42))
  assert.equal(bench.readings[0]?.values.level, 42)
  assert.equal(bench.readings[0]?.subject, 'slave-1')
  await bench.pass(1_000)
  assert.deepEqual(bench.port.written.map(String), ['1', '2'])
  await bench.pass(1_000)
  assert.deepEqual(bench.doubts, ['no answer'])
  assert.deepEqual(bench.port.written.map(String), ['1', '2', '3'])
})

/** A bus of numbered slaves: asked one after the other, once a second. */
const polled = defineDriver<{ readonly asked: number; readonly waits: boolean; dueMs: number }>({
  id: 'polled',
  title: 'a sensor that is asked',
  models: {},
  serial: { baudRate: 9600 },
  otherBaudRates: [],
  warmUpMs: 0,
  silenceMs: 10_000,
  options: {},
  fields: { level: { title: 'level', type: 'integer' } },
  shape: headed({
    start: Uint8Array.of(0xee),
    headSize: 2,
    size: () => 3,
    sizeMax: 3,
    flaw: ([, value, again]) => (value === again ? undefined : 'bad checksum'),
  }),
  begin: () => ({ asked: 0, waits: false, dueMs: 0 }),
  decode: (bytes, memory) => ({
    memory: { ...memory, waits: false },
    said: { ok: true, subject: `slave-${memory.asked}`, values: { level: bytes[1] ?? 0 } },
  }),
  ask(memory, nowMs) {
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const asked = memory.asked + 1
    const next = { asked, waits: true, dueMs: nowMs + 1_000 }
    const turn = { memory: next, send: Uint8Array.of(asked), wakeMs: 1_000 }
    return memory.waits ? { ...turn, doubt: 'no answer' } : turn
  },
})

/** A supervisor on a mock port, under a clock that only moves when told to. */
async function start(driver: Driver, with_: { random?: () => number; refuse?: string } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = mockPort()
  port.refuse(with_.refuse)
  const stop = new AbortController()
  const readings: Reading[] = []
  const doubts: string[] = []
  const notes: string[] = []
  let nowMs = 0
  const sensor = supervise({
    name: 'air',
    driver,
    options: readOptions(driver),
    path: '/dev/mock',
    open: port.open,
    clock: {
      boot: 'ab'.repeat(16),
      monotonicMs: () => nowMs,
      wall: () => ({ ms: 1_700_000_000_000 + nowMs, quality: 'synced' }),
    },
    random: with_.random ?? (() => 0.5),
    moment: (reading) => void readings.push(reading),
    doubt: (reason) => void doubts.push(reason),
    note: (says) => void notes.push(says),
  })
  const ended = sensor.start(stop.signal)
  await settle()

  async function pass(ms: number) {
    for (let left = ms; left > 0; left -= Math.min(left, 50)) {
      nowMs += Math.min(left, 50)
      mock.timers.tick(Math.min(left, 50))
      await settle()
    }
    await settle()
  }
  return {
    port,
    readings,
    doubts,
    notes,
    health: sensor.health,
    pass,
    /** How long until this holds. */
    async until(holds: () => boolean) {
      const from = nowMs
      while (!holds()) await pass(50)
      return nowMs - from
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
      mock.timers.reset()
    },
  }
}

function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}
