/** Recovery of lost books, killed at every step and run again: nothing is lost, no number is used twice. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { randomBytes } from '#crypto'
import { epochMaker } from '../runtime/sign/epoch.ts'
import { openDeviceKey } from '../runtime/sign/key.ts'
import { openStore } from '../runtime/store/client.ts'
import { openGenerations } from '../runtime/stream/generations.ts'
import { openMessages } from '../runtime/stream/open.ts'
import { openShelf } from '../runtime/stream/shelf.ts'
import { equal } from '../runtime/wire/bytes.ts'
import { readClearBody } from '../runtime/wire/clearbody.ts'
import { carriesReadings, decodeMessage, type Message, openEpoch } from '../runtime/wire/epoch.ts'
import { headerHash } from '../runtime/wire/header.ts'
import { topics } from '../runtime/wire/topic.ts'
import { plan, readingAt, testClock } from './sign/fixture.ts'

const bin = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const nobody = `0x${'0'.repeat(40)}`

/** Opens what a device has in its folder, makes as many epochs of two readings, and closes it. */
async function live(folder: string, epochs: number, from: number): Promise<Uint8Array> {
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(`${folder}/generations`, { random: randomBytes })
  const store = await openStore({ path: `${folder}/store.sqlite` })
  const clock = testClock()
  const streams = [plan('air', { countMax: 2, free: true })]
  const maker = epochMaker({
    ...{ key, clock, streams, store, random: randomBytes },
    ...{ generation: generations.current, keys: generations.leafKey },
    openMessage: openMessages(key.device),
  })
  const end = new AbortController()
  const ended = maker.start(end.signal)
  for (let i = 0; i < 2 * epochs; i += 1) maker.take(readingAt(clock, from + i))
  end.abort()
  await ended
  const { device, sign } = key
  const offer = { device } as unknown as Parameters<typeof openShelf>[0]['offer']
  const shelf = await openShelf({ device, sign, store, offer, setups: [] })
  await shelf.start(AbortSignal.abort())
  const index = await store.retained(topics(device).index)
  await store.close()
  return index as Uint8Array
}

/** Books that are three epochs behind, with five more that nobody was given. */
async function lostFolder(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'wayside-recovery-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = join(root, 'device')
  await live(folder, 4, 0)
  await cp(folder, join(root, 'copy'), { recursive: true })
  const index = await live(folder, 3, 100)
  await rm(folder, { recursive: true })
  await cp(join(root, 'copy'), folder, { recursive: true })
  const { device } = await openDeviceKey(folder)
  const store = await openStore({ path: `${folder}/store.sqlite` })
  await store.beginCheck()
  await store.close()
  await live(folder, 5, 200)
  const found = await openStore({ path: `${folder}/store.sqlite` })
  await found.noteLost([{ topic: topics(device).index, payload: index }])
  await found.close()
  await writeConfig(root)
  return root
}

/** Four epochs, of which the broker has two, and two more after a twin was heard, which made three. */
async function twinFolder(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'wayside-twin-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = join(root, 'device')
  await live(folder, 1, 0)
  await cp(folder, join(root, 'copy'), { recursive: true })
  const index = await live(join(root, 'copy'), 3, 100)
  await live(folder, 3, 2)
  const { device } = await openDeviceKey(folder)
  const store = await openStore({ path: `${folder}/store.sqlite` })
  const rows = await store.outgoing(0, 1_000, 1 << 24)
  const epochs = rows.filter(({ topic }) => topic === topics(device).epoch('air'))
  const last = epochs[1]?.id ?? 0
  await store.sent(rows.map(({ id }) => id).filter((id) => id <= last))
  await store.beginDoubt()
  await store.noteLost([{ topic: topics(device).index, payload: index }], 'an index of version 2')
  await store.close()
  await live(folder, 2, 200)
  await writeConfig(root)
  return root
}

async function writeConfig(root: string): Promise<void> {
  const config = {
    folder: join(root, 'device'),
    broker: { url: 'mqtt://127.0.0.1:9' },
    ...{ operator: nobody, gateway: nobody, receiver: nobody },
    sensors: [{ name: 'air', driver: 'plantower', port: '/dev/none' }],
  }
  await writeFile(`${root}/wayside.yaml`, JSON.stringify(config))
}

/** `wayside recover`; null when the failpoint killed it. */
async function recover(root: string, failpoint: string): Promise<number | null> {
  const env = { ...process.env, WAYSIDE_FAILPOINT: failpoint }
  const child = spawn(process.execPath, [bin, 'recover', '--offline', `${root}/wayside.yaml`], {
    env,
  })
  child.stdout.resume()
  child.stderr.resume()
  const [code] = await once(child, 'close')
  return code
}

test('a recovery that is killed at every step and run again cuts all anew, once, above the index', async (t) => {
  const root = await lostFolder(t)
  const kills = ['write.beside', 'write.renamed', 'recover.adopt', 'recover.recut']
  for (const place of kills) assert.equal(await recover(root, place), null, place)
  assert.equal(await recover(root, ''), 0)
  assert.equal(await recover(root, ''), 1, 'nothing is lost any more')

  const folder = join(root, 'device')
  const store = await openStore({ path: `${folder}/store.sqlite` })
  t.after(store.close)
  const { leafKey, current } = await openGenerations(`${folder}/generations`, {
    random: randomBytes,
  })
  assert.equal(current, 2, 'one generation, however often it was killed')
  const messages = await messagesIn(store)
  const air = messages.filter(({ header }) => header.stream === 'air')
  assert.deepEqual(
    air.map(({ header }) => [header.number, header.kind, header.generation]),
    [
      ...[1, 2, 3, 4].map((number) => [number, 'readings', 1]),
      [1034, 'tombstone', 2],
      ...[1035, 1036, 1037, 1038, 1039].map((number) => [number, 'readings', 2]),
    ],
  )
  for (const [i, { header }] of air.entries()) {
    const before = air[i - 1]
    if (before === undefined || header.kind === 'tombstone') continue
    assert.ok(equal(header.previous, headerHash(before.headerBytes)), `${header.number} follows`)
  }
  assert.deepEqual(readIn(air, leafKey), [...kept(0, 8), ...kept(200, 10)])

  const own = messages.filter(({ header }) => header.stream === 'device')
  const last = own.slice(-2).map((message) => readClearBody(message))
  assert.deepEqual(last[0], { kind: 'generation', generation: 2 })
  assert.equal(last[1]?.kind, 'tombstone')
  await sayWhereTheyStand(store)
})

test('beside a twin all that the broker never had is cut anew: its numbers may be the twin’s', async (t) => {
  const root = await twinFolder(t)
  const folder = join(root, 'device')
  const open = () => openStore({ path: `${folder}/store.sqlite` })
  const before = await open()
  assert.equal((await before.lostBooks())?.twin, 'an index of version 2')
  await before.close()
  for (const [place, code] of [
    ['recover.adopt', null],
    ['recover.recut', null],
    ['', 0],
  ] as const) {
    assert.equal(await recover(root, place), code, place)
  }
  const store = await open()
  t.after(store.close)
  assert.equal(await store.lostBooks(), undefined)
  const { leafKey } = await openGenerations(`${folder}/generations`, { random: randomBytes })
  const air = (await messagesIn(store)).filter(({ header }) => header.stream === 'air')
  assert.deepEqual(
    air.map(({ header }) => [header.number, header.generation]),
    [[1, 1], [2, 1], ...[1031, 1032, 1033, 1034, 1035].map((number) => [number, 2])],
  )
  assert.deepEqual(readIn(air, leafKey), [...kept(0, 8), ...kept(200, 4)], 'nothing is lost')
})

type Store = Awaited<ReturnType<typeof openStore>>

async function messagesIn(store: Store): Promise<Message[]> {
  const messages = []
  for (const { stream, generation, number } of await store.headersSince(0, 1_000)) {
    const message = await store.epochMessage(stream, generation, number)
    messages.push(decodeMessage(message as Uint8Array))
  }
  return messages
}

/** The numbers of the readings in these. */
function readIn(messages: readonly Message[], leafKey: LeafKey): unknown[] {
  return messages
    .filter(({ header }) => carriesReadings(header))
    .flatMap((message) => {
      const { stream, generation, number } = message.header
      return openEpoch(message, leafKey(stream, generation, number)).readings
    })
    .map(({ values }) => values.pm2_5)
}

type LeafKey = (stream: string, generation: number, number: number) => Uint8Array

function kept(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}

/** What tells of readings in the clear names the epochs in which they stand now. */
async function sayWhereTheyStand(store: Store): Promise<void> {
  const rows = await store.outgoing(0, 1_000, 1 << 24)
  const said = rows.filter(({ topic }) => topic.endsWith('/open'))
  const places = said.map(({ payload }) => {
    const [{ epoch, index, v }] = JSON.parse(Buffer.from(payload).toString())
    return `${v}: ${epoch}/${index}`
  })
  const anew = places.filter((place) => /^2\d\d:/.test(place))
  const expected = Array.from({ length: 10 }, (_, i) => `${200 + i}: ${1035 + (i >> 1)}/${i % 2}`)
  assert.deepEqual(anew, expected)
}
