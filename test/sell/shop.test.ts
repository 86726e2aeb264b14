import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { decodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { peekSession } from '../../runtime/wire/session.ts'
import { recoverState } from '../../runtime/wire/state.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { air, buyer, openSale, pay } from './buyer.ts'
import { channel, dayMs, device, operator, startMs, world } from './world.ts'

test('a buyer orders, promises, and opens exactly what it paid for', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  await at.grant(1_000n)
  const sealed = at.seal(5)
  const one = await buyer(at)
  const welcome = await one.order()
  assert.equal(welcome?.kind, 'welcome')
  assert.ok(welcome?.kind === 'welcome' && welcome.place?.index === 0)
  const answer = await one.request({
    kind: 'promise',
    payment: await pay(30n, 1n),
    buy: [air(1, 3)],
  })
  assert.ok(answer?.kind === 'state')
  assert.equal(answer.state.promised, 30n)
  assert.equal(answer.state.delivered, 30n)
  assert.equal(recoverState(answer.state), device)
  for (const message of sealed) {
    const epoch = decodeMessage(message)
    const { number } = epoch.header
    const leaf = one.keyOf(number)
    if (number > 3) assert.equal(leaf, undefined, `epoch ${number} opens unpaid`)
    else assert.equal(openEpoch(epoch, leaf as Uint8Array).readings.length, 3)
  }
})

test('what is promised ahead is delivered as it is sealed, and no more', async (t) => {
  const { at, one } = await openSale(t)
  await one.request({
    kind: 'promise',
    payment: await pay(20n, 1n),
    buy: [air(1, 0xffff_ffff)],
  })
  assert.equal(one.keysBody(), undefined)
  at.seal(3)
  at.shop().look()
  await at.rest()
  assert.ok(one.keyOf(1) && one.keyOf(2))
  assert.equal(one.keyOf(3), undefined)
  const more = await one.request({ kind: 'promise', payment: await pay(30n, 2n), buy: [] })
  assert.equal(more?.kind, 'state')
  assert.ok(one.keyOf(3))
})

test('every message twice changes nothing and gets the current answer', async (t) => {
  const { at, one } = await openSale(t, { epochs: 2 })
  assert.equal((await one.order())?.kind, 'welcome')
  const promise = one.seal({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
  for (let i = 0; i < 3; i += 1) at.shop().handle(topics(device).ask, promise)
  await at.rest()
  const same = await one.request({
    kind: 'promise',
    payment: await pay(10n, 1n),
    buy: [air(1, 1)],
  })
  assert.ok(same?.kind === 'state' && same.state.delivered === 10n)
  assert.equal(one.keysBody()?.version, 1n)
  assert.equal(at.shop().counts().delivered, 10n)
})

test('a session, its books and its keys survive a restart', async (t) => {
  const { at, one } = await openSale(t, { epochs: 2 })
  await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 9)] })
  const before = one.answers().length
  assert.equal(at.tables.sales().sessions[0]?.counter, '1')
  await at.restart()
  assert.ok(one.keyOf(1))
  const state = await one.request({ kind: 'state' })
  assert.ok(state?.kind === 'state')
  assert.equal(state.state.promised, 10n)
  assert.equal(state.payment?.leaf.amount, 10n)
  assert.equal(one.answers().length, before + 1)
  await one.request({ kind: 'promise', payment: await pay(20n, 2n), buy: [] })
  assert.ok(one.keyOf(2))
  const counters = at.sent.map(({ payload }) => peekSession(payload)?.counter ?? 0n)
  assert.deepEqual(
    counters,
    [...new Set(counters)].sort((a, b) => Number(a - b)),
    'answer counters only grow',
  )
})

test('no key goes out for a promise that was not committed', async (t) => {
  for (const when of ['before', 'after'] as const) {
    const { at, one } = await openSale(t, { epochs: 1 })
    at.crashAt(when)
    const payment = await pay(10n, 1n)
    await one.request({ kind: 'promise', payment, buy: [air(1, 1)] })
    assert.equal(one.keyOf(1) !== undefined, when === 'after')
    await at.restart()
    const again = await one.request({ kind: 'promise', payment, buy: [air(1, 1)] })
    assert.ok(again?.kind === 'state' && again.state.delivered === 10n, when)
    assert.ok(one.keyOf(1))
  }
})

test('an order before its grant waits in memory, and is welcomed again with its place', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  const one = await buyer(at)
  const welcome = await one.order()
  assert.ok(welcome?.kind === 'welcome' && welcome.place === undefined)
  assert.equal(at.tables.sales().sessions.length, 0)
  const early = await one.request({ kind: 'promise', payment: await pay(1n, 1n), buy: [] })
  assert.ok(early?.kind === 'refusal' && early.refusal.code === 'grant-missing')
  await at.grant(100n)
  assert.equal(at.tables.sales().sessions.length, 1)
  const again = one
    .answers()
    .filter(({ to }) => to === 0n)
    .at(-1)
  assert.ok(again?.kind === 'welcome' && again.place?.index === 0)
})

test('the owner reads any stream with no channel, no grant and no time', async (t) => {
  const at = await world(t)
  at.seal(4)
  const owner = await buyer(at, { own: true, signer: operator })
  assert.equal((await owner.order())?.kind, 'welcome')
  await owner.request({ kind: 'take', buy: [air(1, 0xffff_ffff)] })
  assert.ok(owner.keyOf(4))
  at.seal(1)
  at.shop().look()
  await at.rest()
  assert.ok(owner.keyOf(5))
  const second = await buyer(at, { own: true, signer: operator })
  await second.order()
  assert.ok(second.keyOf(5))
  assert.equal(at.shop().counts().delivered, 0n)
})

test('a new order of the channel ends the older session and takes over its keys', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(2)
  const old = await buyer(at)
  await old.order()
  await old.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
  const fresh = await buyer(at, { order: { number: 2n } })
  await fresh.order()
  assert.ok(fresh.keyOf(1))
  assert.equal(at.retained(topics(device).keys(old.name()))?.length, 0)
  const late = await old.request({ kind: 'state' })
  assert.ok(late?.kind === 'refusal' && late.refusal.code === 'session-ended')
  for (const number of [1n, 2n]) {
    const replayed = await buyer(at, { order: { number } })
    const no = await replayed.order()
    assert.ok(no?.kind === 'refusal' && no.refusal.code === 'order-older')
  }
})

test('a session that lost its keys begins anew with a higher number, and a replay cannot undo it', async (t) => {
  const { at, one } = await openSale(t, { epochs: 1 })
  await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
  const first = one.orderMessage()
  await one.sealAnew({ number: 2n })
  assert.equal((await one.order())?.kind, 'welcome')
  assert.ok(one.keyOf(1))
  at.shop().handle(topics(device).ask, first)
  await at.rest()
  const state = await one.request({ kind: 'state' })
  assert.ok(state?.kind === 'state' && state.state.order === 2n)
})

test('exposure: unacknowledged value stops at the limit and goes on with the ack', async (t) => {
  const { at, one } = await openSale(t, { limits: { exposureMax: 20n }, epochs: 5 })
  const payment = await pay(50n, 1n)
  const stopped = await one.request({ kind: 'promise', payment, buy: [air(1, 5)] })
  assert.ok(stopped?.kind === 'refusal' && stopped.refusal.code === 'exposure-reached')
  assert.ok(one.keyOf(2))
  assert.equal(one.keyOf(3), undefined)
  const { period, root, total } = payment.split
  await at.ack(startMs + 1_000, { period, root: randomBytes(32), total })
  assert.equal(one.keyOf(3), undefined)
  await at.ack(startMs + 2_000, { period, root, total })
  assert.ok(one.keyOf(5))
})

test('nothing is sold on silence: a stale ack, an ended grant, an order that ran out', async (t) => {
  const cases = [
    ['ack-stale', 4 * dayMs, {}, {}],
    ['grant-ended', 2 * dayMs, { untilMs: startMs + dayMs }, {}],
    ['order-ended', 2 * dayMs, {}, { untilMs: startMs + dayMs }],
  ] as const
  for (const [code, laterMs, grant, order] of cases) {
    const at = await world(t)
    await at.ack(startMs)
    await at.grant(1_000n, grant)
    at.seal(1)
    const one = await buyer(at, { order })
    await one.order()
    at.pass(laterMs)
    const no = await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
    assert.ok(no?.kind === 'refusal' && no.refusal.code === code, code)
    assert.equal(one.keyOf(1), undefined)
  }
})

test('a device that never heard the time stores and does not sell', async (t) => {
  const at = await world(t)
  const one = await buyer(at)
  const no = await one.order()
  assert.ok(no?.kind === 'refusal' && no.refusal.code === 'time-unknown')
  await at.ack(startMs, {}, operator)
  const still = await one.order()
  assert.ok(still?.kind === 'refusal' && still.refusal.code === 'time-unknown')
  assert.deepEqual(at.tables.sales().channels, [])
  assert.ok(channel)
})
