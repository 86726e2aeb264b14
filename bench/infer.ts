/**
 * What the inference path costs beyond ONNX Runtime: window, tensor, digest and reading, over a bare
 * session.run of the same model on a ready tensor, in the same process, turn by turn.
 */
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { infer } from '../runtime/infer/infer.ts'
import { openModel } from '../runtime/infer/model.ts'
import { randomBytes } from '../runtime/wire/crypto/node.ts'
import type { Reading } from '../runtime/wire/reading.ts'
import type { Figure } from './figure.ts'

const runs = 500
const rounds = 31

/** The median round of several, bare and whole taking turns, so that a busy machine hurts both alike. */
export async function bench(): Promise<Figure[]> {
  const folder = fileURLToPath(new URL('../models/anomaly', import.meta.url))
  const whole = await wholePath(folder)
  const bare = await barePath(`${folder}/model.onnx`)
  const pairs: { extraUs: number; ratio: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const bareUs = await timeUs(bare.run)
    const wholeUs = await timeUs(whole.run)
    pairs.push({ extraUs: wholeUs - bareUs, ratio: wholeUs / bareUs })
  }
  await whole.end()
  await bare.end()
  const name = 'inference path over bare session.run'
  const ratio = median(pairs.map((pair) => pair.ratio))
  const extraUs = median(pairs.map((pair) => pair.extraUs))
  return [
    { name, value: ratio, unit: 'ratio', goal: 'near 1' },
    { name: `${name}, extra`, value: extraUs, unit: 'µs', goal: 'at most 30' },
  ]
}

type Path = { readonly run: () => Promise<void>; readonly end: () => Promise<void> }

async function barePath(path: string): Promise<Path> {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 }
  const session = await InferenceSession.create(path, options)
  const window = new Tensor('float32', Float32Array.from({ length: 256 }, Math.sin), [1, 256])
  return {
    async run() {
      for (let i = 0; i < runs; i += 1) await session.run({ window })
    },
    end: () => session.release(),
  }
}

/** The stage as a device runs it: a reading offered, an inference emitted. */
async function wholePath(folder: string): Promise<Path> {
  const { manifest, engine } = await openModel(folder, 'cpu')
  const stop = new AbortController()
  let next = 0
  let left = 0
  let done = () => {}
  const offerNext = () => {
    next += 1
    stage.offer(reading(next))
  }
  const stage = infer({
    stream: 'air-anomaly',
    manifest,
    engine,
    field: 'pm2_5',
    queueMax: 512,
    random: randomBytes,
    doubt: (reason) => {
      throw new Error(reason)
    },
    emit() {
      left -= 1
      if (left > 0) offerNext()
      else done()
    },
  })
  const ended = stage.start(stop.signal)
  for (let i = 1; i < manifest.input.least; i += 1) offerNext()
  const run = () =>
    new Promise<void>((resolve) => {
      left = runs
      done = resolve
      offerNext()
    })
  await run()
  return {
    run,
    async end() {
      stop.abort()
      await ended
      await engine.release()
    },
  }
}

function reading(i: number): Reading {
  const boot = '00112233445566778899aabbccddeeff'
  const values = { pm2_5: Math.sin(i) }
  return { stream: 'air', boot, monotonicMs: i * 1000, values, units: { pm2_5: 'ug/m3' } }
}

async function timeUs(work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return ((performance.now() - from) * 1000) / runs
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
