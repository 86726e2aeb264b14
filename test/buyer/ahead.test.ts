/** Paid ahead, broken off, and gone on with: what was promised and never read must not stand in the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Item } from '../../runtime/buyer/index.ts'
import { eventually } from '../operator/line.ts'
import { openStreet, type Street } from './street.ts'

/** Pays 2 s ahead, reads a little and is gone without a word; the device delivers what is paid. */
async function breakOff(street: Street): Promise<Item[]> {
  const crash = new AbortController()
  const buyer = await street.buy({ aheadMs: 2_000, signal: crash.signal })
  const items: Item[] = []
  for await (const item of buyer.readings()) {
    items.push(item)
    item.taken()
    if (items.length === 12) break
  }
  crash.abort()
  await buyer.close()
  const promised = () => street.devices[0]?.counts().promised ?? 0n
  const delivered = () => street.devices[0]?.counts().delivered ?? 0n
  // An epoch costs 200; what is left of the promise is less than one more.
  for (let i = 0; i < 2 && promised() - delivered() >= 200n; i += 1) {
    await eventually(() => promised() - delivered() < 200n).catch(() => {})
  }
  return items
}

async function read(street: Street, resume: boolean) {
  const buyer = await street.buy({ resume })
  const items: Item[] = []
  for await (const item of buyer.readings()) {
    items.push(item)
    if (items.length === 40) buyer.stop()
  }
  await buyer.close()
  return { items, ...buyer.summary() }
}

const valuesOf = (items: readonly Item[]) =>
  items.map(({ reading }) => reading.values.pm2_5 as number)

test('what was paid ahead is read first, and on sight it goes on, to the unit', async (t) => {
  const street = await openStreet(t)
  const before = await breakOff(street)
  const { items, money, counts } = await read(street, true)
  const values = valuesOf([...before, ...items])
  assert.deepEqual(
    values,
    values.map((_, i) => (values[0] as number) + i),
  )
  assert.equal(counts.opened, counts.bought)
  assert.equal(street.devices[0]?.counts().delivered, money?.promisedTotal)
})

test('who begins anew neither waits nor pays again for what was asked for ahead', async (t) => {
  const street = await openStreet(t)
  const before = await breakOff(street)
  const { items, money, counts } = await read(street, false)
  assert.ok((items[0] as Item).epoch > (before.at(-1) as Item).epoch + 1)
  assert.equal(counts.opened, counts.bought)
  assert.equal(street.devices[0]?.counts().delivered, money?.promisedTotal)
})
