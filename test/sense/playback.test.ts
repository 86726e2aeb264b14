/** A recording in the place of a sensor that must be asked, under a clock that only moves when told to. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { answerOf, type Slave } from '../../demo/modbus.ts'
import { drivers } from '../../drivers/index.ts'
import { encodeAnswer } from '../../drivers/modbus/answer.ts'
import { decodeRequest } from '../../drivers/modbus/request.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import { play } from '../../runtime/sense/playback.ts'
import type { OpenPort } from '../../runtime/sense/port.ts'
import {
  type Recorded,
  readRecording,
  recordingHead,
  recordingLine,
} from '../../runtime/sense/recording.ts'
import { superviseAll } from '../../runtime/sense/supervisor.ts'
import { taped } from '../../runtime/sense/tape.ts'
import { samples } from '../drivers/samples.ts'

/** What a device says to a question, in pieces as an adapter deals them, so many ms after it. */
type Answering = (question: Uint8Array, nth: number) => readonly (readonly [number, Uint8Array])[]

const nothing: readonly (readonly [number, Uint8Array])[] = []
const text = (words: string) => new Uint8Array(Buffer.from(words, 'latin1'))

/** A CO2 sensor whose value is how often it was asked, and who is deaf every fourth time. */
const co2: Answering = (question, nth) => {
  if (question[2] !== 0x86 || nth % 4 === 3) return nothing
  const frame = Uint8Array.of(0xff, 0x86, 2, nth, 70, 0, 0, 0, 0)
  frame[8] = 256 - (frame.subarray(1, 8).reduce((sum, byte) => sum + byte, 0) & 255)
  return [
    [15, frame.slice(0, 5)],
    [17, frame.slice(5)],
  ]
}

const slaves: readonly Slave[] = [1, 2].map((unit) => ({ unit, registers: () => [unit] }))
const bus: Answering = (question, nth) => {
  const { unit, request } = decodeRequest(question) ?? assert.fail('no request')
  const slave = slaves.find((one) => one.unit === unit)
  if (slave === undefined) return nothing
  const answer = encodeAnswer(unit, answerOf({ ...slave, registers: () => [nth] }, request))
  return [[20, answer]]
}

const data = '1.8.0(000285.4*kWh)\r\n!\r\n\x03'
const block = `\x02${data}${String.fromCharCode([...data].reduce((sum, c) => sum ^ c.charCodeAt(0), 0))}`
const meter: Answering = (question) => {
  const asked = Buffer.from(question).toString('latin1')
  if (asked.startsWith('/?')) return [[200, text('/ELS5\\@V9.30\r\n')]]
  return asked.startsWith('\x06')
    ? [
        [250, text(block.slice(0, 9))],
        [260, text(block.slice(9))],
      ]
    : nothing
}

const once =
  (answer: (question: Uint8Array) => Uint8Array | undefined): Answering =>
  (question) => {
    const said = answer(question)
    return said === undefined ? nothing : [[12, said]]
  }

const families: Readonly<
  Record<string, { sensors: readonly Sensor[]; answering: Answering; s?: number }>
> = {
  mhz19: { sensors: [{ driver: 'mhz19', options: { every: '2s' } }], answering: co2 },
  sds011: {
    sensors: [{ driver: 'sds011', options: { mode: 'ask', every: '5s' } }],
    answering: once((question) => (question[2] === 4 ? samples.sds011 : undefined)),
  },
  sps30: {
    sensors: [{ driver: 'sps30', options: {} }],
    answering: once((question) => (question[2] === 3 ? samples.sps30 : undefined)),
  },
  plantower: {
    sensors: [{ driver: 'plantower', options: { mode: 'ask', every: '5s' } }],
    answering: once((question) => (question[2] === 0xe2 ? samples.plantower : undefined)),
  },
  modbus: {
    sensors: [1, 2, 3].map((unit) => ({ driver: 'modbus', options: { unit, every: `${unit}s` } })),
    answering: bus,
  },
  d0: {
    sensors: [{ driver: 'd0', options: { mode: 'ask', every: '1min' } }],
    answering: meter,
    s: 200,
  },
}

for (const [family, { sensors, answering, s = 40 }] of Object.entries(families)) {
  test(`what ${family} was asked and answered is played to the same readings and the same doubts`, async () => {
    const rows: Recorded[] = []
    const live = await run(sensors, s, (nowMs) =>
      taped(device(answering), nowMs, (row) => rows.push(row)),
    )
    assert.ok(live.readings.length > 1, JSON.stringify(live))
    assert.ok(rows.some(({ asked }) => asked))
    const file = recordingHead('/dev/x', 9600) + rows.map(recordingLine).join('')
    const read = readRecording(file)
    if (typeof read === 'string') assert.fail(read)
    const played = await run(sensors, s, () => async () => play(read))
    assert.deepEqual(played, live)
  })
}

const [a, b, c] = [Uint8Array.of(0xa), Uint8Array.of(0xb), Uint8Array.of(0xc)]

test('a question is found by its bytes in turn and around the end, another is answered as the next', async () => {
  const rows: Recorded[] = [
    { ms: 5, bytes: Uint8Array.of(1) },
    { ms: 10, bytes: a, asked: true },
    { ms: 13, bytes: Uint8Array.of(2) },
    { ms: 14, bytes: b, asked: true },
    { ms: 20, bytes: a, asked: true },
    { ms: 29, bytes: Uint8Array.of(3) },
  ]
  const said = await talk(rows, [
    [20, a],
    [40, a],
    [60, b],
    [80, a],
    [100, a],
    [120, c],
    [140, c],
  ])
  assert.deepEqual(said, [
    [5, 1],
    [23, 2],
    [49, 3],
    // b was never answered; the question after it was.
    [89, 3],
    [103, 2],
    // c was never asked: b is next in turn, then a.
    [149, 3],
  ])
})

test('an answer under way is said to its end, what was to come later is given up', async () => {
  const rows: Recorded[] = [
    { ms: 0, bytes: a, asked: true },
    { ms: 10, bytes: Uint8Array.of(1) },
    { ms: 60, bytes: Uint8Array.of(2) },
    { ms: 400, bytes: Uint8Array.of(3) },
    { ms: 500, bytes: b, asked: true },
    { ms: 530, bytes: Uint8Array.of(4) },
  ]
  const said = await talk(rows, [
    [0, a],
    [20, b],
    [300, a],
    [305, b],
  ])
  assert.deepEqual(said, [
    [10, 1],
    [60, 2],
    [90, 4],
    [335, 4],
  ])
})

test('whatever was recorded and whatever is asked, only what was heard is said, and a close ends it', async () => {
  const row = fc.record({
    ms: fc.nat(300),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 2 }),
    asked: fc.boolean(),
  })
  const question = fc.tuple(fc.nat(400), fc.uint8Array({ minLength: 1, maxLength: 2 }))
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1 }), fc.array(question), async (found, asked) => {
      const rows = found
        .toSorted((x, y) => x.ms - y.ms)
        .map(
          ({ ms, bytes, asked: is }): Recorded => (is ? { ms, bytes, asked: true } : { ms, bytes }),
        )
      const heard = new Set(rows.filter((one) => !one.asked).map(({ bytes }) => bytes[0]))
      const said = await talk(
        rows,
        asked.toSorted((x, y) => x[0] - y[0]),
      )
      assert.ok(said.every(([, byte]) => heard.has(byte)))
    }),
    { numRuns: 60 },
  )
})

type Sensor = { readonly driver: string; readonly options: Readonly<Record<string, unknown>> }

/** A device behind a port: it answers what is written to it. */
function device(answering: Answering): OpenPort {
  const port = mockPort()
  let nth = 0
  return async (line) => ({
    ...(await port.open(line)),
    async write(question) {
      for (const [ms, bytes] of answering(question, nth)) setTimeout(() => port.say(bytes), ms)
      nth += 1
    },
  })
}

/** Sensors on one line for so many seconds: what they read and doubted. */
async function run(
  sensors: readonly Sensor[],
  seconds: number,
  open: (nowMs: () => number) => OpenPort,
) {
  mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const clock = { boot: '00'.repeat(16), monotonicMs: () => nowMs, wall: () => undefined }
  const opened = open(clock.monotonicMs)
  const readings: unknown[] = []
  const stop = new AbortController()
  const lines = superviseAll(
    sensors.map(({ driver, options }, i) => ({
      ...{ ...chooseDriver(drivers, driver, options), name: `s${i}`, path: '/dev/x', clock },
      ...{ open: opened, random: () => 0.5, doubt: () => {}, note: () => {} },
      moment: ({ stream, values }) => void readings.push([stream, values]),
    })),
  )
  const ended = lines.map((line) => line.start(stop.signal))
  for (let ms = 0; ms < seconds * 1000; ms += stepMs) {
    nowMs += stepMs
    mock.timers.tick(stepMs)
    await new Promise(setImmediate)
  }
  stop.abort()
  mock.timers.tick(1)
  await Promise.all(ended)
  mock.timers.reset()
  const doubts = lines.flatMap((line) => line.health().map((one) => one.doubts))
  return { readings, doubts }
}

const stepMs = 5

/** What a played recording says, first byte of each chunk, to these questions at these times. */
async function talk(
  rows: readonly Recorded[],
  questions: readonly (readonly [number, Uint8Array])[],
) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = play(rows)
  const said: [number, number | undefined][] = []
  let nowMs = 0
  port.onData(([byte]) => said.push([nowMs, byte]))
  for (; nowMs < 450; ) {
    for (const [ms, bytes] of questions) if (ms === nowMs) await port.write(bytes)
    nowMs += 1
    mock.timers.tick(1)
  }
  await port.close()
  const before = said.length
  await port.write(a)
  mock.timers.tick(10_000)
  assert.equal(said.length, before)
  mock.timers.reset()
  return said
}
