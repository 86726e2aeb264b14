/**
 * A stream of hostile bytes for one driver: noise, noise made of its own start bytes, and its own frames cut,
 * joined, doubled and damaged. One decoder hears all of it, so that what it keeps would pile up.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decoder } from '../../runtime/sense/decoder.ts'
import { type Driver, unitsOf } from '../../runtime/sense/driver.ts'
import { type OptionValues, readOptions } from '../../runtime/sense/options.ts'
import { isFieldName, isSubject } from '../../runtime/wire/reading.ts'
import { isUnit } from '../../runtime/wire/units.ts'

export type Fuzzed = {
  readonly bytes: number
  /** Frames that were damaged before they were sent. */
  readonly damaged: number
  /** What was said though no clean frame says it: a damaged frame that passed. */
  readonly strangers: number
  /** Frames with one wrong bit, and how many of them said something that the clean one does not. */
  readonly flipped: number
  readonly believed: number
  /** The longest that one chunk took. */
  readonly slowestMs: number
  /** By how much the heap grew from the first tenth to the end, garbage not counted. */
  readonly grownBytes: number
  /** What the wire would not take. */
  readonly unfit: readonly string[]
}

export function fuzz(driver: Driver, given: Uint8Array, bytes: number, seed: number): Fuzzed {
  // A copy: what a Buffer slices is the Buffer itself, and would be damaged for good.
  const sample = Uint8Array.from(given)
  const random = randomOf(seed)
  const options = readOptions(driver)
  const truth = new Set(said(driver, options, [sample, sample]))
  const work = decoder(driver, options)
  const count = { bytes: 0, damaged: 0, strangers: 0, flipped: 0, believed: 0, slowestMs: 0 }
  const unfit = new Set<string>()
  let heapBytes: number | undefined

  while (count.bytes < bytes) {
    const { chunk, damaged } = hostile(driver, sample, random)
    count.bytes += chunk.length
    count.damaged += Number(damaged)
    const beganMs = performance.now()
    for (const { said: one } of work.push(chunk)) {
      if (!one.ok) continue
      for (const flaw of flawsOf(driver, one)) unfit.add(flaw)
      if (!one.unchecked && !truth.has(told(one))) count.strangers += 1
    }
    count.slowestMs = Math.max(count.slowestMs, performance.now() - beganMs)
    if (random() % 64 === 0) {
      count.flipped += 1
      const wrong = sample.slice()
      const bit = random() % (8 * sample.length)
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (said(driver, options, [wrong]).some((one) => !truth.has(one))) count.believed += 1
    }
    if (heapBytes === undefined && count.bytes > bytes / 10) heapBytes = heap()
  }
  return { ...count, grownBytes: heap() - (heapBytes ?? 0), unfit: [...unfit] }
}

/** The next bytes for the line, at most a few frames. */
function hostile(driver: Driver, sample: Uint8Array, random: () => number) {
  const { starts } = driver.shape
  const size = 1 + (random() % 256)
  switch (random() % 6) {
    case 0:
      return { chunk: Uint8Array.from({ length: size }, random), damaged: false }
    case 1: {
      const some = () => (random() % 3 === 0 ? (starts[random() % starts.length] ?? 0) : random())
      return { chunk: Uint8Array.from({ length: size }, some), damaged: false }
    }
    case 2:
      return { chunk: sample, damaged: false }
    case 3:
      return { chunk: sample.subarray(0, random() % sample.length), damaged: true }
    case 4: {
      const [from, to] = [random() % sample.length, random() % sample.length]
      return {
        chunk: Uint8Array.of(...sample.subarray(from), ...sample.subarray(to)),
        damaged: true,
      }
    }
    default: {
      const chunk = sample.slice()
      for (let n = random() % 8; n >= 0; n -= 1) chunk[random() % chunk.length] = random()
      return { chunk, damaged: true }
    }
  }
}

function said(driver: Driver, options: OptionValues, chunks: readonly Uint8Array[]): string[] {
  const work = decoder(driver, options)
  const heard = [...chunks.flatMap((chunk) => work.push(chunk)), ...work.finish()]
  return heard.flatMap(({ said: one }) => (one.ok && !one.unchecked ? [told(one)] : []))
}

type Told = { readonly subject?: string; readonly values: Readonly<Record<string, unknown>> }

/** What is said, but for the date, which may be that of an earlier frame. */
function told({ subject, values }: Told): string {
  const { time: _, date: __, ...rest } = values
  const plain = (_name: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  return JSON.stringify([subject, rest], plain)
}

function flawsOf(driver: Driver, one: Parameters<typeof unitsOf>[1]): string[] {
  const names = Object.keys(one.values).filter((name) => !isFieldName(name))
  const numbers = Object.entries(one.values).filter(
    ([, value]) => typeof value === 'number' && !Number.isFinite(value),
  )
  return [
    ...names.map((name) => `field ${name}`),
    ...numbers.map(([name]) => `${name} is no number`),
    ...(one.subject === undefined || isSubject(one.subject) ? [] : [`subject ${one.subject}`]),
    ...Object.values(unitsOf(driver, one))
      .filter((unit) => !isUnit(unit))
      .map((unit) => `unit ${unit}`),
  ]
}

/** Bytes from 0 to 255 and more, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % 65_521
  }
}

/** The heap in use once the garbage is out. */
function heap(): number {
  collect ??= exposed()
  collect()
  return process.memoryUsage().heapUsed
}

let collect: (() => void) | undefined

function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
