/**
 * A running device, and then the whole shop, among people who may write whatever they like to any topic that
 * it listens to: nothing is thrown, nothing in its books changes, and who pays is served as before.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { randomBytes, sign } from '#crypto'
import { chainAvailable } from '../../demo/chain.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { encodeAcks, signAck } from '../../runtime/wire/ack.ts'
import { unhex, utf8 } from '../../runtime/wire/bytes.ts'
import { signEnrolment } from '../../runtime/wire/enrolment.ts'
import { encodeGrants, signGrant } from '../../runtime/wire/grant.ts'
import { generateSessionKey, sealOrder } from '../../runtime/wire/session.ts'
import { signDocument } from '../../runtime/wire/signed.ts'
import { localSigner, type Signer } from '../../runtime/wire/signer.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { buyer, pay } from '../sell/buyer.ts'
import {
  buyerSigner,
  channel,
  dayMs,
  device,
  gateway,
  offer,
  operator,
  secretOf,
} from '../sell/world.ts'
import { type Besieged, besiege } from './besieged.ts'
import { openScene, wayside } from './scene.ts'

const topic = topics(device)
const mebibyte = 1 << 20
const stranger = localSigner(secretOf('stranger'))
const listened = [
  topic.ask,
  topic.grant,
  topic.ack,
  topic.enrolment,
  topics(operator.address).offer,
]

test('a device among liars throws nothing, changes nothing and serves its buyer', {
  timeout: 240_000,
}, async (t) => {
  const shop = await besiege(t)
  const { one, buy } = await openSale(shop)
  await buy(1n)
  const recorded = shop.at.sent.filter(({ topic: of }) => of === topic.ask)
  await buy(2n)
  await sleep(300)
  const before = shop.books()
  const { problems } = await shop.health()
  const heap = heldBeside(shop.at.sent)

  await lies(shop)
  await cheat(shop, one)
  for (const { payload } of recorded)
    for (let i = 0; i < 3; i += 1) await shop.say(topic.ask, payload)
  await noise(
    shop,
    recorded.map(({ payload }) => payload),
  )
  await sleep(300)

  assert.equal(shop.died(), undefined)
  assert.deepEqual(shop.books(), before)
  assert.deepEqual((await shop.health()).problems, problems)
  const more = await settled(() => heldBeside(shop.at.sent) - heap, 16 * mebibyte)
  assert.ok(more < 16 * mebibyte, `${Math.round(more / mebibyte)} MiB more`)
  const sealed = shop.epochs().length
  await buy(3n)
  // It senses and seals as before.
  await shop.until(() => shop.epochs().length > sealed)
})

/** The gateway grants and acks; one buyer orders and buys an epoch at a time. */
async function openSale(shop: Besieged) {
  const untilMs = Date.now() + 30 * dayMs
  const grant = { channelId: channel, device, index: 0, cap: 5_000n, untilMs, registryVersion: 1n }
  await shop.say(topic.grant, encodeGrants([await signGrant(grant, gateway)]))
  const root = new Uint8Array(32)
  const ack = { channelId: channel, period: 0n, root, total: 0n, timeMs: Date.now() }
  await shop.say(topic.ack, encodeAcks([await signAck(ack, gateway)]))
  const enrolment = { device, operator: operator.address, signingKey: device, version: 4 }
  const word = await signEnrolment(enrolment, (digest) => operator.sign(digest))
  await shop.say(topic.enrolment, word)
  const terms = await shop.terms()
  await shop.until(() => shop.epochs().length > 0)
  const order = { terms, ceilingAmount: 100n, ceilingPerMs: 1_000n, untilMs }
  const one = await buyer(shop.at, { order })
  assert.equal((await one.order())?.kind, 'welcome')
  const buy = async (period: bigint) => {
    const sealed = shop.epochs().at(-1)?.number ?? 0
    const payment = await pay(period * 100n, period)
    const range = { stream: 'air', generation: 1, from: sealed, to: sealed }
    const answer = await one.request({ kind: 'promise', payment, buy: [range] })
    assert.equal(answer?.kind, 'state', JSON.stringify(answer, spelled))
    await shop.until(() => one.keyOf(sealed) !== undefined)
    assert.ok(one.keyOf(sealed), `the key of epoch ${sealed}`)
  }
  return { one, buy }
}

/** Well-formed words of the wrong person, on every topic. */
async function lies({ say, at, health }: Besieged): Promise<void> {
  const untilMs = Date.now() + 99 * dayMs
  const grant = { channelId: channel, device, index: 0, cap: 9_999n, untilMs, registryVersion: 9n }
  const root = new Uint8Array(32)
  const ack = { channelId: channel, period: 9n, root, total: 300n, timeMs: untilMs }
  for (const who of [stranger, operator, buyerSigner, localSigner(secretOf('device'))]) {
    await say(topic.ack, encodeAcks([await signAck(ack, who)]))
    await say(topic.grant, encodeGrants([await signGrant(grant, who)]))
    const words = { device, operator: operator.address, signingKey: stranger.address, version: 9 }
    for (const named of [words, { ...words, operator: who.address }]) {
      const signed = await signEnrolment(named, (digest) => who.sign(digest))
      await say(topic.enrolment, signed)
    }
  }
  const forged = { ...offer, device: operator.address, operator: operator.address, streams: [] }
  const byStranger = (digest: Uint8Array) => sign(digest, secretOf('stranger'))
  const signingKey = stranger.address
  const document = JSON.parse(JSON.stringify({ ...forged, version: 99, signingKey }))
  await say(topics(operator.address).offer, utf8(signDocument('offer', document, byStranger)))
  await resealed(at)
  assert.equal((await health()).sale.sessions, 1, 'no stranger has a session')
}

/** An order that another device was given, sealed again by that device to this one. */
async function resealed(at: Besieged['at']): Promise<void> {
  const thief = await generateSessionKey()
  const victim = await buyer(at, { order: { number: 9n } })
  const order = await victim.orderBytes()
  const { message } = await sealOrder({ order, session: thief, recipient: unhex(offer.hpke) })
  at.ask(message)
  // And as it is, with the head of the thief.
  const spliced = victim.orderMessage().slice()
  spliced.set(thief.publicKey, 1)
  at.ask(spliced)
  await sleep(200)
}

/** The buyer itself lies: two splits of one period, less than before, more than granted, another's signature. */
async function cheat({ at }: Besieged, one: Awaited<ReturnType<typeof buyer>>): Promise<void> {
  const range = { stream: 'air', generation: 1, from: 1, to: 0xffff }
  const cases: readonly (readonly [string, Promise<Awaited<ReturnType<typeof pay>>>])[] = [
    ['promise-two-trees', pay(201n, 2n)],
    ['promise-lower', pay(150n, 3n)],
    ['promise-over-cap', pay(5_001n, 3n)],
    ['promise-signature', pay(900n, 3n, { signer: stranger as Signer })],
    ['promise-leaf', pay(900n, 3n, { index: 1 })],
  ]
  for (const [code, payment] of cases) {
    const no = await one.request({ kind: 'promise', payment: await payment, buy: [range] })
    assert.ok(no?.kind === 'refusal' && no.refusal.code === code, code)
  }
  assert.ok(at.sent.length > 0)
}

/** Noise, bombs, and bent, cut and lengthened copies of what was said in earnest. */
async function noise({ say, at }: Besieged, asked: readonly Uint8Array[]): Promise<void> {
  const earnest = [topic.grant, topic.ack, topic.enrolment].flatMap((of) => at.retained(of) ?? [])
  const bent = fc
    .tuple(fc.constantFrom(...asked, ...earnest), fc.nat(), fc.integer({ min: 1, max: 255 }))
    .map(([bytes, place, flip]) => {
      const copy = bytes.slice()
      copy[place % copy.length] = (copy[place % copy.length] ?? 0) ^ flip
      return copy
    })
  const cut = fc
    .tuple(fc.constantFrom(...asked, ...earnest), fc.nat())
    .map(([bytes, at]) => bytes.slice(0, at % bytes.length))
  const long = fc.constantFrom(...asked).map((bytes) => {
    const longer = new Uint8Array(bytes.length + (1 << 20))
    longer.set(bytes)
    return longer
  })
  const bomb = fc.constantFrom(0x81, 0xa1, 0xa0, 0x5b, 0x5d).map((head) => {
    const bytes = new Uint8Array(1 << 20).fill(head)
    bytes.set([0x9a, 0x00, 0x0f, 0xff, 0xfb])
    return bytes
  })
  const any = fc.oneof(
    { weight: 12, arbitrary: fc.uint8Array({ maxLength: 500 }) },
    { weight: 12, arbitrary: bent },
    { weight: 6, arbitrary: cut },
    { weight: 1, arbitrary: long },
    { weight: 1, arbitrary: bomb },
  )
  // A list of no grants in good form is the gateway's own no: whoever may say that must be the gateway (ACL).
  const isList = (bytes: Uint8Array) => bytes.length === 1 && bytes[0] === 0x80
  const messages = fc.tuple(fc.constantFrom(...listened), any).filter(([, bytes]) => !isList(bytes))
  await fc.assert(
    fc.asyncProperty(fc.array(messages, { minLength: 20, maxLength: 40 }), async (all) => {
      await Promise.all(all.map(([to, payload]) => say(to, payload)))
    }),
    { numRuns: 25 },
  )
}

test('a shop under siege sells as before: gateway, device and buyer are real processes', {
  skip: chainAvailable() ? false : 'needs anvil, of which this machine has none',
  timeout: 240_000,
}, async (t) => {
  const { world, chain, brokerUrl } = await openScene(t)
  const operating = wayside(t, ['operate', '--config', world.files.operate])
  const desk = wayside(t, ['run', world.files.device])
  const { url } = await desk.said('watching')
  const siege = await besetting(t, brokerUrl, world.operator, world.device)
  const buying = wayside(t, [
    ...['buy', '--broker', brokerUrl, '--operator', world.operator, '--stream', 'air'],
    ...['--key', world.files.buyerKey, '--folder', world.files.buyerFolder],
    ...['--rpc', chain.rpc, '--budget', '1', '--count', '20'],
  ])
  assert.equal(await buying.ended, 0, String(buying.heard()[1]?.bytes))
  const said = await siege.end()
  assert.ok(said > 300, `${said} messages`)
  const health = (await (await fetch(`${url}/health`)).json()) as { problems: string[] }
  assert.deepEqual(health.problems, [])
  assert.equal(await desk.stop(), 0)
  const summary = (await desk.said('summary')) as { sale: Record<string, string> }
  assert.equal(summary.sale.promised, summary.sale.delivered)
  assert.equal(await operating.stop(), 0)
  assert.equal(await chain.balanceOf(world.receiver), BigInt(summary.sale.delivered ?? 0))
})

/** Says rubbish to everybody, as fast as a patient broker takes it, until ended; returns how much. */
async function besetting(t: TestContext, url: string, ...sellers: readonly `0x${string}`[]) {
  const line = openBroker({ url, clientId: 'siege' })
  t.after(line.close)
  await line.ready()
  const heard: { topic: string; payload: Uint8Array }[] = []
  await line.subscribe('wayside/1/+/ask', (to, payload) => {
    if (heard.length < 64) heard.push({ topic: to, payload: payload.slice() })
  })
  let on = true
  const siege = (async () => {
    let count = 0
    while (on) {
      for (const seller of sellers) {
        const of = topics(seller)
        const noisy = randomBytes(1 + (count % 700))
        noisy[0] = count % 6
        await line.publish(of.ask, noisy)
        await line.publish(of.sold, noisy)
        await line.publish(of.enrolment, noisy)
        const echo = heard[count % Math.max(1, heard.length)]
        if (echo !== undefined) await line.publish(echo.topic, echo.payload)
        count += 4
      }
      await sleep(10)
    }
    return count
  })()
  return {
    end: () => {
      on = false
      return siege
    },
  }
}

/** Bytes that this process holds, without what the test itself took down of the line. */
function heldBeside(sent: Besieged['at']['sent']): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed: heap, arrayBuffers } = process.memoryUsage()
  return heap + arrayBuffers - sent.reduce((sum, { payload }) => sum + payload.byteLength, 0)
}

/** Sockets let go of what they carried a little later: the figure once it is below, or after four seconds. */
async function settled(figure: () => number, below: number): Promise<number> {
  for (let i = 0; i < 20 && figure() >= below; i += 1) await sleep(200)
  return figure()
}

function spelled(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
