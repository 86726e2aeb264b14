import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, sign } from '#crypto'
import { openStore, type Store } from '../../runtime/store/client.ts'
import { openShelf, takeAllDown } from '../../runtime/stream/shelf.ts'
import { text, utf8 } from '../../runtime/wire/bytes.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { readSetup } from '../../runtime/wire/setup.ts'
import { readIndex } from '../../runtime/wire/shelf.ts'
import type { Terms } from '../../runtime/wire/terms.ts'
import { topics } from '../../runtime/wire/topic.ts'

const secret = new Uint8Array(32).fill(3)
const device = addressOf(secret)
const names = topics(device)
const hash32 = `0x${'11'.repeat(32)}` as const

const air: Terms = {
  stream: 'air',
  fields: [{ name: 'pm2_5', unit: 'ug/m3', type: 'integer' }],
  epochMs: 10_000,
  price: { amount: '360', perMs: 3_600_000 },
  policy: 'use',
}
const offer = (streams: Terms[]) => ({
  device,
  operator: device,
  signingKey: device,
  hpke: hash32,
  receiver: device,
  gateway: device,
  rails: [],
  withdrawDelayMinS: 86_400,
  streams,
})
const setup = (stream: string, serial: string) => ({
  device,
  stream,
  product: 'wayside 0.1.0',
  sensor: { make: 'Plantower', model: 'PMS5003', serial },
})

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-shelf-'))
  const store = await openStore({ path: join(folder, 'store.db') })
  try {
    await work(store)
  } finally {
    await store.close()
    await rm(folder, { recursive: true })
  }
}

const open = (store: Store, streams: Terms[], setups: ReturnType<typeof setup>[]) =>
  openShelf({
    device,
    sign: (digest) => sign(digest, secret),
    store,
    offer: offer(streams),
    setups,
    indexEveryMs: 20,
  })

const held = async (store: Store, topic: string) =>
  (await store.retained(topic)) ?? assert.fail(`nothing on ${topic}`)

test('offer and setups are signed by the device, and headers can name them', async () => {
  await withStore(async (store) => {
    const shelf = await open(store, [air], [setup('air', 'A1')])
    const read = readOffer(await held(store, names.offer))
    assert.deepEqual(read.offer, shelf.offer())
    assert.equal(read.offer.version, 1)
    const signed = readSetup(await held(store, names.setup('air')))
    assert.equal(signed.signer, device)
    assert.deepEqual(signed.hash, shelf.setupHash('air'))
  })
})

test('what says nothing new keeps its bytes; what changed gets the next version', async () => {
  await withStore(async (store) => {
    await open(store, [air], [setup('air', 'A1')])
    const before = [await held(store, names.offer), await held(store, names.setup('air'))]
    await open(store, [air], [setup('air', 'A1')])
    assert.deepEqual(
      [await held(store, names.offer), await held(store, names.setup('air'))],
      before,
    )
    const dearer = { ...air, price: { amount: '720', perMs: 3_600_000 } }
    const third = await open(store, [dearer], [setup('air', 'B2')])
    assert.equal(third.offer().version, 2)
    assert.equal(readSetup(await held(store, names.setup('air'))).setup.version, 2)
    await third.setOffer(offer([dearer]))
    assert.equal(third.offer().version, 2)
    // And back again: a version is never used for two contents.
    assert.equal((await open(store, [air], [setup('air', 'A1')])).offer().version, 3)
  })
})

test('the setup of a stream that is no more is taken away', async () => {
  await withStore(async (store) => {
    await open(store, [air], [setup('air', 'A1'), setup('wind', 'W1')])
    await open(store, [air], [setup('air', 'A1')])
    const rows = await store.outgoing(0, 100, 1e6)
    const ghost = rows.find(({ topic }) => topic === names.setup('wind'))
    assert.equal(ghost?.payload.length, 0)
    assert.equal(ghost?.retain, true)
    await store.sent(rows.map(({ id }) => id))
    assert.equal(await store.retained(names.setup('wind')), undefined)
  })
})

test('the index follows the headers, signed, and its version only grows', async () => {
  await withStore(async (store) => {
    const shelf = await open(store, [air], [setup('air', 'A1')])
    const stop = new AbortController()
    const done = shelf.start(stop.signal)
    for (const number of [1, 2]) {
      await store.commit({ gains: [], sealed: [row(number)], messages: [], audits: [] })
      shelf.look()
      await sleep(80)
    }
    stop.abort()
    await done
    const { index, signer } = readIndex(await held(store, names.index))
    assert.equal(signer, device)
    assert.ok(index.version >= 3)
    assert.deepEqual(index.streams, [
      {
        stream: 'air',
        generations: [{ generation: 1, first: 1, last: 2 }],
        first: { number: 1, monotonicMs: 10_000 },
        last: { number: 2, monotonicMs: 30_000 },
        lastHash: `0x${'02'.repeat(32)}`,
        tombstones: [],
      },
    ])
  })
})

test('the status is a retained word', async () => {
  await withStore(async (store) => {
    const shelf = await open(store, [air], [])
    await shelf.status('on')
    assert.equal(text(await held(store, names.status)), '{"state":"on"}')
    await store.setRetained(names.status, utf8('x'))
    await shelf.status('off')
    assert.equal(text(await held(store, names.status)), '{"state":"off"}')
  })
})

function row(number: number) {
  return {
    stream: 'air',
    generation: 1,
    number,
    kind: 'readings',
    count: 1,
    coveredMs: 10_000,
    boot: '0'.repeat(32),
    openedMonotonicMs: number * 10_000,
    closedMonotonicMs: (number + 1) * 10_000,
    terms: new Uint8Array(32),
    hash: new Uint8Array(32).fill(number),
    message: new Uint8Array(8),
    topic: names.epoch('air'),
  }
}

test('everything is taken down, and what comes back goes on behind its last version', async () => {
  await withStore(async (store) => {
    const options = {
      ...{ device, store, sign: (digest: Uint8Array) => sign(digest, secret) },
      ...{ offer: offer([air]), setups: [setup('air', '1')] },
    }
    const shelf = await openShelf(options)
    await shelf.status('on')
    const left = await store.retainedTopics()
    assert.equal(await takeAllDown(store), 3)
    const acked = (await store.outgoing(0, 100, 1e6)).filter(({ payload }) => payload.length === 0)
    assert.deepEqual(acked.map(({ topic }) => topic).sort(), [...left].sort())
    await store.sent(acked.map(({ id }) => id))
    assert.deepEqual(await store.retainedTopics(), [], 'PUBACK forgets them')
    const again = await openShelf(options)
    assert.equal(again.offer().version, shelf.offer().version + 1)
    assert.equal(readSetup(await held(store, names.setup('air'))).setup.version, 2)
  })
})
