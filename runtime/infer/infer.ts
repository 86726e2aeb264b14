/**
 * The stage: readings of one stream in, inferences out. An inference is a reading like any other:
 *
 *   time, boot, subject   of the newest reading in its window
 *   values                the manifest's outputs, then
 *                         provider   what really ran it
 *                         input      SHA-256(16 random bytes ‖ tensor as little-endian float32)
 *
 * The 16 random bytes go out beside it, to be stored and never sent: without them nobody can guess a
 * low-entropy tensor from its digest, with them an audit can show which tensor it was.
 */
import { sha256 } from '#crypto'
import type { Reading, Value } from '../wire/reading.ts'
import type { Unit } from '../wire/units.ts'
import type { Engine } from './engine.ts'
import { type Manifest, type Output, tensorDims } from './manifest.ts'
import { type WindowDoubt, windows } from './window.ts'

export type InferenceDoubt =
  | WindowDoubt
  | 'queue full'
  | 'model failed'
  | 'output not finite'
  | 'stopping'

export type Inferring = {
  /** The stream of the inferences, not of the readings they are made from. */
  readonly stream: string
  readonly manifest: Manifest
  readonly engine: Pick<Engine, 'provider' | 'run'>
  /** The field to watch; the manifest's own when it names one. */
  readonly field?: string
  /** Readings that may wait; of more, the oldest is a doubt. */
  readonly queueMax: number
  readonly random: (length: number) => Uint8Array
  readonly emit: (reading: Reading, beside: { readonly audit: Uint8Array }) => void
  readonly doubt: (reason: InferenceDoubt) => void
}

export type InferStage = {
  /** Takes a reading and returns at once. */
  readonly offer: (reading: Reading) => void
  /** Works, one inference at a time, until the signal; what still waits then is a doubt. */
  readonly start: (signal: AbortSignal) => Promise<void>
  readonly health: () => InferHealth
}

export type InferHealth = {
  readonly provider: string
  readonly inferences: number
  readonly waiting: number
  /** What the engine last said when it failed. */
  readonly lastFailure?: string
}

export function infer(inferring: Inferring): InferStage {
  const { manifest, engine, queueMax, doubt, emit } = inferring
  const window = windows(manifest.input, inferring.field ?? manifest.input.field ?? '')
  const units = outputUnits(manifest)
  const draw = sixteens(inferring.random)
  const waiting: Reading[] = []
  let wake = () => {}
  let inferences = 0
  let lastFailure: string | undefined

  async function one(reading: Reading): Promise<void> {
    const cut = window(reading)
    if (cut.kind === 'filling') return
    if (cut.kind === 'doubt') return doubt(cut.doubt)
    const { tensor } = cut
    const audit = draw()
    const input = inputDigest(audit, tensor)
    let made: Readonly<Record<string, Float32Array>>
    try {
      made = await engine.run(tensor, tensorDims(manifest, tensor.length))
    } catch (cause) {
      lastFailure = (cause as Error).message
      return doubt('model failed')
    }
    const values = named(manifest.outputs, made)
    if (values === undefined) return doubt('output not finite')
    inferences += 1
    const { values: _, ...moment } = reading
    const all = { ...values, provider: engine.provider, input }
    emit({ ...moment, stream: inferring.stream, values: all, units }, { audit })
  }

  return {
    offer(reading) {
      waiting.push(reading)
      if (waiting.length > queueMax) {
        waiting.shift()
        doubt('queue full')
      }
      wake()
    },

    async start(signal) {
      signal.addEventListener('abort', () => wake(), { once: true })
      while (!signal.aborted) {
        const reading = waiting.shift()
        if (reading !== undefined) await one(reading)
        else await new Promise<void>((resolve) => (wake = resolve))
      }
      for (const _ of waiting.splice(0)) doubt('stopping')
    },

    health: () => ({
      provider: engine.provider,
      inferences,
      waiting: waiting.length,
      ...(lastFailure === undefined ? {} : { lastFailure }),
    }),
  }
}

/** SHA-256(random ‖ tensor as little-endian float32), as an audit computes it again. */
export function inputDigest(random: Uint8Array, tensor: Float32Array): Uint8Array {
  const salted = new Uint8Array(random.length + 4 * tensor.length)
  salted.set(random)
  if (littleEndian) {
    const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength)
    salted.set(bytes, random.length)
  } else {
    const view = new DataView(salted.buffer)
    for (const [i, value] of tensor.entries()) view.setFloat32(random.length + 4 * i, value, true)
  }
  return sha256(salted)
}

/** Sixteen random bytes a call, drawn 64 calls at a time: a system call costs as much as the digest. */
function sixteens(random: Inferring['random']): () => Uint8Array {
  let pool = new Uint8Array(0)
  let at = 0
  return () => {
    if (at === pool.length) {
      pool = Uint8Array.from(random(1024))
      at = 0
    }
    at += 16
    return pool.slice(at - 16, at)
  }
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** The outputs as named fields; undefined when one is not there or not finite. */
function named(
  outputs: Manifest['outputs'],
  made: Readonly<Record<string, Float32Array>>,
): Record<string, Value> | undefined {
  const values: Record<string, Value> = {}
  for (const [name, from] of Object.entries(outputs)) {
    const tensor = made[from.tensor]
    const value = tensor === undefined ? undefined : read(from, tensor)
    if (value === undefined) return undefined
    values[name] = value
  }
  return values
}

function read(from: Output, tensor: Float32Array): Value | undefined {
  if ('labels' in from) return label(from.labels, tensor)
  const value = tensor[from.index]
  if (value === undefined || !Number.isFinite(value)) return undefined
  return 'atLeast' in from ? value >= from.atLeast : value
}

/** The label whose value is highest. */
function label(labels: readonly string[], tensor: Float32Array): string | undefined {
  const likely = tensor.subarray(0, labels.length)
  if (!likely.every(Number.isFinite)) return undefined
  return labels[likely.indexOf(Math.max(...likely))]
}

function outputUnits({ outputs }: Manifest): Record<string, Unit> {
  const units: Record<string, Unit> = {}
  for (const [name, from] of Object.entries(outputs)) {
    if ('unit' in from && from.unit !== undefined) units[name] = from.unit
  }
  return units
}
