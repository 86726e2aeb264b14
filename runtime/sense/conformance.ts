/**
 * What holds for every driver, run on one: `import { conformance } from 'wayside/driver/conformance'`.
 *
 *   import { test } from 'node:test'
 *   for (const { says, hold } of conformance(driver, { capture })) test(says, hold)
 *
 * Everything is made from the capture: all chunkings of it, garbage before, between and after its frames,
 * every flipped bit where there is a check, half frames, and on a simulated clock the cable pulled and two
 * hours of silence. What a driver without a check cannot promise is not asked of it.
 */
import assert from 'node:assert/strict'
import { decoder } from './decoder.ts'
import type { Driver, Saying } from './driver.ts'
import { cutter } from './frame.ts'
import { wrongSaying } from './guard.ts'
import { type OptionValues, readOptions } from './options.ts'
import { rig } from './rig.ts'
import { wrongWith } from './vocabulary.ts'

export type Evidence = {
  /** Bytes as they came from the line, with at least one reading in them. */
  readonly capture: Uint8Array
  /** As a person writes them in the config. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Of a sensor that is asked: what it says to these bytes. Left out, the capture is said unasked. */
  answer?(question: Uint8Array): Uint8Array | undefined
  /** How many readings are in the capture, where somebody counted them. */
  readonly readings?: number
}

/** One thing that must hold; `hold` rejects with an AssertionError where it does not. */
export type Held = { readonly says: string; hold(): Promise<void> }

/** Everything that this driver is held to, to be run one after the other: the clock of the process is simulated. */
export function conformance(given: Driver, evidence: Evidence): Held[] {
  const wrong = wrongWith(given)
  const words = `${typeof given?.id === 'string' ? given.id : 'this'} is a driver in our words`
  if (wrong.length > 0) return [{ says: words, hold: async () => assert.deepEqual(wrong, []) }]
  const options = readOptions(given, evidence.options)
  const subject = { ...evidence, driver: given.under?.(options) ?? given, options }
  return [
    { says: words, hold: async () => {} },
    ...Object.entries(rules).map(([says, hold]) => ({
      says: `${given.id}: ${says}`,
      hold: async () => hold(subject),
    })),
  ]
}

type Subject = Omit<Evidence, 'options'> & {
  readonly driver: Driver
  readonly options: OptionValues
}

const rules: Readonly<Record<string, (subject: Subject) => void | Promise<void>>> = {
  'reads its capture': reads,
  'never throws, and says only what a reading can hold': holdable,
  'says the same however the bytes are cut into chunks': allChunkings,
  'survives garbage before, between and after frames': garbage,
  'makes nothing of a frame with any one bit wrong': flippedBits,
  'survives half a frame before a whole one': halfFrames,
  'reads on after the cable was pulled in the middle of a frame': unplugged,
  'stays calm in two hours of silence, and reads on after them': twoHours,
}

function reads(subject: Subject): void {
  const said = hear(subject, [subject.capture])
  assert.ok(said.length > 0, 'the capture holds no reading')
  if (subject.readings !== undefined) assert.equal(said.length, subject.readings)
  const { driver } = subject
  const unchecked = said.some((one) => one.unchecked)
  if (driver.check === undefined)
    assert.ok(
      said.every((one) => one.unchecked),
      'no check: unchecked',
    )
  assert.ok(!unchecked || driver.fields.unchecked, 'what may be unchecked has `uncheckedField`')
}

/** Half the bytes are its own, so that its frames are begun, broken and joined. */
function holdable(subject: Subject): void {
  const { driver, capture } = subject
  for (let seed = 1; seed <= roundsOfNoise; seed += 1) {
    const noise = noiseOf(seed)
    const line = Array.from({ length: 40 }, (_, i) => {
      const [at = 0, length = 0] = noise()
      const from = (at * 257 + seed * 31 + i) % capture.length
      return i % 2 === 0 ? noise() : capture.slice(from, from + 1 + (length % 64))
    })
    for (const said of hear(subject, [...line, capture])) {
      assert.equal(wrongSaying(driver, said), undefined, JSON.stringify(said, writable))
    }
  }
}

const roundsOfNoise = 40

function writable(_: string, value: unknown) {
  return typeof value === 'bigint' || Number.isNaN(value) ? String(value) : value
}

function allChunkings(subject: Subject): void {
  const { capture } = subject
  const truth = hear(subject, [capture])
  const hold = (chunks: readonly Uint8Array[], how: string) =>
    assert.deepEqual(hear(subject, chunks), truth, how)
  for (const size of [1, 2, 3, 7, 64]) hold(chunked(capture, size), `chunks of ${size} bytes`)
  for (const at of spread(capture.length)) {
    hold([capture.subarray(0, at), capture.subarray(at)], `cut at byte ${at}`)
  }
}

function garbage(subject: Subject): void {
  const parts = piecesOf(subject)
  const truth = hear(subject, [subject.capture])
  for (let seed = 1; seed <= 8; seed += 1) {
    const noise = noiseOf(seed)
    const line = parts.flatMap((part) => [noise(), part])
    const said = hear(subject, [...line, noise()])
    if (subject.driver.check !== undefined) assert.deepEqual(said, truth, `garbage ${seed}`)
    // Without a check garbage may be a frame; what stands behind a clean one is still heard.
    else assert.deepEqual(hear(subject, [...line, ...parts, ...parts]).at(-1), truth.at(-1))
  }
}

function flippedBits({ driver, options, capture }: Subject): void {
  if (driver.check === undefined) return
  const frames = cutter(driver.shape).push(Uint8Array.of(...capture, ...capture))
  const [first] = frames.filter(({ flaw }) => flaw === undefined)
  if (first === undefined) return
  const frame = first.bytes
  const truth = hear({ driver, options, capture }, [frame])
  for (const bit of spread(8 * frame.length, flipsMax)) {
    const wrong = frame.slice()
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const said = hear({ driver, options, capture }, [wrong]).filter(({ unchecked }) => !unchecked)
    for (const one of said) assert.deepEqual([one], truth, `bit ${bit}`)
  }
}

function halfFrames(subject: Subject): void {
  const { capture, driver } = subject
  const twice = [capture, capture, capture]
  const truth = hear(subject, twice)
  const [piece = capture] = piecesOf(subject)
  for (const at of spread(piece.length)) {
    const said = hear(subject, [piece.subarray(0, at), ...twice])
    assert.deepEqual(said.at(-1), truth.at(-1), `${at} bytes`)
    if (driver.check !== undefined) {
      const lost = truth.length - said.length
      assert.ok(lost <= 1, `${at} bytes of a frame cost ${lost} readings after it`)
    }
  }
}

async function unplugged(subject: Subject): Promise<void> {
  const line = rig(subject)
  try {
    const before = await line.speak()
    assert.ok(before.length > 0, 'nothing is read on a live line')
    line.port.say(subject.capture.subarray(0, subject.capture.length >> 1))
    line.port.hangUp('unplugged')
    await line.until(() => line.port.opened.count === 2, minute)
    assert.deepEqual(await line.speak(), before)
  } finally {
    await line.end()
  }
}

async function twoHours(subject: Subject): Promise<void> {
  const line = rig({ ...subject, answers: false })
  try {
    const { silenceMs, warmUpMs } = subject.driver
    await line.pass(120 * minute, 1_000)
    assert.equal(line.readings.length, 0)
    const most = (120 * minute) / Math.min(silenceMs, minute) + 2
    assert.ok(line.port.opened.count <= most, `opened ${line.port.opened.count} times`)
    line.answers(true)
    const patienceMs = warmUpMs + silenceMs + 10 * minute
    for (let ms = 0; ms < patienceMs && line.readings.length === 0; ms += 1_000) await line.speak()
    assert.ok(line.readings.length > 0, 'it is not heard again')
  } finally {
    await line.end()
  }
}

const minute = 60_000

/** Flipped bits of one frame that are tried; of a longer one so many, evenly spread. */
const flipsMax = 8_192

function hear({ driver, options }: Subject, chunks: readonly Uint8Array[]): Saying[] {
  const work = decoder(driver, options)
  const heard = [...chunks.flatMap((chunk) => work.push(chunk)), ...work.finish()]
  return heard.flatMap(({ said }) => (said.ok ? [said] : []))
}

/** The capture in one piece for each intact frame, what follows a frame with it. */
function piecesOf({ driver, capture }: Subject): Uint8Array[] {
  const cut = cutter(driver.shape)
  const intact = [...cut.push(capture), ...cut.finish()].filter(({ flaw }) => flaw === undefined)
  const ends = [...intact.slice(1).map(({ offset }) => offset), capture.length]
  return ends.map((end, i) => capture.subarray(i === 0 ? 0 : ends[i - 1], end))
}

function chunked(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** Every number from 1 below `end`; of many so many, evenly spread. */
function spread(end: number, most = 256): number[] {
  const step = Math.max(1, end / most)
  return Array.from({ length: Math.floor((end - 1) / step) }, (_, i) => Math.floor(1 + i * step))
}

/** Up to 40 bytes at each call; the same for the same seed. */
function noiseOf(seed: number): () => Uint8Array {
  let state = seed * 0x9e3779b1
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
    return (state >>> 8) & 0xff
  }
  return () => Uint8Array.from({ length: 1 + (next() % 40) }, next)
}
