/** A disk that is full: what was acknowledged stays, what comes waits, and it goes on by itself. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { randomBytes } from '#crypto'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { openStore, type StoreOptions } from '../../runtime/store/client.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { type KeepNote, keeper } from '../../runtime/stream/keep.ts'
import { inFolder } from '../disk/folder.ts'
import { noSmallDisk, onSmallDisk } from '../disk/smalldisk.ts'
import { type Device, makerOf, plan, readingAt, testClock, until } from '../sign/fixture.ts'
import { publish, sense, verifyAll } from './history.ts'

const noBounds = { bytesMax: 1e12, freeMin: 0, ageMs: null }

test('with no room left it evicts at once, the unsent too, and loses nothing that it acknowledged', async (t) => {
  await inFolder(async (folder) => {
    const device = await openOn(t, folder, { pagesMax: 400 })
    const run = running(t, device)
    await until(() => run.notes.some(({ event }) => event === 'evicted'))
    await until(() => run.kept() > 900)
    await run.stop()
    assert.equal(run.notes.filter(({ event }) => event === 'disk full').length > 0, true)
    const evicted = run.notes.flatMap((note) => (note.event === 'evicted' ? [note] : []))
    assert.ok(evicted.every(({ reason, unsent }) => reason === 'disk' && unsent > 0))
    const { gone, stored, last } = await verifyAll(device, 'air')
    assert.ok(gone > 0 && stored > 0)
    const { headers, readings } = run.sealed()
    assert.deepEqual(
      [last, readings],
      [headers, run.kept()],
      'each is in an epoch that is accounted for',
    )
    await device.store.close()
  })
})

test('what cannot be committed waits, then is a doubt; when there is room it goes on', {
  skip: noSmallDisk,
}, async (t) => {
  await onSmallDisk(16 << 20, async (disk) => {
    const device = await openOn(t, disk.folder, {})
    const run = running(t, device, { queueMax: 50, keeps: false })
    await until(() => run.kept() > 60)
    disk.fill()
    await until(() => device.store.ails()?.kind === 'full')
    await until(() => run.refused() > 0)
    const kept = run.kept()
    // Nobody who writes fails meanwhile: it takes longer.
    let written = false
    const writing = device.store.setRetained('t/offer', new Uint8Array(2_000)).then(() => {
      written = true
    })
    await until(async () => (await device.store.counts()).waiting >= 0)
    assert.equal(run.kept(), kept, 'nothing is told of that is not kept')
    assert.equal(written, false)
    disk.release()
    await writing
    await until(() => run.kept() > kept + 200)
    assert.equal(device.store.ails(), undefined)
    await run.stop()
    assert.equal(await readingsOf(device), run.kept())
    assert.equal((await verifyAll(device, 'air')).gone, 0)
    await device.store.close()
  })
})

test('a device that is stopped while the disk is full says so, and keeps what it acknowledged', {
  skip: noSmallDisk,
}, async (t) => {
  await onSmallDisk(16 << 20, async (disk) => {
    const device = await openOn(t, disk.folder, {})
    const run = running(t, device, { keeps: false })
    await until(() => run.kept() > 60)
    disk.fill()
    await until(() => device.store.ails()?.kind === 'full')
    device.store.hurry()
    await assert.rejects(run.stop(), { code: 'STORE_FULL', exit: 2 })
    await device.store.close()
    disk.release()
    const again = await openOn(t, disk.folder, {})
    await sense(again, ['air'], 1)
    assert.equal(await readingsOf(again), run.kept() + 3)
    await again.store.close()
  })
})

test('little room on the disk stops the store from growing, before it is full', {
  skip: noSmallDisk,
}, async (t) => {
  await onSmallDisk(24 << 20, async (disk) => {
    const device = await openOn(t, disk.folder, {})
    await sense(device, ['air'], 300)
    await publish(device)
    assert.deepEqual(await device.store.evictable({ ...noBounds, full: false }), [])
    disk.fill(4 << 20)
    const rule = { ...noBounds, freeMin: 8 << 20, full: false }
    let eviction: Awaited<ReturnType<typeof device.store.evictable>>[number] | undefined
    for (let i = 0; i < 20 && eviction === undefined; i += 1) {
      await sense(device, ['air'], 20)
      await publish(device)
      eviction = (await device.store.evictable(rule))[0]
    }
    assert.equal(eviction?.reason, 'disk')
    await sense(device, ['air'], 0, async (maker) => {
      assert.ok(await maker.evict([eviction ?? assert.fail()]))
    })
    await publish(device)
    assert.deepEqual(await device.store.evictable(rule), [], 'the file has room within')
    await device.store.close()
  })
})

async function openOn(
  t: TestContext,
  folder: string,
  options: Partial<StoreOptions>,
): Promise<Device> {
  const path = join(folder, 'store.db')
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path, fullRetryMs: 20, ...options })
  t.after(() => store.close().catch(() => {}))
  return { folder, key, generations, store, clock: testClock(), epochs: async () => [] }
}

/** A device that senses as fast as it may, with its keeper. */
function running(t: TestContext, device: Device, { queueMax = 8_192, keeps = true } = {}) {
  const { store, generations, clock } = device
  const [signing, keeping] = [new AbortController(), new AbortController()]
  const notes: KeepNote[] = []
  const sealed = { headers: 0, readings: 0 }
  let kept = 0
  let refused = 0
  const maker = makerOf(device, {
    streams: [plan('air', { countMax: 3 })],
    // With a keeper it is a bell that says when there is room; at the end it has three such times for that.
    limits: { commitDelayMs: 10, fullRetryMs: keeps ? 5_000 : 20, queueMax },
    acknowledged: ({ count }) => {
      kept += count
    },
    sealed: ({ stream, count }) => {
      if (stream !== 'air') return
      sealed.headers += 1
      sealed.readings += count
    },
  })
  const keep = keeper({
    ...{ store, generations, rule: noBounds, evict: maker.evict },
    note: (note) => notes.push(note),
    everyMs: 20,
    paceMs: 1,
  })
  const signed = maker.start(signing.signal)
  const keptUp = keeps ? keep.start(keeping.signal) : Promise.resolve()
  for (const stage of [signed, keptUp]) stage.catch(() => {})
  const timer = setInterval(() => {
    for (let i = 0; i < 6; i += 1) if (!maker.take(readingAt(clock, i))) refused += 1
  }, 2)
  const quit = () => {
    clearInterval(timer)
    signing.abort()
  }
  // As a device ends: what is signed last may still need room.
  const ended = async () => {
    const [how] = await Promise.allSettled([signed])
    keeping.abort()
    await keptUp
    if (how?.status === 'rejected') throw how.reason
  }
  t.after(async () => {
    quit()
    store.hurry()
    await Promise.allSettled([ended()])
  })
  return {
    notes,
    kept: () => kept,
    sealed: () => sealed,
    refused: () => refused,
    async stop() {
      quit()
      await ended()
    },
  }
}

/** Readings in all epochs of the stream that are stored. */
async function readingsOf({ store }: Device): Promise<number> {
  const rows = await store.headersSince(0, 1_000_000)
  return rows.reduce((sum, { stream, count }) => sum + (stream === 'air' ? count : 0), 0)
}
