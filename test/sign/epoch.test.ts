import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { equal } from '../../runtime/wire/bytes.ts'
import { readClearBody } from '../../runtime/wire/clearbody.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { makerOf, openDevice, plan, readingAt, run, until, withDevice } from './fixture.ts'

test('readings come back out of the store, sealed, in order and signed by the device', async () => {
  await withDevice(async (device) => {
    await run(device, { streams: [plan('air', { countMax: 10 })] }, async (maker) => {
      for (let i = 0; i < 25; i += 1) assert.ok(maker.take(readingAt(device.clock, i)))
    })
    const epochs = await device.epochs('air')
    assert.deepEqual(
      epochs.map(({ readings }) => readings.length),
      [10, 10, 5],
    )
    assert.deepEqual(
      epochs.flatMap(({ readings }) => readings.map(({ values }) => values.pm2_5)),
      Array.from({ length: 25 }, (_, i) => i),
    )
    for (const { message } of epochs) assert.equal(message.signer, device.key.signingKey)
  })
})

test('every header names the one before, and numbers are consecutive across starts', async () => {
  await withDevice(async (device) => {
    for (let start = 0; start < 3; start += 1) {
      await run(device, { streams: [plan('air', { countMax: 4 })] }, async (maker) => {
        for (let i = 0; i < 10; i += 1) maker.take(readingAt(device.clock, i))
      })
    }
    const epochs = await device.epochs('air')
    assert.equal(epochs.length, 9)
    let previous = new Uint8Array(32)
    let closed = 0
    for (const [i, { message }] of epochs.entries()) {
      assert.equal(message.header.number, i + 1)
      assert.ok(equal(message.header.previous, previous))
      assert.ok(message.header.openedMonotonicMs >= closed, 'epochs of one boot do not overlap')
      previous = new Uint8Array(headerHash(message.headerBytes))
      closed = message.header.closedMonotonicMs
    }
  })
})

test('a reading waits for its commit at most the delay, and is told of only behind it', async () => {
  await withDevice(async (device) => {
    const taken: number[] = []
    const waits: number[] = []
    let [beganMs, feedMs] = [0, 0]
    const { batches } = await run(
      device,
      {
        streams: [plan()],
        limits: { commitDelayMs: 100 },
        acknowledged: ({ count }) => {
          for (let i = 0; i < count; i += 1)
            waits.push(performance.now() - (taken[waits.length] ?? 0))
        },
      },
      async (maker) => {
        await sleep(50)
        beganMs = performance.now()
        for (let i = 0; i < 20; i += 1) {
          taken.push(performance.now())
          maker.take(readingAt(device.clock, i))
          await sleep(15)
        }
        feedMs = performance.now() - beganMs
        await until(() => waits.length === 20)
        assert.equal((await device.epochs('air')).length, 0)
      },
    )
    // Far below the ten seconds after which the epoch would have closed.
    assert.ok(Math.max(...waits) < 8_000, `a reading waited ${Math.max(...waits)} ms`)
    const commits = batches.filter(({ gains }) => gains.length > 0).length
    assert.ok(commits <= 4 + feedMs / 100, `${commits} commits in ${feedMs} ms are not grouped`)
  })
})

test('a header takes its own stream’s waiting readings along, and no other stream’s', async () => {
  await withDevice(async (device) => {
    const streams = [plan('air', { countMax: 2 }), plan('wind')]
    const { batches } = await run(device, { streams }, async (maker) => {
      await sleep(20)
      // The first one after a quiet time is committed at once; what follows waits for its turn.
      maker.take(readingAt(device.clock, 1, 'wind'))
      await sleep(50)
      maker.take(readingAt(device.clock, 2, 'wind'))
      maker.take(readingAt(device.clock, 1))
      maker.take(readingAt(device.clock, 2))
      await sleep(100)
    })
    const header = batches.find(({ sealed }) => sealed.some(({ stream }) => stream === 'air'))
    assert.deepEqual(header?.gains, [])
    assert.deepEqual(
      header?.sealed.map(({ stream, count }) => [stream, count]),
      [['air', 2]],
    )
  })
})

test('every commit of an open epoch carries one signed tree head a stream that gained', async () => {
  await withDevice(async (device) => {
    const streams = [plan('air'), plan('wind'), plan('rain')]
    let told = 0
    const { batches } = await run(
      device,
      {
        streams,
        limits: { commitDelayMs: 30 },
        acknowledged: ({ count }) => {
          told += count
        },
      },
      async (maker) => {
        await sleep(20)
        for (const stream of ['air', 'wind', 'air']) maker.take(readingAt(device.clock, 1, stream))
        await until(() => told === 3)
      },
    )
    const heads = batches.flatMap(({ gains }) => gains.map(({ open }) => [open.stream, open.count]))
    assert.deepEqual(heads, [
      ['air', 2],
      ['wind', 1],
    ])
  })
})

test('an epoch closes by age, counted from its first reading, and covers no more', async () => {
  await withDevice(async (device) => {
    const streams = [plan('air', { epochMs: 200 })]
    await run(device, { streams }, async (maker) => {
      maker.take(readingAt(device.clock, 1))
      await sleep(350)
      maker.take(readingAt(device.clock, 2))
      await sleep(350)
    })
    const epochs = await device.epochs('air')
    assert.equal(epochs.length, 2)
    for (const { message } of epochs) {
      const { openedMonotonicMs, closedMonotonicMs } = message.header
      assert.equal(closedMonotonicMs - openedMonotonicMs, 200)
    }
  })
})

test('an epoch closes by bytes', async () => {
  await withDevice(async (device) => {
    await run(device, { streams: [plan('air', { bytesMax: 400 })] }, async (maker) => {
      for (let i = 0; i < 9; i += 1) maker.take(readingAt(device.clock, i))
    })
    const epochs = await device.epochs('air')
    assert.ok(epochs.length >= 3)
    assert.equal(epochs.flatMap(({ readings }) => readings).length, 9)
  })
})

test('no epoch mixes readings of a set and an unset clock, and the device maps its clocks', async () => {
  await withDevice(async (device) => {
    await run(device, { streams: [plan()] }, async (maker) => {
      maker.take(readingAt(device.clock, 1))
      await sleep(20)
      device.clock.quality = 'synced'
      maker.take(readingAt(device.clock, 2))
      await sleep(50)
    })
    const epochs = await device.epochs('air')
    assert.deepEqual(
      epochs.map(({ message }) => message.header.clock),
      ['unset', 'synced'],
    )
    const own = await device.epochs('device')
    assert.deepEqual(
      own.map(({ message }) => message.header.kind),
      ['generation', 'clock map'],
    )
    const [generation, map] = own.map(({ message }) => readClearBody(message))
    assert.deepEqual(generation, { kind: 'generation', generation: 1 })
    assert.ok(
      map?.kind === 'clock map' && map.quality === 'synced' && map.boot === device.clock.boot,
    )
  })
})

test('a free stream’s readings are published behind their commit, with epoch and index', async () => {
  await withDevice(async (device) => {
    const { batches } = await run(
      device,
      {
        streams: [plan('air', { free: true }), plan('wind')],
        limits: { commitDelayMs: 20 },
        openMessage: (reading, spot) => ({
          topic: 'open',
          payload: Uint8Array.of(Number(reading.values.pm2_5), spot.number, spot.index),
        }),
      },
      async (maker) => {
        for (let i = 0; i < 3; i += 1) {
          maker.take(readingAt(device.clock, i))
          maker.take(readingAt(device.clock, i, 'wind'))
          await sleep(40)
        }
      },
    )
    assert.deepEqual(
      batches.flatMap(({ messages }) => messages.map(({ payload }) => [...payload])),
      [
        [0, 1, 0],
        [1, 1, 1],
        [2, 1, 2],
      ],
    )
  })
})

test('an inference’s audit bytes stay in the store, found by epoch and index', async () => {
  await withDevice(async (device) => {
    await run(device, { streams: [plan()] }, async (maker) => {
      maker.take(readingAt(device.clock, 1))
      maker.take(readingAt(device.clock, 2), Uint8Array.of(1, 2, 3))
    })
    assert.equal(await device.store.auditBytes('air', 1, 0), undefined)
    assert.deepEqual(await device.store.auditBytes('air', 1, 1), Uint8Array.of(1, 2, 3))
  })
})

test('when the store is behind, a reading is refused, not kept in memory for ever', async () => {
  await withDevice(async (device) => {
    let taken = 0
    await run(
      device,
      { streams: [plan('air', { countMax: 5 })], limits: { queueMax: 10 } },
      async (maker) => {
        await sleep(50)
        while (taken < 1000 && maker.take(readingAt(device.clock, taken))) taken += 1
      },
    )
    assert.ok(taken >= 10 && taken < 100, `took ${taken}`)
    const kept = (await device.epochs('air')).flatMap(({ readings }) => readings)
    assert.equal(kept.length, taken, 'what was taken is kept')
  })
})

test('a store that fails ends the maker, and nothing more is taken', async () => {
  await withDevice(async (device) => {
    const broken = {
      recover: device.store.recover,
      commit: () => Promise.reject(new Error('full')),
    }
    const maker = makerOf(device, { streams: [plan()], store: broken })
    await assert.rejects(maker.start(new AbortController().signal), { message: 'full' })
    assert.equal(maker.take(readingAt(device.clock, 1)), false)
  })
})

test('a new generation is announced in the device’s chain, and numbers run on', async () => {
  await withDevice(async (device) => {
    for (const renew of [false, true]) {
      const generations = await openGenerations(device.folder, { random: randomBytes, renew })
      const options = { generation: generations.current, keys: generations.leafKey }
      await run(device, { streams: [plan()], ...options }, async (maker) => {
        maker.take(readingAt(device.clock, 1))
      })
    }
    const generations = await openGenerations(device.folder, { random: randomBytes })
    const epochs = await openDevice(device.folder)
    const heads = (await epochs.epochs('air')).map(({ message }) => message.header)
    await epochs.store.close()
    assert.deepEqual(
      heads.map(({ generation, number }) => [generation, number]),
      [
        [1, 1],
        [2, 2],
      ],
    )
    assert.equal(generations.current, 2)
    const [air, own] = await device.store.shelf()
    assert.equal(air?.stream, 'air')
    assert.deepEqual(air?.generations, [
      { generation: 1, first: 1, last: 1 },
      { generation: 2, first: 2, last: 2 },
    ])
    assert.deepEqual(own?.generations.length, 2)
  })
})
