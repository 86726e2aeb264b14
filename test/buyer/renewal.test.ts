/** An order's end in the middle of a sale, other terms under way, and keys in more runs than a message holds. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBooks } from '../../runtime/buyer/books.ts'
import type { Item } from '../../runtime/buyer/index.ts'
import { buyerLimits } from '../../runtime/buyer/limits.ts'
import { openMarket } from '../../runtime/buyer/market.ts'
import { openOrders } from '../../runtime/buyer/orders.ts'
import { hex, utf8 } from '../../runtime/wire/bytes.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { generateSessionKey } from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { device, operator } from '../operator/fixture.ts'
import { memoryBroker } from '../operator/line.ts'
import { handClock } from './past.ts'
import { limits, openStreet, type Street, terms } from './street.ts'

type Bought = Awaited<ReturnType<Street['buy']>>

async function read(buyer: Bought, count: number): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of buyer.readings()) {
    items.push(item)
    if (items.length === count) buyer.stop()
  }
  await buyer.close()
  return items
}

const ordersOf = ({ notes }: Bought, device: string) =>
  notes.filter((note) => note.event === 'ordered' && note.seller === device).length

async function exactly(street: Street, buyer: Bought, count: number): Promise<void> {
  const items = await read(buyer, count)
  const values = items.map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(
    values,
    values.map((_, i) => (values[0] as number) + i),
  )
  const { counts, findings, money } = buyer.summary()
  assert.deepEqual([counts.opened, findings], [counts.bought, {}])
  assert.equal(street.devices[0]?.counts().delivered, money?.promised)
}

test('half-way through its order a session is renewed, again and again, and no reading is lost or paid twice', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy({ limits: { ...limits, orderMs: 3_000 } })
  const { device } = street.devices[0] as Street['devices'][0]
  await exactly(street, buyer, 250)
  assert.ok(ordersOf(buyer, device) >= 3, `${ordersOf(buyer, device)} orders`)
})

test('an order that ends in the middle of a sale is followed by another, and the sale goes on', async (t) => {
  // To gateway and devices it is later than to the buyer: orders end before their half is over there.
  const street = await openStreet(t, { gatewayWallMs: () => Date.now() + 3_000 })
  const buyer = await street.buy({ limits: { ...limits, orderMs: 5_000 } })
  const { device } = street.devices[0] as Street['devices'][0]
  await exactly(street, buyer, 250)
  assert.ok(ordersOf(buyer, device) >= 2, `${ordersOf(buyer, device)} orders`)
})

test('a newer offer stops no order in force, and other terms are said once and never paid', async (t) => {
  const clock = handClock(1_790_000_000_000)
  const street = await openStreet(t, { clock, terms: { ...terms, epochMs: 1_000 } })
  const [device] = street.devices as [Street['devices'][0]]
  const buyer = await street.buy()
  const items: Item[] = []
  const reading = (async () => {
    for await (const item of buyer.readings()) items.push(item)
  })()
  await device.make(5)
  const { version, ...offer } = device.shelf.offer()
  await device.shelf.setOffer({ ...offer, streams: [{ ...terms, epochMs: 1_000, title: 'Air' }] })
  assert.equal(device.shelf.offer().version, version + 1)
  await device.make(5)
  const seen = () => buyer.summary().counts.opened + (buyer.summary().findings['other terms'] ?? 0)
  const until = async (count: number) => {
    for (let i = 0; i < 3_000 && seen() < count; i += 1) await new Promise((r) => setTimeout(r, 20))
    assert.equal(seen(), count)
  }
  await until(10)
  assert.equal(buyer.summary().counts.opened, 10)
  await device.stop()
  const dearer = { ...terms, epochMs: 1_000, price: { amount: '9000', perMs: 1_000 } }
  const again = await street.reopen({ terms: dearer })
  await again.make(6)
  await until(16)
  buyer.stop()
  await reading
  await buyer.close()
  const { counts, findings, money } = buyer.summary()
  assert.deepEqual([counts.opened, findings], [10, { 'other terms': 6 }])
  assert.equal(money?.promised, money?.price)
  const told = buyer.notes.filter((one) => one.event === 'finding')
  assert.equal(told.length, 1)
})

test('an older offer that is said again changes nothing', async (t) => {
  const broker = memoryBroker()
  const street = await openStreet(t, { broker })
  const [device] = street.devices as [Street['devices'][0]]
  const topic = topics(device.device).offer
  const old = broker.retained.get(topic) as Uint8Array
  const { version, ...offer } = device.shelf.offer()
  const dearer = { ...terms, price: { amount: '2000', perMs: 1_000 } }
  await device.shelf.setOffer({ ...offer, streams: [dearer] })
  const findings: string[] = []
  const market = await openMarket({
    line: broker,
    wanted: {},
    seen: new Map(),
    tally: { finding: (finding) => void findings.push(finding), note() {} },
    limits: buyerLimits,
  })
  const price = () => market.listings()[0]?.streams[0]?.terms.price.amount
  for (let i = 0; i < 6_000 && price() !== '2000'; i += 1)
    await new Promise((r) => setTimeout(r, 10))
  assert.equal(readOffer(old).offer.version, version)
  await broker.publish(topic, old)
  assert.equal(price(), '2000')
  await broker.publish(topic, utf8('{}'))
  assert.deepEqual([price(), findings], ['2000', ['malformed message']])
})

test('a buyer of every second epoch confirms its keys when their runs are full, and goes on', async (t) => {
  const clock = handClock(1_790_000_000_000)
  const other = new Uint8Array(32).fill(7)
  const termsOf = (epochs: number) => (epochs % 2 === 0 ? undefined : other)
  const street = await openStreet(t, { clock, termsOf, terms: { ...terms, epochMs: 1_000 } })
  const [device] = street.devices as [Street['devices'][0]]
  const epochs = 2 * 70
  await device.make(epochs)
  const buyer = await street.buy({ range: { from: { number: 1 }, to: { number: epochs } } })
  const items: Item[] = []
  for await (const item of buyer.readings()) items.push(item)
  await buyer.close()
  const odd = Array.from({ length: epochs / 2 }, (_, i) => 2 * i + 1)
  assert.deepEqual([...new Set(items.map(({ epoch }) => epoch))], odd)
  const { counts, findings, money } = buyer.summary()
  assert.deepEqual([counts.opened, findings], [70, { 'other terms': 70 }])
  assert.equal(device.counts().delivered, money?.price)
  const full = buyer.notes.filter(
    (one) => one.event === 'refused' && /runs of epochs/.test(one.why),
  )
  assert.ok(full.length > 0)
})

test('no two orders end together, though the clock stands still: the later one ends later', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-orders-'))
  t.after(() => rm(folder, { recursive: true }))
  const books = await openBooks(folder)
  t.after(() => books.close())
  const { publicKey } = await generateSessionKey()
  const orders = openOrders({
    ...{ books, signer: operator, purse: undefined, seller: device(0) },
    terms: [hex(new Uint8Array(32))],
    ceiling: { amount: 0n, perMs: 1n },
    orderMs: 60_000,
    wallMs: () => 1_800_000_000_000,
  })
  const first = await orders.row(device(0), publicKey)
  orders.forget(first)
  const second = await orders.row(device(0), publicKey)
  assert.ok(second.untilMs > first.untilMs)
  assert.deepEqual([orders.isStale(first), orders.isStale(second)], [true, false])
})
