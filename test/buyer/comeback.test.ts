/** Who comes back to a street that has changed: what was paid for there is not forgotten without a word. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topics } from '../../runtime/wire/topic.ts'
import { memoryBroker } from '../operator/line.ts'
import { handClock } from './past.ts'
import { openStreet } from './street.ts'

test('epochs that were paid for are named when their device is gone, and read when it is back', async (t) => {
  const broker = memoryBroker()
  const street = await openStreet(t, { broker, devices: 2 })
  const [stays, goes] = street.devices as [(typeof street.devices)[0], (typeof street.devices)[0]]
  const first = await street.buy({ aheadMs: 1_000 })
  let stopped = false
  for await (const item of first.readings()) {
    // Its last keys are never read: what is promised stays owed.
    if (item.device === goes.device && !stopped) {
      stopped = true
      break
    }
  }
  await first.close()
  await goes.stop()
  const offer = topics(goes.device).offer
  const kept = broker.retained.get(offer) as Uint8Array
  broker.retained.delete(offer)

  const second = await street.buy({ resume: true })
  const absent = second.notes.filter((note) => note.event === 'absent')
  assert.deepEqual(
    absent.map((note) => note.event === 'absent' && note.device),
    [goes.device],
  )
  assert.ok(absent.every((note) => note.event === 'absent' && note.epochs > 0))
  assert.deepEqual(
    second.listings.map(({ offer: { device } }) => device),
    [stays.device],
  )
  await second.close()

  // Another device was named: nobody asks after this one.
  const third = await street.buy({ resume: true, wanted: { devices: [stays.device] } })
  assert.ok(!third.notes.some(({ event }) => event === 'absent'))
  await third.close()
  broker.retained.set(offer, kept)
  const fourth = await street.buy({ resume: true })
  assert.equal(fourth.listings.length, 2)
  assert.ok(!fourth.notes.some(({ event }) => event === 'absent'))
  await fourth.close()
})

test('a range whose later part was bought before is bought to its end, and nothing of it twice', async (t) => {
  const street = await openStreet(t, { clock: handClock(1_790_000_000_000) })
  const [device] = street.devices as [(typeof street.devices)[0]]
  await device.make(40)
  const buy = async (from: number, to: number) => {
    const buyer = await street.buy({ range: { from: { number: from }, to: { number: to } } })
    const epochs = new Set<number>()
    for await (const { epoch } of buyer.readings()) epochs.add(epoch)
    await buyer.close()
    const { counts, findings, money } = buyer.summary()
    assert.deepEqual([counts.opened, findings], [counts.bought, {}])
    assert.ok(!buyer.notes.some(({ event }) => event === 'undelivered'))
    return { epochs: [...epochs], promised: money?.promised ?? 0n }
  }
  const middle = await buy(12, 30)
  assert.equal(middle.epochs.length, 19)
  const all = await buy(5, 35)
  assert.deepEqual(
    all.epochs,
    Array.from({ length: 31 }, (_, i) => 5 + i),
  )
  // 199 units an epoch: only the twelve that were not bought before.
  assert.deepEqual([middle.promised, all.promised], [19n * 199n, 12n * 199n])
})
