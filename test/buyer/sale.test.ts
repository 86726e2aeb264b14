import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Item } from '../../runtime/buyer/index.ts'
import { judge } from '../../runtime/buyer/proof.ts'
import type { Line } from '../../runtime/buyer/session.ts'
import type { KeyNode } from '../../runtime/wire/keytree.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { gateway, operator } from '../operator/fixture.ts'
import { eventually } from '../operator/line.ts'
import { openStreet, type Street } from './street.ts'

type Bought = Awaited<ReturnType<Street['buy']>>

/** Reads so many, then stops and reads what is paid for. */
async function read(buyer: Bought, count: number): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of buyer.readings()) {
    items.push(item)
    if (items.length === count) buyer.stop()
  }
  await buyer.close()
  return items
}

/** What follows from the first value when none is lost and none comes twice. */
const counting = (values: readonly number[]) => values.map((_, i) => (values[0] as number) + i)
const spots = (items: readonly Item[]) => items.map(({ epoch, index }) => `${epoch}/${index}`)

test('a buyer reads what it pays for: verified, in order, to the unit', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy()
  const items = await read(buyer, 30)
  assert.ok(items.length >= 30)
  const values = items.map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, counting(values))
  assert.equal(new Set(spots(items)).size, items.length)
  const { counts, findings, money } = buyer.summary()
  assert.deepEqual(findings, {})
  assert.equal(counts.opened, counts.bought)
  assert.equal(money?.promised, money?.price)
  const sold = street.devices[0]?.counts()
  assert.equal(sold?.delivered, money?.promised)
  assert.equal(sold?.promised, money?.promised)
  // The ack is on its way: the gateway gathers what it says for a moment.
  await eventually(() => street.devices[0]?.counts().acknowledged === money?.promised)
  assert.ok(judge((items[3] as Item).evidence()).ok)
})

test('a resumed run goes on behind the last reading: none twice, none lost', async (t) => {
  const street = await openStreet(t)
  const first = await street.buy()
  const before: Item[] = []
  for await (const item of first.readings()) {
    before.push(item)
    // In the middle of an epoch, and with one that is paid for behind it.
    if (before.length === 15) {
      item.taken()
      break
    }
  }
  await first.close()
  await sleep(500)
  const second = await street.buy({ resume: true })
  const after = await read(second, 60)
  const values = [...before, ...after].map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, counting(values))
  assert.deepEqual(second.summary().findings, {})
  const total = second.summary().money?.promisedTotal
  assert.equal(street.devices[0]?.counts().delivered, total)
})

test('a reading that broke its consumer comes again, and only that one', async (t) => {
  const street = await openStreet(t)
  const first = await street.buy()
  const before: Item[] = []
  const consume = async () => {
    for await (const item of first.readings()) {
      if (before.length === 12) throw new Error('no more room')
      before.push(item)
    }
  }
  await assert.rejects(consume, /no more room/)
  await first.close()
  const second = await street.buy({ resume: true })
  const after = await read(second, 20)
  const values = [...before, ...after].map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, counting(values))
})

test('without resume it begins with what comes next, in the same channel', async (t) => {
  const street = await openStreet(t)
  const first = await street.buy()
  const before = await read(first, 10)
  await sleep(300)
  const second = await street.buy()
  const after = await read(second, 10)
  assert.ok((after[0] as Item).epoch > (before.at(-1) as Item).epoch + 1)
  const [one, two] = [first, second].map((buyer) => buyer.summary().money)
  assert.equal(one?.channel, two?.channel)
  assert.equal(two?.promisedTotal, (one?.promised ?? 0n) + (two?.promised ?? 0n))
})

test('a budget is never passed, and its end is the end of the readings', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy({ budget: '0.000500' })
  const items: Item[] = []
  for await (const item of buyer.readings()) items.push(item)
  await buyer.close()
  const { money } = buyer.summary()
  assert.ok((money?.promised ?? 0n) <= 500n && (money?.promised ?? 0n) >= 200n)
  assert.equal(money?.promised, money?.price)
  assert.ok(items.length > 0)
  assert.ok(buyer.notes.some(({ event }) => event === 'budget used up'))
})

test('two devices of a fleet are paid from one channel under one order', async (t) => {
  const street = await openStreet(t, { devices: 2 })
  const buyer = await street.buy()
  const items = await read(buyer, 80)
  const { money, devices, counts } = buyer.summary()
  assert.equal(devices, 2)
  assert.equal(counts.opened, counts.bought)
  for (const { device, counts: sold } of street.devices) {
    const values = items
      .filter((item) => item.device === device)
      .map(({ reading }) => reading.values.pm2_5 as number)
    assert.ok(values.length > 10)
    assert.deepEqual(values, counting(values))
    assert.equal(sold().delivered, sold().promised)
  }
  const delivered = street.devices.reduce((sum, { counts: sold }) => sum + sold().delivered, 0n)
  assert.equal(delivered, money?.promised)
  const [channel] = [...street.gateway.channels()]
  assert.equal(channel?.acked.total, money?.promised)
})

test('paying ahead, promises run in front and the readings come without another word', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy({ aheadMs: 2_000 })
  const items = await read(buyer, 40)
  const { money, counts } = buyer.summary()
  assert.ok(items.length >= 40)
  assert.equal(counts.opened, counts.bought)
  assert.ok((money?.promised ?? 0n) > (money?.price ?? 0n))
  const promises = buyer.notes.filter(({ event }) => event === 'promised').length
  assert.ok(promises < counts.opened, `${promises} promises for ${counts.opened} epochs`)
})

test('an operator reads its own devices without channel and without price', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy({ own: true, signer: operator })
  const items = await read(buyer, 20)
  assert.ok(items.length >= 20)
  assert.equal(buyer.summary().money, undefined)
  assert.equal(street.devices[0]?.counts().promised, 0n)
})

test('with its operator named, a device is believed for its enrolment, and a stranger is not', async (t) => {
  const street = await openStreet(t)
  const buyer = await street.buy({ wanted: { operator: operator.address } })
  const [item] = await read(buyer, 1)
  const verdict = judge((item as Item).evidence(), operator.address)
  assert.ok(verdict.ok)
  const missing = { offerMs: 100, discoverMs: 0 }
  const wanted = { operator: gateway.address }
  await assert.rejects(street.buy({ wanted, limits: missing, purse: 'other' }), /no offer of/)
})

test('what the broker drops is fetched, and forged messages are counted and change nothing', async (t) => {
  const street = await openStreet(t)
  const { device } = street.devices[0] as Street['devices'][0]
  const topic = topics(device).epoch('air')
  let count = 0
  const leaky: Line = {
    publish: street.broker.publish,
    subscribe: (filter, handler) =>
      street.broker.subscribe(filter, (at, payload, retained) => {
        count += at === topic ? 1 : 0
        if (at === topic && count % 3 === 0) return
        const bent = payload.slice()
        bent[100] = (bent[100] ?? 0) ^ 1
        if (at === topic) handler(at, bent, retained)
        handler(at, payload, retained)
      }),
  }
  const buyer = await street.buy({ broker: leaky })
  const items = await read(buyer, 80)
  const values = items.map(({ reading }) => reading.values.pm2_5 as number)
  assert.deepEqual(values, counting(values))
  const { findings, counts, money } = buyer.summary()
  assert.ok((findings['wrong signature'] ?? 0) + (findings['malformed message'] ?? 0) > 0)
  assert.equal(counts.opened, counts.bought)
  assert.equal(street.devices[0]?.counts().delivered, money?.promised)
})

test('books restored from an older copy learn from the device what was promised since', async (t) => {
  const street = await openStreet(t)
  const first = await street.buy()
  await read(first, 10)
  await cp(join(street.folder, 'buyer'), join(street.folder, 'copy'), { recursive: true })
  const second = await street.buy()
  await read(second, 30)
  const promised = second.summary().money?.promisedTotal ?? 0n
  const third = await street.buy({ purse: 'copy' })
  const items = await read(third, 10)
  assert.ok(items.length >= 10)
  assert.ok((third.summary().money?.promisedTotal ?? 0n) > promised)
  assert.deepEqual(third.summary().findings, {})
})

test('a device whose keys do not open what they were paid for gets nothing more', async (t) => {
  const bend = (nodes: readonly KeyNode[]) =>
    nodes.map((node) => ({ ...node, key: node.key.map((byte) => byte ^ 1) }))
  const street = await openStreet(t, { bend })
  const buyer = await street.buy()
  const items = await readFor(buyer, 'finding')
  const { findings, counts } = buyer.summary()
  assert.deepEqual(items, [])
  assert.equal(findings['paid and does not open'], counts.bought)
  assert.equal(promisesOf(buyer), 1)
})

test('a device that keeps its keys to itself gets nothing more', async (t) => {
  const street = await openStreet(t, { bend: () => [] })
  const buyer = await street.buy()
  const items = await readFor(buyer, 'undelivered')
  const { counts } = buyer.summary()
  assert.deepEqual([items.length, counts.opened], [0, 0])
  assert.ok(counts.seen > counts.bought)
  assert.equal(promisesOf(buyer), 1)
})

type Buyer = Awaited<ReturnType<Awaited<ReturnType<typeof openStreet>>['buy']>>

/** What it reads until that is noted, and for a second behind it: five more epochs. */
async function readFor(buyer: Buyer, event: string): Promise<Item[]> {
  const items: Item[] = []
  const reading = (async () => {
    for await (const item of buyer.readings()) items.push(item)
  })()
  const endMs = performance.now() + 60_000
  while (!buyer.notes.some((note) => note.event === event)) {
    assert.ok(performance.now() < endMs, `${event} is never noted`)
    await sleep(20)
  }
  await sleep(1_000)
  buyer.stop()
  await reading
  await buyer.close()
  return items
}

function promisesOf({ notes }: Buyer): number {
  return notes.filter(({ event }) => event === 'promised').length
}
