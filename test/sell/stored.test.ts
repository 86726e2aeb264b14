import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runsMax } from '../../runtime/wire/keysbody.ts'
import { termsHash } from '../../runtime/wire/terms.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { air, buyer, openSale, pay } from './buyer.ts'
import { dayMs, device, gnssTerms, operator, secretOf, startMs, world } from './world.ts'

test('past 64 runs nothing more is sold until the buyer confirms what it holds', async (t) => {
  const { at, one } = await openSale(t, {
    limits: { requestsPerS: 1e6 },
    cap: 100_000n,
    epochs: 200,
  })
  const everySecond = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => air(from + 2 * i, from + 2 * i))
  const payment = await pay(2_000n, 1n)
  await one.request({ kind: 'promise', payment, buy: everySecond(1, 60) })
  const over = await one.request({ kind: 'take', buy: everySecond(121, 10) })
  assert.ok(over?.kind === 'refusal' && over.refusal.code === 'keys-unconfirmed')
  assert.ok(one.keyOf(127))
  assert.equal(one.keyOf(129), undefined)
  const version = one.keysBody()?.version as bigint
  await one.request({ kind: 'confirm', version })
  assert.ok(one.keyOf(139))
  assert.equal(one.keyOf(1), undefined, 'what was confirmed is not repeated')
  assert.ok((one.keysBody()?.covers[0]?.runs.length ?? 99) <= runsMax)

  // A new session starts with what was bought first, and gets the rest as it confirms.
  const fresh = await buyer(at, { order: { number: 2n } })
  await fresh.order()
  assert.ok(fresh.keyOf(1))
  assert.equal(fresh.keyOf(139), undefined)
  await fresh.request({ kind: 'confirm', version: fresh.keysBody()?.version as bigint })
  assert.ok(fresh.keyOf(139))
})

test('an ended session gets no more keys, and its retained ones are taken away', async (t) => {
  const { at, one } = await openSale(t, { epochs: 2 })
  await one.request({ kind: 'promise', payment: await pay(500n, 1n), buy: [air(1, 99)] })
  assert.ok(one.keyOf(2))
  assert.equal((await one.request({ kind: 'end' }))?.kind, 'ok')
  assert.equal(at.retained(topics(device).keys(one.name()))?.length, 0)
  at.seal(2)
  at.shop().look()
  await at.rest()
  assert.equal(one.keyOf(3), undefined)
  assert.equal(at.shop().counts().delivered, 20n)
  assert.equal((await one.request({ kind: 'state' }))?.kind, 'refusal')
  const ended = await one.order()
  assert.ok(ended?.kind === 'refusal' && ended.refusal.code === 'session-ended')
})

test('of sessions that ended only so many are remembered, and a lapsed one gets nothing', async (t) => {
  const at = await world(t, { limits: { endedMax: 2, ordersPerS: 1e6 } })
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(1)
  for (let i = 1; i < 7; i += 1) {
    const one = await buyer(at, { order: { number: BigInt(i) } })
    assert.equal((await one.order())?.kind, 'welcome')
  }
  assert.equal(at.tables.sales().sessions.length, 4)
  const owner = await buyer(at, { own: true, signer: operator })
  await owner.order()
  at.pass(11 * dayMs)
  const late = await owner.request({ kind: 'take', buy: [air(1, 1)] })
  assert.ok(late?.kind === 'refusal' && late.refusal.code === 'order-ended')
})

test('what was evicted is never charged, and is not waited for', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(4)
  at.evict(1, 2)
  const one = await buyer(at)
  await one.order()
  const state = await one.request({
    kind: 'promise',
    payment: await pay(100n, 1n),
    buy: [air(1, 4)],
  })
  assert.ok(state?.kind === 'state' && state.state.delivered === 20n)
  assert.equal(one.keyOf(1), undefined)
  assert.deepEqual(at.tables.sales().channels[0]?.wanted, [])
})

test('epochs under terms that the order does not name are neither charged nor opened', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(1)
  at.seal(1, { terms: secretOf('other terms') })
  at.seal(1, { terms: termsHash(gnssTerms) })
  at.seal(1)
  const one = await buyer(at)
  await one.order()
  await one.request({ kind: 'promise', payment: await pay(100n, 1n), buy: [air(1, 4)] })
  assert.ok(one.keyOf(1) && one.keyOf(4))
  assert.equal(one.keyOf(2), undefined)
  assert.equal(one.keyOf(3), undefined)
})

test('sessions that ended long ago are forgotten, and their keys taken away', async (t) => {
  const at = await world(t, { limits: { timeSaveMs: 1_000 } })
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(1)
  const owner = await buyer(at, { own: true, signer: operator })
  await owner.order()
  await owner.request({ kind: 'take', buy: [air(1, 1)] })
  assert.ok(owner.keyOf(1))
  at.pass(18 * dayMs)
  at.shop().look()
  await at.rest()
  assert.equal(at.shop().counts().sessions, 0)
  assert.deepEqual(at.tables.sales().sessions, [])
  assert.equal(at.retained(topics(device).keys(owner.name()))?.length, 0)
})
