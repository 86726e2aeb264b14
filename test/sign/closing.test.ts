/** Where an epoch ends: at its age, and at the end of the device on a store that is full. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault } from '../../runtime/faults.ts'
import type { Batch } from '../../runtime/sign/plan.ts'
import { makerOf, plan, readingAt, run, until, withDevice } from './fixture.ts'

test('what is sealed last finds the room that an eviction makes after the signal', async () => {
  await withDevice(async (device) => {
    const { store } = device
    let full = false
    let refused = 0
    const commit = (...batches: Batch[]) => {
      const evicts = batches.some(({ evicted }) => evicted.length > 0)
      if (evicts) full = false
      if (!full) return store.commit(...batches)
      refused += 1
      return Promise.reject(fault('STORE_FULL', { path: 'store.db', why: 'it is full' }))
    }
    let kept = 0
    const maker = makerOf(
      { ...device, store: { ...store, commit } },
      {
        streams: [plan('air', { countMax: 1 })],
        limits: { commitDelayMs: 10, fullRetryMs: 60_000 },
        acknowledged: ({ count }) => {
          kept += count
        },
      },
    )
    const stop = new AbortController()
    const ended = maker.start(stop.signal)
    const take = () => assert.ok(maker.take(readingAt(device.clock, 1)))
    for (let i = 0; i < 3; i += 1) take()
    await until(() => kept === 3)
    const [first] = (await store.headersSince(0, 10)).filter(({ stream }) => stream === 'air')
    assert.ok(first)
    const last = (await store.shelf()).find(({ stream }) => stream === 'air')?.lastHash
    assert.ok(last)

    full = true
    take()
    stop.abort()
    await until(() => refused > 0)
    const range = { stream: 'air', from: 1, to: 3, last, reason: 'disk' }
    assert.equal(await maker.evict([range]), true)
    await ended
    assert.equal(kept, 4)
    assert.equal(maker.take(readingAt(device.clock, 2)), false)
  })
})

test('a reading whose moment lies past the end of its epoch begins the next one, however fast they come', async () => {
  await withDevice(async (device) => {
    const { clock } = device
    await run(device, { streams: [plan('air', { epochMs: 10_000 })] }, async (maker) => {
      const first = readingAt(clock, 1)
      const at = (ms: number) => ({ ...first, monotonicMs: first.monotonicMs + ms })
      for (const reading of [first, at(9_999), at(10_000)]) assert.ok(maker.take(reading))
    })
    const epochs = await device.epochs('air')
    assert.deepEqual(
      epochs.map(({ readings }) => readings.length),
      [2, 1],
    )
  })
})

test('started anew within one boot, a device sells no time twice: its first epoch opens where the last one closed', async () => {
  await withDevice(async (device) => {
    const streams = [plan('air', { epochMs: 60_000 })]
    await run(device, { streams }, async (maker) => {
      const reading = readingAt(device.clock, 1)
      // A moment that is ahead, so that the epoch closes behind what is read next.
      for (const ms of [0, 5_000]) maker.take({ ...reading, monotonicMs: reading.monotonicMs + ms })
    })
    await run(device, { streams }, async (maker) => {
      maker.take(readingAt(device.clock, 2))
    })
    const [first, second] = await device.epochs('air')
    assert.ok(first !== undefined && second !== undefined)
    const { closedMonotonicMs } = first.message.header
    assert.ok(second.message.header.openedMonotonicMs >= closedMonotonicMs)
    assert.ok((second.readings[0]?.monotonicMs ?? 0) < closedMonotonicMs, 'it was read before')
  })
})
