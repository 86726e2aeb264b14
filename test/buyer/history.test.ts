/** History: ranges by time and number, resumed after a long time, paid once, evicted and proven so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuyRange, Item } from '../../runtime/buyer/index.ts'
import { operator } from '../operator/fixture.ts'
import { eventually, memoryBroker } from '../operator/line.ts'
import { handClock } from './past.ts'
import { openStreet, type Street, type StreetOptions, terms } from './street.ts'

const epochMs = 1_000
const startMs = 1_790_000_000_000

/** A device with so many epochs behind it, which nobody bought. */
async function openPast(
  t: Parameters<typeof openStreet>[0],
  epochs: number,
  more: StreetOptions = {},
) {
  const clock = handClock(startMs)
  const street = await openStreet(t, { clock, terms: { ...terms, epochMs }, ...more })
  const [device] = street.devices as [Street['devices'][0]]
  await device.make(epochs)
  return { street, clock, device }
}

async function readAll(buyer: Awaited<ReturnType<Street['buy']>>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of buyer.readings()) items.push(item)
  await buyer.close()
  return items
}

const epochsOf = (items: readonly Item[]) => [...new Set(items.map(({ epoch }) => epoch))]
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const at = (number: number) => ({ wallMs: startMs + (number - 1) * epochMs + 500 })

test('a range by time is exactly the epochs that touch it, paid to the unit, and then it ends', async (t) => {
  const { street, device } = await openPast(t, 120)
  const buyer = await street.buy({ range: { from: at(31), to: at(90) } })
  const items = await readAll(buyer)
  assert.deepEqual(epochsOf(items), numbers(31, 90))
  const { counts, findings, money, ranges, missing } = buyer.summary()
  assert.deepEqual([counts.bought, counts.opened, counts.gap, findings], [60, 60, 0, {}])
  assert.equal(money?.promised, money?.price)
  assert.equal(device.counts().delivered, money?.promised)
  assert.deepEqual(missing, { evicted: [], gap: [] })
  const [range] = ranges
  assert.deepEqual([range?.from, range?.to, range?.next], [31, 90, 91])
  assert.equal(range?.fromMs, startMs + 30 * epochMs)
})

test('what was bought once is read again and not paid again, in a new order too', async (t) => {
  const { street, device } = await openPast(t, 60)
  const first = await street.buy({ range: { from: { number: 11 }, to: { number: 40 } } })
  await readAll(first)
  const paid = device.counts().delivered
  const again = await street.buy({ range: { from: { number: 21 }, to: { number: 50 } } })
  assert.deepEqual(epochsOf(await readAll(again)), numbers(21, 50))
  const more = device.counts().delivered - paid
  assert.deepEqual([again.summary().money?.promised, again.summary().money?.price], [more, more])
  assert.ok(more < paid / 2n, `${more} of ${paid}`)
})

test('from a time on and without end it goes on with what comes, and a range leaves its cursor alone', async (t) => {
  const { street, device } = await openPast(t, 50)
  const live = await street.buy({ range: { from: { number: 41 } } })
  const items: Item[] = []
  for await (const item of live.readings()) {
    items.push(item)
    if (items.length === 20) await device.make(10)
    if (items.length === 40) live.stop()
  }
  await live.close()
  assert.deepEqual(epochsOf(items), numbers(41, 60))
  await readAll(await street.buy({ range: { from: { number: 5 }, to: { number: 9 } } }))
  const resumed = await street.buy({ resume: true })
  void device.make(5)
  const after: Item[] = []
  for await (const item of resumed.readings()) {
    after.push(item)
    if (after.length === 10) resumed.stop()
  }
  await resumed.close()
  assert.deepEqual(epochsOf(after), numbers(61, 65))
})

test('a range in which nothing lies is said to be so, and ends in order', async (t) => {
  const { street } = await openPast(t, 10)
  const ranges: BuyRange[] = [
    { from: { number: 20 }, to: { number: 30 } },
    { from: { wallMs: startMs + 86_400_000 }, to: { wallMs: startMs + 90_000_000 } },
  ]
  for (const range of ranges) {
    const buyer = await street.buy({ range, purse: `${JSON.stringify(range).length}` })
    assert.deepEqual(await readAll(buyer), [])
    const [found] = buyer.summary().ranges
    assert.ok((found?.from ?? 0) > (found?.to ?? 0))
    assert.deepEqual(found?.kept, { from: 1, to: 10 })
    assert.equal(buyer.summary().money?.promised, 0n)
  }
})

test('a range that ends before it begins, or is to be resumed, is no range', async (t) => {
  const { street } = await openPast(t, 1)
  const range = { from: { number: 5 }, to: { number: 4 } }
  await assert.rejects(street.buy({ range }), /ends before it begins/)
  const whole = { from: { number: 4 }, to: { number: 5 } }
  await assert.rejects(street.buy({ range: whole, resume: true }), /nothing to resume/)
})

test('epochs of a clock that was set later are dated by it, and an owner reads ranges as well', async (t) => {
  const clock = handClock(startMs)
  const broker = memoryBroker()
  const street = await openStreet(t, { clock, broker, terms: { ...terms, epochMs } })
  const [device] = street.devices as [Street['devices'][0]]
  clock.quality = 'unset'
  await device.make(40)
  clock.quality = 'synced'
  await device.make(40)
  await eventually(() => broker.sent.some((topic) => topic.endsWith('/index')))
  const buyer = await street.buy({
    own: true,
    signer: operator,
    range: { from: at(21), to: at(60) },
  })
  assert.deepEqual(epochsOf(await readAll(buyer)), numbers(21, 60))
})

test('paying ahead buys a range in larger batches, and risks no more than that', async (t) => {
  const { street } = await openPast(t, 300)
  const promises = async (aheadMs: number, purse: string, from: number) => {
    const range = { from: { number: from }, to: { number: from + 127 } }
    const buyer = await street.buy({ range, aheadMs, purse })
    assert.equal((await readAll(buyer)).length, 256)
    const { money } = buyer.summary()
    assert.equal(money?.promised, money?.price)
    return buyer.notes.filter(({ event }) => event === 'promised').length
  }
  const [onSight, ahead] = [await promises(0, 'one', 1), await promises(128_000, 'one', 151)]
  assert.ok(onSight >= 4 && ahead < onSight, `${onSight} and ${ahead} promises`)
})

test('after thousands of epochs away a resumed run has every reading, in few fetches and little memory', async (t) => {
  const broker = memoryBroker()
  const { street, device } = await openPast(t, 5, { broker })
  const first = await street.buy({ range: { from: { number: 1 } } })
  const before: Item[] = []
  for await (const item of first.readings()) {
    before.push(item)
    if (before.length === 7) {
      item.taken()
      break
    }
  }
  await first.close()
  const away = 3_000
  await device.make(away)
  const asks = () => broker.sent.filter((topic) => topic.endsWith('/ask')).length
  const asked = asks()
  const second = await street.buy({ resume: true, budget: '9', aheadMs: 200_000 })
  const after: Item[] = []
  for await (const item of second.readings()) {
    after.push(item)
    if (before.length + after.length === 2 * (5 + away)) second.stop()
  }
  await second.close()
  const values = [...before, ...after].map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, numbers(1, 2 * (5 + away)))
  const { counts, findings, money } = second.summary()
  assert.deepEqual([counts.opened, counts.gap, counts.evicted, findings], [counts.bought, 0, 0, {}])
  assert.equal(
    device.counts().delivered,
    money?.price === undefined ? 0n : device.counts().delivered,
  )
  t.diagnostic(`${away} epochs, ${asks() - asked} requests in all`)
})
