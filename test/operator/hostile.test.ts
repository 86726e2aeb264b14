import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { zeroAddress } from '../../runtime/wire/address.ts'
import { type ChannelConfig, noChannel } from '../../runtime/wire/channel.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { books, configOf, device, funded, operator, secretOf } from './fixture.ts'
import { eventually, openBuyer, openWorld, ordersPerSecond, type World } from './line.ts'

const bad: readonly (readonly [refusal: string, Partial<ChannelConfig>])[] = [
  ['channel-authorizer-zero', { payerAuthorizer: zeroAddress }],
  ['channel-token', { token: device(7) }],
  ['channel-delay', { withdrawDelay: 86_399 }],
  ['channel-delay', { withdrawDelay: 7 * 86_400 - 1 }],
  ['channel-receiver', { receiver: device(7) }],
  ['channel-receiver', { receiverAuthorizer: device(7) }],
  ['order-signature', { payerAuthorizer: device(7) }],
]

test('a channel against our rules is refused by name, and never granted', async (t) => {
  const world = await openWorld(t)
  for (const [code, changes] of bad) {
    const config = configOf(changes)
    world.show(config, { balance: 1_000n, totalClaimed: 0n })
    const answer = await (await openBuyer(world, {}, config)).order()
    assert.equal(answer.kind === 'refusal' && answer.refusal.code, code)
  }
  nothingKept(world)
})

test('an order that is not for us, for this session, or over, is refused', async (t) => {
  const world = await openWorld(t)
  world.show(configOf(), { balance: 1_000n, totalClaimed: 0n })
  const cases = [
    ['order-seller', { seller: device(7) }],
    ['order-session', { sessionKey: secretOf(5) }],
    ['order-ended', { untilMs: world.clock.wallMs }],
    ['channel-id', { channelId: secretOf(5) }],
    ['order-channel', { channelId: noChannel }],
  ] as const
  for (const [code, changes] of cases) {
    const answer = await (await openBuyer(world, changes)).order()
    assert.equal(answer.kind === 'refusal' && answer.refusal.code, code)
  }
  nothingKept(world)
})

test('a channel without a durable record gets no signature at all, whatever its buyer shows', async (t) => {
  const world = await openWorld(t)
  const stranger = await openBuyer(world)
  const refused = await stranger.order()
  assert.equal(refused.kind === 'refusal' && refused.refusal.code, 'channel-unknown')
  const leaves = [{ index: 0, device: device(0), amount: 10n }]
  const shown = await books(funded(1_000n), 1n, leaves)
  stranger.ask({ kind: 'books', ...shown }).catch(() => {})
  await sleep(200)
  assert.equal(stranger.answers.length, 1, 'no session, no answer')
  nothingKept(world)
})

test('what a gateway does not do is refused, and no refund is among what it does', async (t) => {
  const world = await openWorld(t)
  world.show(configOf(), { balance: 1_000n, totalClaimed: 0n })
  const one = await openBuyer(world)
  await one.order()
  for (const request of [
    { kind: 'state' },
    { kind: 'confirm', version: 1n },
    { kind: 'fetch', stream: 'air', from: 0, to: 1 },
  ] as const) {
    const answer = await one.ask(request)
    assert.equal(answer.kind === 'refusal' && answer.refusal.code, 'request-malformed')
  }
  const signed = world.signatures()
  const refund = await one.ask({ kind: 'refund', amount: 1_000n })
  assert.equal(refund.kind === 'refusal' && refund.refusal.code, 'refund-never')
  assert.equal(world.signatures(), signed, 'and signed by nobody')
  assert.equal((await one.ask({ kind: 'end' })).kind, 'ok')
})

test('noise, flipped bits and replays change nothing and throw nothing', async (t) => {
  const world = await openWorld(t, 1)
  world.show(configOf(), { balance: 1_000n, totalClaimed: 0n })
  const one = await openBuyer(world)
  await one.order()
  const before = world.current.ledger.channels()
  const ask = topics(operator.address).ask
  const sold = topics(device(0)).sold
  const noise = fc.uint8Array({ maxLength: 300 })
  const flipped = fc.nat(one.message.length * 8 - 1).map((bit) => {
    const copy = one.message.slice()
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return copy
  })
  const typed = fc.tuple(fc.constantFrom(1, 2, 5), noise).map(([kind, rest]) => {
    return Uint8Array.of(kind, ...rest)
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(noise, flipped, typed), fc.boolean(), async (bytes, sale) => {
      world.clock.monotonicMs += 1_000
      await world.broker.publish(sale ? sold : ask, bytes)
    }),
    { numRuns: 200 },
  )
  assert.deepEqual(
    world.current.ledger.channels().map(({ acked: _, ...rest }) => rest),
    before.map(({ acked: _, ...rest }) => rest),
  )
})

test('a request that comes again behind a newer one is dropped, and the newest said again is answered', async (t) => {
  const world = await openWorld(t)
  const config = configOf()
  world.show(config, { balance: 400n, totalClaimed: 0n })
  const one = await openBuyer(world)
  assert.equal((await one.order()).kind, 'ok')
  const asked: Uint8Array[] = []
  const topic = topics(operator.address).ask
  await world.broker.subscribe(topic, (_, payload) => asked.push(payload))
  for (let i = 0; i < 2; i += 1) await one.ask({ kind: 'refund', amount: 1n })
  const [first, second] = asked as [Uint8Array, Uint8Array]
  await world.broker.publish(topic, first)
  await world.broker.publish(topic, second)
  await eventually(() => one.answers.length >= 4)
  assert.deepEqual(
    one.answers.map(({ to }) => to),
    [0n, 1n, 2n, 2n],
  )
})

test('a flood of orders is dropped unread, and the gateway answers again afterwards', async (t) => {
  const world = await openWorld(t, 1)
  const flood = await openBuyer(world)
  for (let i = 0; i < 500; i += 1) {
    await world.broker.publish(topics(operator.address).ask, flood.message)
  }
  // By a clock that stands still: so many, and not one more a moment later.
  await eventually(() => flood.answers.length >= ordersPerSecond)
  await sleep(300)
  assert.equal(flood.answers.length, ordersPerSecond)
  world.clock.monotonicMs += 1_000
  assert.equal((await flood.order()).kind, 'refusal')
})

function nothingKept(world: World): void {
  assert.deepEqual(world.current.ledger.channels(), [])
  const granted = world.devices.filter((who) => world.broker.retained.has(topics(who).grant))
  assert.deepEqual(granted, [])
  assert.equal(world.signatures(), 0, 'the gateway key signed nothing at all')
}
