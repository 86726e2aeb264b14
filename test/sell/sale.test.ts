/** One sale over a real broker and a real store: the keys that come open what was paid for, and no more. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { openBroker } from '../../runtime/link/broker.ts'
import { openShop } from '../../runtime/sell/shop.ts'
import { openStore } from '../../runtime/store/client.ts'
import { outbox } from '../../runtime/stream/outbox.ts'
import { encodeAcks, signAck } from '../../runtime/wire/ack.ts'
import { hex, utf8 } from '../../runtime/wire/bytes.ts'
import { decodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { encodeGrants, signGrant } from '../../runtime/wire/grant.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { cover } from '../../runtime/wire/keytree.ts'
import { generateSessionKey } from '../../runtime/wire/session.ts'
import { signDocumentAsync } from '../../runtime/wire/signed.ts'
import { openSold } from '../../runtime/wire/sold.ts'
import { termsHash } from '../../runtime/wire/terms.ts'
import { everyTopic, topics } from '../../runtime/wire/topic.ts'
import { chain } from '../buyer/chain.ts'
import { air, buyer, type Line, pay } from './buyer.ts'
import {
  channel,
  dayMs,
  device,
  deviceKey,
  deviceSecret,
  gateway,
  offer,
  operator,
  startMs,
  terms,
} from './world.ts'

async function startBroker(context: TestContext) {
  const aedes = await Aedes.createBroker()
  const server = createServer(aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  context.after(async () => {
    await new Promise<void>((done) => aedes.close(done))
    server.close()
  })
  return `mqtt://127.0.0.1:${address.port}`
}

/** Seller's half of a device: store, outbox, shop, and a chain of epochs to seal on demand. */
async function startSeller(context: TestContext, url: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-sale-'))
  const store = await openStore({ path: join(folder, 'store.sqlite') })
  const broker = openBroker({ url, clientId: device, keepSession: true })
  const out = outbox({ store, publish: broker.publish })
  const made = chain({ secret: deviceSecret, terms: termsHash(terms) })
  const shop = await openShop({
    key: deviceKey,
    offer: () => offer,
    store,
    cover: (_stream, _generation, from, to) => cover(made.root, from, to),
    clock: { monotonicMs: () => Math.floor(performance.now()) },
    publish: broker.publish,
    changed: out.look,
    limits: { soldEveryMs: 10 },
  })
  const stop = new AbortController()
  const ends = [shop.start(stop.signal), out.start(stop.signal)]
  context.after(async () => {
    stop.abort()
    await Promise.all(ends)
    await broker.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  for (const filter of shop.filters) await broker.subscribe(filter, shop.handle)
  broker.onConnect(out.look)
  await broker.ready()

  return async function seal(count: number) {
    for (let i = 0; i < count; i += 1) {
      const message = made.epoch(2)
      const { header, headerBytes } = decodeMessage(message)
      const { stream, generation, number, boot, openedMonotonicMs, closedMonotonicMs } = header
      const coveredMs = closedMonotonicMs - openedMonotonicMs
      const row = { stream, generation, number, boot, openedMonotonicMs, closedMonotonicMs }
      const more = { kind: 'readings', count: 2, coveredMs, terms: header.terms, message }
      const hash = headerHash(headerBytes)
      const topic = topics(device).epoch(stream)
      const sealed = [{ ...row, ...more, hash, topic }]
      await store.commit({ gains: [], sealed, messages: [], audits: [] })
    }
    out.look()
    shop.look()
  }
}

/** A line to the broker that remembers all it hears. */
async function listen(context: TestContext, url: string, clientId: string) {
  const broker = openBroker({ url, clientId })
  context.after(() => broker.close())
  await broker.ready()
  const sent: { topic: string; payload: Uint8Array }[] = []
  await broker.subscribe(everyTopic, (topic, payload) => {
    sent.push({ topic, payload: payload.slice() })
  })
  const retained = (topic: string) => sent.filter((one) => one.topic === topic).at(-1)?.payload
  const line: Line = {
    sent,
    retained,
    ask: (payload) => void broker.publish(topics(device).ask, payload),
    async until(holds) {
      for (let i = 0; i < 12_000 && !holds(); i += 1) await sleep(5)
    },
  }
  return { ...line, broker }
}

test('a whole sale over a broker: order, promise, keys, and the gateway told of it', async (t) => {
  const url = await startBroker(t)
  const seal = await startSeller(t, url)
  const office = await listen(t, url, 'gateway')
  const at = await listen(t, url, 'buyer')

  const officeKey = await generateSessionKey()
  const theirs = {
    ...offer,
    device: operator.address,
    signingKey: operator.address,
    hpke: hex(officeKey.publicKey),
    streams: [],
  }
  const document = await signDocumentAsync('offer', theirs, operator.sign)
  await office.broker.publish(topics(operator.address).offer, utf8(document), { retain: true })
  const untilMs = startMs + dayMs
  const cap = 1_000n
  const grant = { channelId: channel, device, index: 0, cap, untilMs, registryVersion: 1n }
  const root = new Uint8Array(32)
  const ack = { channelId: channel, period: 0n, root, total: 0n, timeMs: startMs }
  const say = { retain: true }
  const grants = encodeGrants([await signGrant(grant, gateway)])
  await office.broker.publish(topics(device).grant, grants, say)
  await office.broker.publish(topics(device).ack, encodeAcks([await signAck(ack, gateway)]), say)

  const one = await buyer(at)
  const welcome = await one.order()
  assert.ok(welcome?.kind === 'welcome' && welcome.place?.index === 0)
  await seal(4)
  const answer = await one.request({
    kind: 'promise',
    payment: await pay(30n, 1n),
    buy: [air(1, 0xffff)],
  })
  assert.ok(answer?.kind === 'refusal' && answer.refusal.code === 'promise-used-up')
  await at.until(() => one.keyOf(3) !== undefined)

  const epochs = () => at.sent.filter(({ topic }) => topic === topics(device).epoch('air'))
  await at.until(() => epochs().length >= 4)
  assert.equal(epochs().length, 4)
  for (const { payload } of epochs()) {
    const epoch = decodeMessage(payload)
    const leaf = one.keyOf(epoch.header.number)
    assert.equal(leaf === undefined, epoch.header.number > 3)
    if (leaf !== undefined) assert.equal(openEpoch(epoch, leaf).readings.length, 2)
  }

  await office.until(() => office.retained(topics(device).sold) !== undefined)
  const sold = await openSold(office.retained(topics(device).sold) as Uint8Array, device, officeKey)
  assert.equal(sold[0]?.voucher.maxClaimableAmount, 30n)
})
