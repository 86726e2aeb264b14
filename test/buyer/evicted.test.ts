/** What a device had to forget: proven by its tombstone, told with its numbers, and never paid for. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Item } from '../../runtime/buyer/index.ts'
import { readIndex } from '../../runtime/wire/shelf.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { eventually, memoryBroker } from '../operator/line.ts'
import { handClock } from './past.ts'
import { openTestPurse, wantOf } from './purses.ts'
import { openStreet, type Street, terms } from './street.ts'

const epochMs = 1_000
const startMs = 1_790_000_000_000

async function openPast(t: Parameters<typeof openStreet>[0], epochs: number) {
  const broker = memoryBroker()
  const clock = handClock(startMs)
  const street = await openStreet(t, { clock, broker, terms: { ...terms, epochMs } })
  const [device] = street.devices as [Street['devices'][0]]
  await device.make(epochs)
  /** Forgets them, and waits until the index says so. */
  const evict = async (from: number, to: number) => {
    assert.ok(await device.evict(from, to))
    const first = () => {
      const payload = broker.retained.get(topics(device.device).index)
      const index = payload && readIndex(payload).index
      return index?.streams.find(({ stream }) => stream === 'air')?.first.number ?? 0
    }
    await eventually(() => first() > to)
  }
  return { street, device, evict }
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

test('of a range that is partly evicted the rest is bought, and the gap is proven and free', async (t) => {
  const { street, device, evict } = await openPast(t, 60)
  await evict(1, 40)
  const range = { from: { number: 21 }, to: { number: 50 } }
  const buyer = await street.buy({ range })
  assert.deepEqual(epochsOf(await readAll(buyer)), numbers(41, 50))
  const { counts, missing, money, findings } = buyer.summary()
  const gone = { device: device.device, stream: 'air', from: 21, to: 40 }
  assert.deepEqual(missing, { evicted: [gone], gap: [] })
  assert.deepEqual([counts.evicted, counts.gap, counts.bought, findings], [20, 0, 10, {}])
  assert.equal(device.counts().delivered, money?.price)
  assert.equal(money?.promised, money?.price)
})

test('of a range that is evicted whole nothing is paid', async (t) => {
  const { street, device, evict } = await openPast(t, 30)
  await evict(1, 20)
  const buyer = await street.buy({ range: { from: { number: 2 }, to: { number: 9 } } })
  assert.deepEqual(await readAll(buyer), [])
  const { missing, money } = buyer.summary()
  assert.deepEqual(missing.evicted, [{ device: device.device, stream: 'air', from: 2, to: 9 }])
  assert.equal(money?.promised, 0n)
})

test('a time before everything that is kept begins with the tombstone', async (t) => {
  const { street, device, evict } = await openPast(t, 30)
  await evict(1, 12)
  const range = { from: { wallMs: startMs - 5_000 }, to: { wallMs: startMs + 20_000 } }
  const buyer = await street.buy({ range })
  assert.deepEqual(epochsOf(await readAll(buyer)), numbers(13, 20))
  const { missing } = buyer.summary()
  assert.deepEqual(missing.evicted, [{ device: device.device, stream: 'air', from: 1, to: 12 }])
})

test('a resumed run names what was evicted meanwhile, and has everything else once', async (t) => {
  const { street, device, evict } = await openPast(t, 6)
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
  await device.make(100)
  await evict(1, 60)
  const second = await street.buy({ resume: true })
  const after: Item[] = []
  for await (const item of second.readings()) {
    after.push(item)
    if (item.epoch === 106 && item.index === 1) second.stop()
  }
  await second.close()
  const [from] = second.summary().missing.evicted
  // What was paid for and in hand opens all the same.
  const began = epochsOf([...before, ...after].filter(({ epoch }) => epoch <= 60)).length + 1
  assert.deepEqual([from?.from, from?.to], [began, 60])
  assert.deepEqual(
    epochsOf(after).filter((epoch) => epoch > 60),
    numbers(61, 106),
  )
  const values = [...before, ...after].map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, [...numbers(1, 2 * (began - 1)), ...numbers(121, 212)])
  assert.deepEqual(second.summary().findings, {})
})

test('the price of an epoch that was evicted before it was delivered is spent on another', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-purse-'))
  t.after(() => rm(folder, { recursive: true }))
  const { books, purse, device } = await openTestPurse(folder, 10_000n)
  const buy = async (number: number) => {
    const [one] = await purse.buy([{ device, wants: [wantOf(device, number)], ahead: 0n }])
    return typeof one === 'object' ? one.payment.leaf.amount : one
  }
  assert.deepEqual([await buy(1), await buy(2)], [100n, 200n])
  purse.release(device, wantOf(device, 2))
  assert.equal(purse.leaf(device)?.spent, 100n)
  assert.deepEqual([...books.bought.open(wantOf(device, 1).meter).keys()], [1])
  assert.deepEqual([await buy(3), await buy(4)], [200n, 300n])
  await books.close()
})
