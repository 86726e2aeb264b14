/**
 * Readings in, tensors out: the newest values of one field, a window for every subject. Pure.
 *
 *   oldest … newest, `least` to `most` values      nothing comes out before `least` are there
 *   a gap                                          begins the window anew: values from before a night
 *                                                  without power say nothing about the morning
 *   another boot                                   likewise: monotonic time starts again
 *   no field, not a number, not finite, too early  a doubt; the window stays as it was
 *
 * models/<name>/train.py cuts its series by the same rules: what was measured is what runs.
 */
import type { Reading } from '../wire/reading.ts'
import type { Manifest } from './manifest.ts'

export type WindowDoubt =
  | 'field missing'
  | 'field not a number'
  | 'field not finite'
  | 'time ran backwards'

export type Windowed =
  | { readonly kind: 'tensor'; readonly tensor: Float32Array }
  | { readonly kind: 'filling'; readonly held: number }
  | { readonly kind: 'doubt'; readonly doubt: WindowDoubt }

/** So many values before a mean interval is believed. */
const gapAfter = 8
/** Windows kept at once; of more subjects (ships in a harbour) the longest silent loses its window. */
const subjectsMax = 1024

type Shape = Pick<Manifest['input'], 'least' | 'most' | 'gapRatio' | 'normalisation'>

/** Takes readings one by one, oldest first. */
export function windows(shape: Shape, field: string): (reading: Reading) => Windowed {
  const bySubject = new Map<string, Held>()

  return (reading) => {
    const value = scalar(reading, field)
    if (typeof value === 'string') return { kind: 'doubt', doubt: value }
    const subject = reading.subject ?? ''
    const before = bySubject.get(subject)
    const sameBoot = before?.boot === reading.boot
    if (before !== undefined && sameBoot && reading.monotonicMs < before.lastMs) {
      return { kind: 'doubt', doubt: 'time ran backwards' }
    }
    const goesOn = before !== undefined && sameBoot && !isGap(before, shape, reading.monotonicMs)
    const held = goesOn ? before : emptyWindow(reading.boot, shape.most)
    push(held, value, reading.monotonicMs)
    bySubject.delete(subject)
    bySubject.set(subject, held)
    if (bySubject.size > subjectsMax) bySubject.delete(bySubject.keys().next().value as string)

    if (held.count < shape.least) return { kind: 'filling', held: held.count }
    return { kind: 'tensor', tensor: (shape.normalisation === 'none' ? plain : standard)(held) }
  }
}

/** A ring: value i of `count` stands at (next − count + i) modulo the size. */
type Held = {
  readonly boot: string
  readonly values: Float64Array
  readonly timesMs: Float64Array
  count: number
  next: number
  lastMs: number
}

function emptyWindow(boot: string, size: number): Held {
  const [values, timesMs] = [new Float64Array(size), new Float64Array(size)]
  return { boot, values, timesMs, count: 0, next: 0, lastMs: 0 }
}

function push(held: Held, value: number, timeMs: number): void {
  held.values[held.next] = value
  held.timesMs[held.next] = timeMs
  held.next = (held.next + 1) % held.values.length
  held.count = Math.min(held.count + 1, held.values.length)
  held.lastMs = timeMs
}

function oldest({ next, count, values }: Held): number {
  return (next - count + values.length) % values.length
}

function isGap(held: Held, { gapRatio }: Shape, timeMs: number): boolean {
  if (held.count < gapAfter) return false
  const spanMs = held.lastMs - (held.timesMs[oldest(held)] ?? 0)
  return timeMs - held.lastMs > (gapRatio * spanMs) / (held.count - 1)
}

function scalar({ values }: Reading, field: string): number | WindowDoubt {
  const value = Object.hasOwn(values, field) ? values[field] : undefined
  if (value === undefined) return 'field missing'
  if (typeof value === 'string' || value instanceof Uint8Array) return 'field not a number'
  return Number.isFinite(Number(value)) ? Number(value) : 'field not finite'
}

function plain(held: Held): Float32Array {
  const tensor = new Float32Array(held.count)
  copy(held, tensor, 0, 1)
  return tensor
}

/** Mean 0, deviation 1, so that the model sees neither offset nor scale; a constant window is zeros. */
function standard(held: Held): Float32Array {
  const { values, count } = held
  // The ring's own order will do here: where it is not full, it is filled from the front.
  let sum = 0
  for (let i = 0; i < count; i += 1) sum += values[i] as number
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < count; i += 1) squares += ((values[i] as number) - mean) ** 2
  const deviation = Math.sqrt(squares / count)
  const tensor = new Float32Array(count)
  const varies = deviation > 1e-12 * Math.abs(mean) && Number.isFinite(deviation)
  if (varies) copy(held, tensor, mean, deviation)
  return tensor
}

/** Oldest first. */
function copy(held: Held, tensor: Float32Array, offset: number, scale: number): void {
  const { values, count } = held
  let at = oldest(held)
  for (let i = 0; i < count; i += 1) {
    tensor[i] = ((values[at] as number) - offset) / scale
    at += 1
    if (at === values.length) at = 0
  }
}
