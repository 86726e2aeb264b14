import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Database, openDatabase } from '../../runtime/disk/sqlite.ts'
import { openStore, type Store } from '../../runtime/store/client.ts'
import type { OpenRow } from '../../runtime/store/open.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'

const zeros = new Uint8Array(32)

function sealedRow(number: number, bytes = 8) {
  return {
    stream: 'air',
    generation: 1,
    number,
    kind: 'readings',
    count: 3,
    coveredMs: 10_000,
    openedMonotonicMs: number * 10_000,
    closedMonotonicMs: (number + 1) * 10_000,
    closedWallMs: 1_790_000_000_000,
    terms: zeros,
    hash: zeros.map(() => number),
    message: new Uint8Array(bytes).fill(number),
    boot: '0'.repeat(32),
    topic: 'wayside/1/x/s/air/epoch',
  }
}

const openRow: OpenRow = {
  stream: 'air',
  generation: 1,
  number: 3,
  previous: zeros,
  clock: 'unset',
  boot: '0'.repeat(32),
  openedMonotonicMs: 30_000,
  terms: zeros,
  setup: zeros,
  count: 2,
  root: zeros,
  headMonotonicMs: 31_000,
  signature: new Uint8Array(65),
}

const nothing = { gains: [], sealed: [], messages: [], audits: [] }

async function withStore(work: (store: Store, path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-store-'))
  const path = join(folder, 'store.db')
  const store = await openStore({ path })
  try {
    await work(store, path)
  } finally {
    await store.close().catch(() => {})
    await rm(folder, { recursive: true })
  }
}

test('what was committed is there when the store is opened again', async () => {
  await withStore(async (store, path) => {
    await store.commit({ ...nothing, gains: [{ open: openRow, packs: utf8('one') }] })
    await store.commit({
      ...nothing,
      gains: [{ open: { ...openRow, count: 3 }, packs: utf8('two') }],
    })
    await store.close()
    const again = await openStore({ path })
    const { open, chains } = await again.recover()
    await again.close()
    assert.deepEqual(chains, [])
    assert.equal(open[0]?.count, 3)
    assert.deepEqual(open[0]?.packs, utf8('onetwo'))
    assert.deepEqual(open[0]?.signature, new Uint8Array(65))
    assert.equal(open[0]?.openedWallMs, null)
  })
})

test('a header drops its stream’s waiting packs and moves the chain on', async () => {
  await withStore(async (store) => {
    await store.commit({ ...nothing, gains: [{ open: openRow, packs: utf8('one') }] })
    await store.commit({ ...nothing, sealed: [sealedRow(3)] })
    const { open, chains } = await store.recover()
    assert.deepEqual(open, [])
    assert.equal(chains[0]?.number, 3)
    assert.equal((await store.counts()).waiting, 0)
    assert.deepEqual(await store.epochMessage('air', 1, 3), new Uint8Array(8).fill(3))
    assert.equal(await store.epochMessage('air', 1, 4), undefined)
  })
})

test('a number is never used twice, and the refused commit leaves nothing behind', async () => {
  await withStore(async (store) => {
    await store.commit({ ...nothing, sealed: [sealedRow(1)] })
    const batch = (...numbers: number[]) => ({
      ...nothing,
      sealed: numbers.map((n) => sealedRow(n)),
    })
    for (const batches of [[batch(2, 1)], [batch(2), batch(1)]]) {
      await assert.rejects(store.commit(...batches), { code: 'STORE_FAILED' })
    }
    assert.deepEqual(
      (await store.headersSince(0, 10)).map(({ number }) => number),
      [1],
    )
  })
})

test('a row leaves the outbox when the broker has it, and not before', async () => {
  await withStore(async (store, path) => {
    await store.commit({ ...nothing, sealed: [sealedRow(1), sealedRow(2), sealedRow(3)] })
    const rows = await store.outgoing(0, 2, 1000)
    assert.deepEqual(
      rows.map(({ payload }) => payload[0]),
      [1, 2],
    )
    await store.sent([rows[1]?.id ?? 0])
    await store.close()
    const again = await openStore({ path })
    const left = await again.outgoing(0, 10, 1000)
    assert.deepEqual(
      left.map(({ payload }) => payload[0]),
      [1, 3],
    )
    await again.close()
  })
})

test('a batch of the outbox is bounded in bytes, and never empty while there is something', async () => {
  await withStore(async (store) => {
    await store.commit({ ...nothing, sealed: [sealedRow(1, 900), sealedRow(2, 900)] })
    assert.equal((await store.outgoing(0, 10, 1000)).length, 1)
    assert.equal((await store.outgoing(0, 10, 10)).length, 1)
    assert.equal((await store.outgoing(0, 10, 1800)).length, 2)
  })
})

test('only the newest payload of a retained topic is sent, and it is remembered', async () => {
  await withStore(async (store) => {
    await store.setRetained('t/offer', utf8('old'))
    await store.setRetained('t/index', utf8('index'))
    await store.setRetained('t/offer', utf8('new'))
    const rows = await store.outgoing(0, 10, 1000)
    assert.deepEqual(
      rows.map(({ topic, retain, payload }) => [topic, retain, payload.length]),
      [
        ['t/index', true, 5],
        ['t/offer', true, 3],
      ],
    )
    await store.sent(rows.map(({ id }) => id))
    assert.deepEqual(await store.retained('t/offer'), utf8('new'))
    await store.sendRetainedAgain()
    assert.equal((await store.outgoing(0, 10, 1000)).length, 2)
  })
})

test('a payload that was replaced while it was on its way is sent again', async () => {
  await withStore(async (store) => {
    await store.setRetained('t/offer', utf8('old'))
    const [old] = await store.outgoing(0, 10, 1000)
    await store.setRetained('t/offer', utf8('new'))
    await store.sent([old?.id ?? 0])
    const [row] = await store.outgoing(old?.id ?? 0, 10, 1000)
    assert.deepEqual(row?.payload, utf8('new'))
  })
})

test('a retained topic that was taken away leaves the ledger once the broker knows', async () => {
  await withStore(async (store) => {
    await store.setRetained('t/setup', utf8('setup'))
    await store.setRetained('t/setup', new Uint8Array(0))
    const rows = await store.outgoing(0, 10, 1000)
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.payload.length, 0)
    await store.sent(rows.map(({ id }) => id))
    assert.equal(await store.retained('t/setup'), undefined)
  })
})

test('the shelf names every stream’s generations and ends', async () => {
  await withStore(async (store) => {
    const later = { ...sealedRow(2), generation: 2 }
    await store.commit({ ...nothing, sealed: [sealedRow(0), sealedRow(1), later] })
    const [air] = await store.shelf()
    assert.deepEqual(air?.generations, [
      { generation: 1, first: 0, last: 1 },
      { generation: 2, first: 2, last: 2 },
    ])
    assert.deepEqual(air?.first, { number: 0, monotonicMs: 0, wallMs: null })
    assert.deepEqual(air?.last, { number: 2, monotonicMs: 30_000, wallMs: 1_790_000_000_000 })
  })
})

test('a database of a later version is not touched', async () => {
  await withStore(async (store, path) => {
    await store.close()
    const db: Database = openDatabase(path)
    db.pragma('user_version = 99')
    db.close()
    await assert.rejects(openStore({ path }), { code: 'STORE_NEWER', exit: 2 })
  })
})

test('a store that is closed says so', async () => {
  await withStore(async (store) => {
    await store.close()
    await assert.rejects(store.counts(), { code: 'STORE_FAILED' })
  })
})
