/** Epochs that gave way: never charged, never waited for, and accounted for to whoever fetches them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { termsHash } from '../../runtime/wire/terms.ts'
import { air, buyer, pay } from './buyer.ts'
import { dayMs, operator, startMs, terms, type World, world } from './world.ts'

/** Puts the header `number` in the place of from..to, as a commit of the device does. */
function bury(at: World, from: number, to: number, number: number): void {
  at.keep.tombstone.put({ stream: 'air', from, to, number, last: new Uint8Array(32) })
  at.evict(from, to)
}

async function open(...args: Parameters<typeof world>) {
  const at = await world(...args)
  await at.ack(startMs)
  await at.grant(1_000n)
  const one = await buyer(at)
  await one.order()
  return { at, one }
}

test('a fetch inside numbers that are gone brings the tombstone that accounts for them, once', async (t) => {
  const { at, one } = await open(t, { limits: { requestsPerS: 1e6 } })
  const sealed = at.seal(12)
  bury(at, 1, 4, 11)
  bury(at, 6, 7, 12)
  const fetch = async (from: number, to: number, more = {}) => {
    const answer = await one.request({ kind: 'fetch', stream: 'air', from, to, ...more })
    return answer?.kind === 'chunk' ? answer.messages.map((bytes) => numberOf(bytes)) : answer?.kind
  }
  const numberOf = (bytes: Uint8Array) =>
    1 + sealed.findIndex((message) => Buffer.compare(message, bytes) === 0)
  assert.deepEqual(await fetch(3, 3), [11])
  assert.deepEqual(await fetch(2, 6), [11, 5, 12])
  assert.deepEqual(await fetch(1, 12), [11, 5, 12, 8, 9, 10, 11, 12])
  assert.deepEqual(await fetch(5, 5), [5])
  assert.deepEqual(await fetch(3, 5, { generation: 1 }), [11, 5])
  assert.deepEqual(await fetch(13, 20), [])
})

test('pages of a fetch name a tombstone once, wherever they are cut', async (t) => {
  const { at } = await open(t)
  at.seal(20)
  bury(at, 1, 9, 18)
  bury(at, 12, 14, 19)
  for (const rows of [1, 2, 3, 5]) {
    const got: number[] = []
    for (let cursor: number | undefined = 2; cursor !== undefined; ) {
      const range = { stream: 'air', from: cursor, to: 20 }
      const page = at.tables.saleMessages(range, rows, 1e9)
      got.push(
        ...page.messages.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(60)),
      )
      cursor = page.next
    }
    assert.deepEqual(got, [18, 10, 11, 19, 15, 16, 17, 18, 19, 20], `${rows} a page`)
  }
})

test('what gave way is not charged, whether it was promised ahead, wanted over a gap, or read just before', async (t) => {
  const { at, one } = await open(t)
  at.seal(6)
  bury(at, 1, 3, 6)
  const payment = await pay(500n, 1n)
  const state = await one.request({ kind: 'promise', payment, buy: [air(1, 20)] })
  assert.ok(state?.kind === 'state' && state.state.delivered === 30n)
  assert.deepEqual(at.tables.sales().channels[0]?.wanted, [air(7, 20)])

  // Promised ahead, sealed and gone before it was sold.
  at.seal(4)
  at.keep.reserved.set([{ stream: 'air', from: 7, to: 8 }])
  at.shop().look()
  await at.rest()
  assert.equal(at.shop().counts().delivered, 50n)
  assert.ok(one.keyOf(9))
  bury(at, 7, 8, 10)
  at.keep.reserved.set([])
  at.shop().look()
  await at.rest()
  assert.equal(at.shop().counts().delivered, 50n)
  assert.deepEqual(at.tables.sales().channels[0]?.wanted, [air(11, 20)])
  assert.ok(!one.keyOf(7) && !one.keyOf(8))
})

test('an epoch that goes between the look and the commit is not sold: the shop looks again', async (t) => {
  const { at, one } = await open(t)
  at.seal(5)
  const read = at.store.saleEpochs
  let gone = false
  Object.assign(at.store, {
    saleEpochs: async (...args: Parameters<typeof read>) => {
      const found = await read(...args)
      if (!gone) at.evict(1, 2)
      gone = true
      return found
    },
  })
  await at.restart()
  const payment = await pay(500n, 1n)
  await one.request({ kind: 'promise', payment, buy: [air(1, 5)] })
  assert.ok(gone)
  assert.equal(at.shop().counts().delivered, 30n)
  assert.ok(one.keyOf(3) && !one.keyOf(1))
})

test('what was paid for is pinned for a day of gateway time, what its owner took is not', async (t) => {
  const { at, one } = await open(t)
  const [message] = at.seal(4, { terms: termsHash(terms) })
  const bytes = message?.length ?? 0
  await one.request({ kind: 'promise', payment: await pay(500n, 1n), buy: [air(1, 2)] })
  assert.equal(at.keep.pin.bytes(startMs), 2 * bytes)
  assert.equal(at.keep.pin.bytes(startMs + dayMs - 1), 2 * bytes)
  assert.equal(at.keep.pin.bytes(startMs + dayMs), 0)
  const owner = await buyer(at, { own: true, signer: operator })
  await owner.order()
  await owner.request({ kind: 'take', buy: [air(3, 4)] })
  assert.ok(owner.keyOf(4))
  assert.equal(at.keep.pin.bytes(startMs), 2 * bytes)
})
