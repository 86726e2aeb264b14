/** What gives way when the store is full, and that a verifier can account for every number of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openStore } from '../../runtime/store/client.ts'
import { type Device, openDevice, withDevice } from '../sign/fixture.ts'
import { publish, sense, verifyAll } from './history.ts'

const streams = ['air', 'gnss']
const rule = { freeMin: 0, ageMs: null, full: false }
const none = { channels: [], sessions: [], forgotten: [], retained: [] }

/** A quota that part of what is stored passes. */
async function tight({ store }: Device, share = 0.7) {
  return { ...rule, bytesMax: (await store.counts()).usedBytes * share }
}

async function evictOnce(device: Device, share?: number): Promise<number> {
  let epochs = 0
  const evictions = await device.store.evictable(await tight(device, share))
  await sense(device, streams, 0, async (maker) => {
    if (await maker.evict(evictions)) epochs = evictions.reduce((sum, one) => sum + one.epochs, 0)
  })
  return epochs
}

test('the oldest epochs of all streams give way, and one tombstone a stream accounts for them', async () => {
  await withDevice(async (device) => {
    await sense(device, streams, 200)
    await publish(device)
    const before = (await device.store.counts()).epochs
    for (let i = 0; i < 4; i += 1) {
      assert.ok((await evictOnce(device, 0.9)) > 0)
      await publish(device)
    }
    for (const stream of streams) {
      const { gone, stored } = await verifyAll(device, stream)
      assert.ok(gone > 50, `${gone} of ${stream} are gone`)
      assert.ok(stored < 160)
      const [row] = (await device.store.shelf()).filter((one) => one.stream === stream)
      assert.equal(row?.tombstones.length, 1)
      assert.equal(row?.first.number, gone + 1)
      assert.deepEqual(row?.generations, [
        { generation: 1, first: gone + 1, last: row?.last.number },
      ])
    }
    const { epochs } = await device.store.counts()
    const rows = await device.store.headersSince(0, 10_000)
    assert.equal(epochs, rows.length)
    assert.ok(epochs < before)
    assert.ok(
      (await device.store.counts()).usedBytes < 0.9 * (await device.store.counts()).fileBytes,
    )
  })
})

test('what no buyer can have seen yet goes last: in every stream, and of all streams alike', async () => {
  await withDevice(async (device) => {
    await sense(device, streams, 200)
    await publish(device)
    const before = await device.store.headersSince(0, 10_000)
    for (let i = 0; i < 6; i += 1) {
      assert.ok((await evictOnce(device, 0.8)) > 0)
      await publish(device)
    }
    // Who buys on sight waits for what is newest: of every stream the same time is left, up to the end.
    const left = new Set((await device.store.headersSince(0, 10_000)).map(({ seq }) => seq))
    const sold = before.filter(({ stream }) => streams.includes(stream))
    const gone = sold.filter(({ seq }) => !left.has(seq))
    const lastGone = Math.max(...gone.map(({ seq }) => seq))
    const firstKept = Math.min(...sold.filter(({ seq }) => left.has(seq)).map(({ seq }) => seq))
    assert.ok(gone.length > sold.length / 2, `${gone.length} of ${sold.length} are gone`)
    assert.ok(lastGone - firstKept <= streams.length, `${firstKept} stayed, ${lastGone} went`)
  })
})

test('what the broker does not have stays, until the disk is really full', async () => {
  await withDevice(async (device) => {
    await sense(device, ['air'], 60)
    assert.deepEqual(await device.store.evictable(await tight(device)), [])
    const evictions = await device.store.evictable({ ...(await tight(device)), full: true })
    assert.equal(evictions[0]?.reason, 'disk')
    assert.ok((evictions[0]?.unsent ?? 0) > 0)
    await sense(device, ['air'], 0, async (maker) => assert.ok(await maker.evict(evictions)))
    const { gone } = await verifyAll(device, 'air')
    assert.equal(gone, evictions[0]?.epochs)
  })
})

test('nothing gives way while the books are unproven: what is to be cut anew must be there', async () => {
  await withDevice(async (device) => {
    await sense(device, ['air'], 60)
    await publish(device)
    const rule = { ...(await tight(device)), full: true }
    await device.store.beginCheck()
    assert.deepEqual(await device.store.evictable(rule), [])
    await device.store.endCheck()
    assert.equal((await device.store.evictable(rule)).length, 1)
  })
})

test('what was paid for stays for its time, other epochs give way around it; no more than half is pinned', async () => {
  await withDevice(async (device) => {
    const { store } = device
    await sense(device, ['air'], 300)
    await publish(device)
    const timeMs = 1_795_000_000_000
    const bought = { stream: 'air', generation: 1, from: 11, to: 20 }
    await store.saleCommit({ ...none, timeMs, fresh: [bought], pinUntilMs: timeMs + 1_000 })
    assert.ok((await store.counts()).pinnedBytes > 0)
    for (let i = 0; i < 3; i += 1) await evictOnce(device, 0.9)
    const [air] = await store.shelf()
    assert.deepEqual(
      air?.tombstones.map(({ from }) => from),
      [1, 21],
    )
    assert.ok(await store.epochMessage('air', 1, 11))
    assert.ok((await verifyAll(device, 'air')).gone > 50)

    await store.saleCommit({ ...none, timeMs: timeMs + 1_000 })
    await publish(device)
    await evictOnce(device, 0.9)
    assert.equal(await store.epochMessage('air', 1, 11), undefined)
    assert.equal((await store.shelf())[0]?.tombstones.length, 1)
    await verifyAll(device, 'air')

    const { first, last } = (await store.shelf())[0] ?? assert.fail()
    const all = { stream: 'air', generation: 1, from: first.number, to: last.number }
    await store.saleCommit({
      ...none,
      timeMs,
      fresh: [all],
      pinUntilMs: timeMs + 9_000,
    })
    assert.ok((await evictOnce(device, 0.5)) > 0, 'a buyer does not hold the whole disk')
  })
})

test('nobody buys what is about to go, and what went is not sold', async () => {
  await withDevice(async (device) => {
    const { store } = device
    await sense(device, ['air'], 100)
    await publish(device)
    const all = [{ stream: 'air', generation: 1, from: 1, to: 200 }]
    const read = await store.saleEpochs(all, 512)
    const first = read.epochs[0]?.number ?? assert.fail()
    const [eviction] = await store.evictable(await tight(device))
    assert.equal(eviction?.from, first)
    const fresh = [{ stream: 'air', generation: 1, from: first, to: first }]
    assert.deepEqual(await store.saleCommit({ ...none, timeMs: 1, fresh }), [false])
    const left = await store.saleEpochs(all, 512)
    assert.equal(left.epochs[0]?.number, (eviction?.to ?? 0) + 1)
    await sense(
      device,
      ['air'],
      0,
      async (maker) => void (await maker.evict([eviction ?? assert.fail()])),
    )
    assert.deepEqual(await store.saleCommit({ ...none, timeMs: 1, fresh }), [false])
    const next = [{ stream: 'air', generation: 1, from: eviction.to + 1, to: eviction.to + 1 }]
    assert.deepEqual(await store.saleCommit({ ...none, timeMs: 1, fresh: next }), [true])
  })
})

test('a stream that is sensed no more is forgotten all the same', async () => {
  await withDevice(async (device) => {
    await sense(device, streams, 60)
    await publish(device)
    const evictions = await device.store.evictable(await tight(device))
    assert.equal(evictions.length, 2)
    await sense(device, ['air'], 1, async (maker) => assert.ok(await maker.evict(evictions)))
    assert.ok((await verifyAll(device, 'gnss')).gone > 0)
    await sense(device, streams, 2)
    await verifyAll(device, 'gnss')
  })
})

test('age counts only time that surely passed', async () => {
  await withDevice(async (device) => {
    const { store } = device
    const aged = { ...rule, bytesMax: 1e12, ageMs: 3_600_000 }
    const hour = 3_600_000
    await store.saleCommit({ ...none, timeMs: 1_795_000_000_000 })
    await sense(device, ['air'], 5)
    await publish(device)
    assert.deepEqual(await store.evictable(aged), [], 'this marks how far it is')
    await sense(device, ['air'], 3)
    await publish(device)
    await store.saleCommit({ ...none, timeMs: 1_795_000_000_000 + hour - 1 })
    assert.deepEqual(await store.evictable(aged), [])
    await store.saleCommit({ ...none, timeMs: 1_795_000_000_000 + hour })
    const [eviction] = await store.evictable(aged)
    assert.deepEqual([eviction?.reason, eviction?.from, eviction?.to], ['age', 1, 5])
  })
})

test('the file does not grow while as much is forgotten as comes', async (t) => {
  await withDevice(async (device) => {
    await sense(device, ['air'], 150)
    await publish(device)
    const quota = { ...rule, bytesMax: (await device.store.counts()).usedBytes }
    const sizes: number[] = []
    for (let i = 0; i < 6; i += 1) {
      await sense(device, ['air'], 60)
      await publish(device)
      for (;;) {
        const evictions = await device.store.evictable(quota)
        if (evictions.length === 0) break
        await sense(device, ['air'], 0, async (maker) => void (await maker.evict(evictions)))
        await publish(device)
      }
      sizes.push((await device.store.counts()).fileBytes)
    }
    t.diagnostic(`file of ${sizes.join(', ')} bytes for a quota of ${quota.bytesMax}`)
    assert.ok((sizes.at(-1) ?? 0) <= (sizes[1] ?? 0) * 1.05)
    await verifyAll(device, 'air')
  })
})

const step = fc.oneof(
  fc.record({ does: fc.constant('sense' as const), epochs: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ does: fc.constant('publish' as const) }),
  fc.record({
    does: fc.constant('evict' as const),
    share: fc.double({ min: 0.2, max: 0.95, noNaN: true }),
  }),
  fc.record({ does: fc.constant('buy' as const), from: fc.nat(60), count: fc.nat(8) }),
  fc.record({ does: fc.constant('forget pins' as const) }),
  fc.record({ does: fc.constant('restart' as const) }),
)

test('whatever happens in whatever order, every number is stored or under exactly one tombstone', async (t) => {
  let gone = 0
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 8, maxLength: 20 }),
    async (steps) => {
      await withDevice(async (first) => {
        let device = first
        let timeMs = 1
        await sense(device, streams, 12)
        for (const one of steps) {
          if (one.does === 'sense') await sense(device, streams, one.epochs)
          if (one.does === 'publish') await publish(device)
          if (one.does === 'evict') gone += await evictOnce(device, one.share)
          if (one.does === 'buy') {
            const range = { generation: 1, from: one.from + 1, to: one.from + 1 + one.count }
            const fresh = streams.map((stream) => ({ stream, ...range }))
            await device.store.saleCommit({ ...none, timeMs, fresh, pinUntilMs: timeMs + 10 })
          }
          if (one.does === 'forget pins') {
            timeMs += 10
            await device.store.saleCommit({ ...none, timeMs })
          }
          if (one.does === 'restart') {
            await device.store.close()
            device = await openDevice(first.folder)
          }
          for (const stream of streams) await verifyAll(device, stream)
        }
        await device.store.close()
      })
    },
  )
  await fc.assert(property, { numRuns: 12, interruptAfterTimeLimit: 20_000 })
  t.diagnostic(`${gone} epochs gave way`)
  assert.ok(gone > 20)
})

test('a database from before there were tombstones opens, and forgets like any other', async () => {
  await withDevice(async (device) => {
    await sense(device, ['air'], 40)
    await publish(device)
    await device.store.close()
    const { openDatabase } = await import('../../runtime/disk/sqlite.ts')
    const path = `${device.folder}/store.db`
    const db = openDatabase(path)
    for (const table of ['tombstone', 'pin', 'mark']) db.exec(`DROP TABLE ${table}`)
    db.close()
    const store = await openStore({ path })
    const again = { ...device, store }
    assert.ok((await evictOnce(again)) > 0)
    await verifyAll(again, 'air')
    await store.close()
  })
})
