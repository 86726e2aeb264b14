import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Inferring, infer } from '../../runtime/infer/infer.ts'
import { type Manifest, parseManifest } from '../../runtime/infer/manifest.ts'
import { decodePack, encodePack, type Reading } from '../../runtime/wire/reading.ts'
import { at, boot } from './readings.ts'

const manifest: Manifest = parseManifest(
  JSON.stringify({
    name: 'toy',
    version: '1.0.0',
    title: 'A toy',
    sha256: `0x${'0'.repeat(64)}`,
    input: {
      tensor: { name: 'x', type: 'float32', shape: [1, 'n'] },
      least: 2,
      most: 3,
      gapRatio: 10,
      normalisation: 'none',
    },
    outputs: {
      mean: { tensor: 'y', index: 1, unit: 'ug/m3' },
      high: { tensor: 'y', index: 1, atLeast: 10 },
      mood: { tensor: 'z', labels: ['calm', 'busy'] },
    },
    provider: 'cpu',
    licence: 'Apache-2.0',
    provenance: { script: 'none', data: 'none', tools: 'none' },
  }),
  'toy',
)

type Emitted = { readonly reading: Reading; readonly audit: Uint8Array }

function stage(engine: Partial<Inferring['engine']> = {}, queueMax = 8) {
  const emitted: Emitted[] = []
  const doubts: string[] = []
  const tensors: Float32Array[] = []
  const made = infer({
    stream: 'air-toy',
    manifest,
    field: 'pm2_5',
    queueMax,
    random: randomBytes,
    emit: (reading, { audit }) => emitted.push({ reading, audit }),
    doubt: (reason) => doubts.push(reason),
    engine: {
      provider: 'cpu',
      async run(data) {
        tensors.push(data.slice())
        const mean = data.reduce((sum, value) => sum + value, 0) / data.length
        return { y: Float32Array.of(0, mean), z: Float32Array.of(0, mean - 10) }
      },
      ...engine,
    },
  })
  return { ...made, emitted, doubts, tensors }
}

async function settled(done: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1000 && !done(); turns += 1) await turn()
  assert.ok(done())
}

test('an inference is a reading of its own stream, at the time of the newest reading', async () => {
  const { offer, start, emitted, doubts } = stage()
  const stop = new AbortController()
  const ended = start(stop.signal)
  offer(at(1000, 8, { subject: 'gate', wallMs: 1_700_000_000_000 }))
  offer(at(2000, 16, { subject: 'gate', wallMs: 1_700_000_001_000 }))
  await settled(() => emitted.length === 1)
  stop.abort()
  await ended
  const { input, ...values } = emitted[0]?.reading.values ?? {}
  const moment = { boot, monotonicMs: 2000, wallMs: 1_700_000_001_000, subject: 'gate' }
  assert.deepEqual(
    { ...emitted[0]?.reading, values },
    {
      ...moment,
      stream: 'air-toy',
      values: { mean: 12, high: true, mood: 'busy', provider: 'cpu' },
      units: { mean: 'ug/m3' },
    },
  )
  assert.ok(input instanceof Uint8Array && input.length === 32)
  assert.deepEqual(doubts, [])
})

test('an inference travels as a pack and comes back whole, without its audit bytes', async () => {
  const { offer, start, emitted } = stage()
  const stop = new AbortController()
  const ended = start(stop.signal)
  for (const i of [1, 2]) offer(at(i * 1000, i))
  await settled(() => emitted.length === 1)
  stop.abort()
  await ended
  const [made] = emitted
  assert.ok(made)
  const device = `0x${'ab'.repeat(20)}` as const
  const pack = encodePack(made.reading, device)
  assert.deepEqual(decodePack(pack, boot).reading, made.reading)
  assert.equal(Buffer.from(pack).indexOf(made.audit), -1)
})

test('the input digest can be made again from the audit bytes and the tensor, and from no other', async () => {
  const { offer, start, emitted, tensors } = stage()
  const stop = new AbortController()
  const ended = start(stop.signal)
  for (let i = 0; i < 6; i += 1) offer(at(i * 1000, i * 1.5))
  await settled(() => emitted.length === 5)
  stop.abort()
  await ended
  for (const [i, { reading, audit }] of emitted.entries()) {
    assert.equal(audit.length, 16)
    const tensor = tensors[i] as Float32Array
    const bytes = Buffer.alloc(4 * tensor.length)
    for (const [k, value] of tensor.entries()) bytes.writeFloatLE(value, 4 * k)
    const digest = (salt: Uint8Array) => createHash('sha256').update(salt).update(bytes).digest()
    assert.deepEqual(Buffer.from(reading.values.input as Uint8Array), digest(audit))
    assert.notDeepEqual(Buffer.from(reading.values.input as Uint8Array), digest(randomBytes(16)))
  }
})

test('the queue holds its bound: of more, the oldest waiting is a counted doubt', async () => {
  const { offer, start, emitted, doubts, health } = stage({}, 4)
  for (let i = 0; i < 10; i += 1) offer(at(i * 1000, i))
  assert.deepEqual(doubts, Array(6).fill('queue full'))
  assert.equal(health().waiting, 4)
  const stop = new AbortController()
  const ended = start(stop.signal)
  await settled(() => emitted.length === 3)
  stop.abort()
  await ended
  assert.deepEqual(
    emitted.map(({ reading }) => reading.monotonicMs),
    [7000, 8000, 9000],
  )
})

test('one inference runs at a time, and what waits at the end is counted', async () => {
  let running = 0
  let most = 0
  let release = () => {}
  const { offer, start, doubts, emitted } = stage({
    async run() {
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => (release = resolve))
      running -= 1
      return { y: Float32Array.of(0, 1), z: Float32Array.of(1, 0) }
    },
  })
  const stop = new AbortController()
  const ended = start(stop.signal)
  for (let i = 0; i < 5; i += 1) offer(at(i * 1000, i))
  await settled(() => running === 1)
  stop.abort()
  release()
  await ended
  assert.equal(most, 1)
  assert.equal(emitted.length, 1)
  assert.deepEqual(doubts, ['stopping', 'stopping', 'stopping'])
})

test('a model that fails or answers nonsense is a doubt, and the next reading has its chance', async () => {
  const answers = [
    () => Promise.reject(new Error('the card is gone')),
    async () => ({ y: Float32Array.of(0, Number.NaN), z: Float32Array.of(0, 1) }),
    async () => ({ y: Float32Array.of(0), z: Float32Array.of(0, 1) }),
    async () => ({ z: Float32Array.of(0, 1) }),
    async () => ({ y: Float32Array.of(0, 3), z: Float32Array.of(0, 1) }),
  ]
  const { offer, start, doubts, emitted, health } = stage({
    run: () => (answers.shift() as () => Promise<Record<string, Float32Array>>)(),
  })
  const stop = new AbortController()
  const ended = start(stop.signal)
  for (let i = 0; i < 6; i += 1) offer(at(i * 1000, i))
  await settled(() => emitted.length === 1)
  stop.abort()
  await ended
  const nonsense = Array(3).fill('output not finite')
  assert.deepEqual(doubts, ['model failed', ...nonsense])
  assert.equal(health().lastFailure, 'the card is gone')
})
