/** Whoever may write to the device's topics: nothing is thrown, and nothing changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeAcks, signAck } from '../../runtime/wire/ack.ts'
import { channelId } from '../../runtime/wire/channel.ts'
import { encodeGrants, signGrant } from '../../runtime/wire/grant.ts'
import { verifyLeaf } from '../../runtime/wire/paymenttree.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { air, buyer, openSale, pay } from './buyer.ts'
import {
  buyerSigner,
  channel,
  config,
  dayMs,
  device,
  gateway,
  operator,
  rail,
  secretOf,
  startMs,
  world,
} from './world.ts'

const stranger = localSigner(secretOf('stranger'))
const open = { limits: { ordersPerS: 1e6, requestsPerS: 1e6 } }

test('noise and every broken spelling of true messages change nothing', async (t) => {
  const { at, one } = await openSale(t, { ...open, cap: 100n, epochs: 3 })
  await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
  const untilMs = startMs + 99 * dayMs
  const grant = { channelId: channel, device, index: 0, cap: 9_999n, untilMs, registryVersion: 9n }
  const root = new Uint8Array(32)
  const ack = { channelId: channel, period: 9n, root, total: 0n, timeMs: startMs + dayMs }
  const topic = topics(device)
  const second = await buyer(at, { order: { number: 5n } })
  const truths = [
    { topic: topic.ask, payload: second.orderMessage() },
    { topic: topic.ask, payload: one.seal({ kind: 'end' }) },
    {
      topic: topic.ask,
      payload: one.seal({ kind: 'promise', payment: await pay(90n, 7n), buy: [air(1, 3)] }),
    },
    { topic: topic.grant, payload: encodeGrants([await signGrant(grant, gateway)]) },
    { topic: topic.ack, payload: encodeAcks([await signAck(ack, gateway)]) },
  ]
  const broken = fc
    .tuple(fc.constantFrom(...truths), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(40))
    .map(([{ topic, payload }, at, flip, cut]) => {
      const bytes = payload.slice()
      const place = at % bytes.length
      bytes[place] = (bytes[place] ?? 0) ^ flip
      return { topic, payload: cut < 10 ? bytes.slice(0, bytes.length - cut) : bytes }
    })
  const noise = fc.record({
    topic: fc.constantFrom(topic.ask, topic.grant, topic.ack, topics(operator.address).offer, 'x'),
    payload: fc.uint8Array({ maxLength: 400 }),
  })
  // A grant list that lost its rows in good form is the gateway's own no; noise that spells it is out.
  const lists = new Set(['128'])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(broken, noise), { maxLength: 20 }), async (messages) => {
      const before = at.tables.sales()
      for (const { topic, payload } of messages)
        if (!lists.has(payload.join())) at.shop().handle(topic, payload)
      await at.rest()
      const { channels, sessions } = at.tables.sales()
      assert.deepEqual(channels, before.channels)
      assert.deepEqual(sessions, before.sessions)
    }),
    { numRuns: 60 },
  )
  await at.grant(100n)
  const still = await one.request({
    kind: 'promise',
    payment: await pay(20n, 2n),
    buy: [air(2, 2)],
  })
  assert.ok(still?.kind === 'state' && still.state.delivered === 20n)
})

test('a promise that breaks a rule is refused by its name, and changes nothing', async (t) => {
  const { at, one } = await openSale(t, { ...open, cap: 100n, epochs: 3 })
  await one.request({ kind: 'promise', payment: await pay(20n, 3n), buy: [air(1, 1)] })
  const good = await pay(40n, 4n)
  const cases = [
    ['promise-over-cap', await pay(101n, 4n)],
    ['promise-signature', await pay(40n, 4n, { signer: stranger })],
    ['promise-two-trees', await pay(40n, 3n)],
    ['promise-lower', await pay(10n, 4n)],
    ['promise-leaf', await pay(40n, 4n, { index: 1 })],
    ['promise-path', { ...good, leaf: { ...good.leaf, amount: 41n } }],
    ['promise-path', { ...good, split: { ...good.split, root: secretOf('root') } }],
  ] as const
  const before = at.tables.sales()
  for (const [code, payment] of cases) {
    const no = await one.request({ kind: 'promise', payment, buy: [air(1, 3)] })
    assert.ok(no?.kind === 'refusal' && no.refusal.code === code, code)
  }
  assert.deepEqual(at.tables.sales().channels, before.channels)
  assert.ok(verifyLeaf(good.leaf, good.path, good.split.root, 40n))
})

test('an order that breaks a rule is refused by its name, and leaves nothing behind', async (t) => {
  const at = await world(t, open)
  await at.ack(startMs)
  const zero = `0x${'0'.repeat(40)}` as const
  const cases = [
    ['order-signature', { signer: stranger }],
    ['order-seller', { order: { seller: stranger.address } }],
    ['order-terms', { order: { terms: [secretOf('other terms')] } }],
    ['order-ceiling', { order: { ceilingAmount: 9n } }],
    ['order-ended', { order: { untilMs: startMs - 1 } }],
    ['order-session', { order: { sessionKey: secretOf('another session') } }],
    ['order-signature', { own: true, signer: buyerSigner }],
    ['channel-id', { order: { channelId: secretOf('another channel') } }],
    ['channel-receiver', { document: { config: { ...config, receiver: stranger.address } } }],
    ['channel-delay', { document: { config: { ...config, withdrawDelay: 86_399 } } }],
    ['channel-token', { document: { config: { ...config, token: stranger.address } } }],
    ['channel-authorizer-zero', { document: { config: { ...config, payerAuthorizer: zero } } }],
  ] as const
  for (const [code, options] of cases) {
    const one = await buyer(at, options)
    const no = await one.order()
    assert.ok(
      no?.kind === 'refusal' && no.refusal.code === code,
      `${code}: ${JSON.stringify(no, big)}`,
    )
  }
  assert.equal(at.shop().counts().sessions, 0)
  assert.deepEqual(at.tables.sales().channels, [])
})

test('grants and acks that the gateway did not sign change nothing', async (t) => {
  const { at, one } = await openSale(t, {
    limits: { ...open.limits, exposureMax: 10n },
    cap: 20n,
    epochs: 3,
  })
  const payment = await pay(20n, 1n)
  await one.request({ kind: 'promise', payment, buy: [air(1, 3)] })
  assert.ok(one.keyOf(1))
  assert.equal(one.keyOf(2), undefined)
  const { period, root, total } = payment.split
  await at.ack(startMs + 1, { period, root, total }, stranger)
  await at.grant(999n, {}, stranger)
  assert.equal(one.keyOf(2), undefined)
  assert.equal(at.tables.sales().channels[0]?.cap, '20')
  await at.ack(startMs + 1, { period, root, total })
  assert.ok(one.keyOf(2))
})

test('a flood of orders and requests of strangers is dropped unread', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  const one = await buyer(at)
  const message = one.orderMessage()
  for (let i = 0; i < 5_000; i += 1) at.shop().handle(topics(device).ask, message)
  const request = message.slice()
  request[0] = 2
  const startedMs = performance.now()
  for (let i = 0; i < 5_000; i += 1) at.shop().handle(topics(device).ask, request)
  const micros = ((performance.now() - startedMs) * 1_000) / 5_000
  await at.until(() => one.answers().length >= 10)
  assert.equal(one.answers().length, 10)
  const why = (reason: string) =>
    at.notes.reduce(
      (sum, note) => sum + (note.event === 'dropped' && note.why === reason ? note.times : 0),
      0,
    )
  at.pass(1_000)
  at.shop().look()
  await at.rest()
  assert.ok(at.notes.length < 50, 'a flood is told of in few words')
  assert.equal(why('over the budget') + why('unknown session'), 9_990)
  assert.ok(micros < 200, `${micros} µs a message`)
})

test('all guests share one budget, which those with a grant do not feel', async (t) => {
  const at = await world(t, { limits: { ordersPerS: 1e6, requestsPerS: 4 } })
  await at.ack(startMs)
  const guests = []
  for (let i = 0; i < 6; i += 1) {
    const other = { ...config, salt: secretOf(`guest ${i}`) }
    const order = { channelId: channelId(other, rail) }
    const guest = await buyer(at, { order, document: { config: other } })
    await guest.order()
    guests.push(guest)
  }
  for (const guest of guests) for (let i = 0; i < 5; i += 1) guest.send({ kind: 'state' })
  await at.rest()
  const answered = guests.map((guest) => guest.answers().length - 1)
  assert.equal(
    answered.reduce((sum, count) => sum + count, 0),
    8,
    'two seconds of the budget, for all of them',
  )
  await at.grant(100n)
  const one = await buyer(at)
  await one.order()
  assert.equal((await one.request({ kind: 'state' }))?.kind, 'state')
})

test('nobody can use up a buyer’s budget by forging or repeating its requests', async (t) => {
  const { at, one } = await openSale(t, { limits: { ordersPerS: 1e6, requestsPerS: 4 }, cap: 100n })
  const old = one.seal({ kind: 'state' })
  at.ask(old)
  await at.rest()
  const forged = one.seal({ kind: 'state' })
  forged[40] = (forged[40] ?? 0) ^ 1
  for (let i = 0; i < 200; i += 1) for (const bytes of [forged, old]) at.ask(bytes)
  await at.rest()
  const before = one.answers().length
  assert.ok(before < 20, `${before} answers to 200 repetitions`)
  for (let i = 0; i < 4; i += 1) one.send({ kind: 'state' })
  await at.until(() => one.answers().length === before + 4)
  assert.equal(one.answers().length, before + 4)
})

test('a list or a request larger than any true one is dropped unread', async (t) => {
  const { at, one } = await openSale(t, { ...open, cap: 100n })
  const long = one.seal({ kind: 'state' })
  const large = new Uint8Array(17 << 10)
  large.set(long)
  at.ask(large)
  for (const topic of [topics(device).grant, topics(device).ack, topics(operator.address).offer]) {
    at.shop().handle(topic, new Uint8Array((256 << 10) + 1))
  }
  await at.rest()
  const dropped = at.notes.filter((note) => note.event === 'dropped')
  assert.deepEqual([...new Set(dropped.map(({ why }) => why))], ['too large'])
  assert.equal((await one.request({ kind: 'state' }))?.kind, 'state')
})

test('guests without a grant stay in memory, and the oldest makes room', async (t) => {
  const at = await world(t, { limits: { ...open.limits, guestsMax: 3 } })
  await at.ack(startMs)
  for (let i = 0; i < 5; i += 1) {
    const other = { ...config, salt: secretOf(`salt ${i}`) }
    const guest = await buyer(at, {
      order: { channelId: channelId(other, rail) },
      document: { config: other },
    })
    assert.equal((await guest.order())?.kind, 'welcome')
  }
  assert.equal(at.shop().counts().channels, 3)
  assert.equal(at.shop().counts().sessions, 3)
  assert.deepEqual(at.tables.sales().sessions, [])
})

const big = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
