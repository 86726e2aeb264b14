import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { Fault } from '../../runtime/faults.ts'
import { type Broker, type BrokerOptions, openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'
import { text, utf8 } from '../../runtime/wire/bytes.ts'
import { startGate } from '../journeys/gate.ts'

/** An embedded broker on a port of its own, whose lines a test can cut and whose answers it can hold. */
async function startBroker(port = 0) {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const cut = (some = sockets.size) => {
    for (const socket of [...sockets].slice(-some)) socket.destroy()
  }
  return {
    aedes,
    port: address.port,
    url: `mqtt://127.0.0.1:${address.port}`,
    cut,
    async stop() {
      cut()
      server.close()
      await new Promise<void>((done) => aedes.close(done))
    },
  }
}

const quick = { retryFirstMs: 20, retryMaxMs: 50, stableMs: 60_000, connectMs: 2_000 }

async function open(url: string, clientId: string, more: Partial<BrokerOptions> = {}) {
  const broker = openBroker({ url, clientId, limits: quick, ...more })
  await broker.ready()
  return broker
}

const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

async function eventually(holds: () => boolean) {
  const endMs = performance.now() + 60_000
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'it never came to be')
    await sleep(10)
  }
}

function hear(broker: Broker, filter: string) {
  const heard: string[] = []
  return broker
    .subscribe(filter, (topic, payload, retained) =>
      heard.push(`${topic}=${text(payload)}${retained ? ' (retained)' : ''}`),
    )
    .then(() => heard)
}

test('a message goes from one client to another, and a retained one waits for whoever comes', async () => {
  const host = await startBroker()
  const seller = await open(host.url, 'seller')
  await seller.publish('a/offer', 'open', { retain: true })
  const buyer = await open(host.url, 'buyer')
  const heard = await hear(buyer, 'a/#')
  await seller.publish('a/epoch', utf8('sealed'))
  await eventually(() => heard.length === 2)
  assert.deepEqual(heard, ['a/offer=open (retained)', 'a/epoch=sealed'])
  await Promise.all([seller.close(), buyer.close()])
  await host.stop()
})

test('a publish resolves at PUBACK and not before', async () => {
  const host = await startBroker()
  const held: (() => void)[] = []
  host.aedes.authorizePublish = (_client, _packet, answer) => void held.push(() => answer(null))
  const broker = await open(host.url, 'one')
  let acknowledged = false
  const sent = broker.publish('a', 'b').then(() => {
    acknowledged = true
  })
  await eventually(() => held.length === 1)
  await sleep(30)
  assert.equal(acknowledged, false)
  held[0]?.()
  await sent
  await broker.close()
  await host.stop()
})

test('what was on its way when the link fell is lost, never kept for later', async () => {
  const host = await startBroker()
  host.aedes.authorizePublish = () => {}
  const broker = await open(host.url, 'one')
  const sent = Array.from({ length: 100 }, () => broker.publish('a', 'b'))
  const outcome = Promise.allSettled(sent)
  await sleep(20)
  host.cut()
  for (const each of await outcome) {
    assert.ok(each.status === 'rejected' && isFault('BROKER_LOST')(each.reason))
  }
  await broker.close()
  await host.stop()
})

test('after the link fell it comes back, hears its filters again, and says so once it does', async () => {
  const host = await startBroker()
  const notes: LinkNote[] = []
  const broker = await open(host.url, 'one', { note: (note) => notes.push(note) })
  const heard = await hear(broker, 'news/+')
  let connections = 0
  broker.onConnect(() => {
    connections += 1
  })
  host.cut()
  await eventually(() => connections === 2)
  await broker.publish('news/today', 'rain')
  await eventually(() => heard.length === 1)
  assert.deepEqual(
    notes.map(({ event }) => event),
    ['connected', 'disconnected', 'connected'],
  )
  await broker.close()
  await host.stop()
})

test('without a link a publish is lost at once, and filters wait for the link', async () => {
  const host = await startBroker()
  await host.stop()
  const broker = openBroker({ url: host.url, clientId: 'one', limits: quick })
  const heard = await hear(broker, 'a')
  await assert.rejects(broker.publish('a', 'b'), isFault('BROKER_LOST'))
  await assert.rejects(broker.ready(100), isFault('BROKER_UNREACHABLE'))
  const again = await startBroker(host.port)
  await broker.ready()
  await broker.publish('a', 'b')
  await eventually(() => heard.length === 1)
  await broker.close()
  await again.stop()
})

test('the last will is said when a client vanishes, and not when it takes leave', async () => {
  const host = await startBroker()
  const watcher = await open(host.url, 'watcher')
  const heard = await hear(watcher, '+/status')
  const one = await open(host.url, 'one', { will: { topic: 'one/status', payload: 'gone' } })
  await one.close()
  const other = await open(host.url, 'two', {
    will: { topic: 'two/status', payload: 'gone' },
    limits: { ...quick, retryFirstMs: 30_000, retryMaxMs: 30_000 },
    random: () => 0.9,
  })
  host.cut(1)
  await eventually(() => heard.length > 0)
  assert.deepEqual(heard, ['two/status=gone'])
  await Promise.all([other.close(), watcher.close()])
  await host.stop()
})

test('a client that vanishes hangs up without taking leave, says its last will, and never comes back', async () => {
  const host = await startBroker()
  const watcher = await open(host.url, 'watcher')
  const heard = await hear(watcher, '+/status')
  const seller = await open(host.url, 'seller', { will: { topic: 'a/status', payload: 'off' } })
  seller.vanish()
  await eventually(() => heard.length === 1)
  assert.deepEqual(heard, ['a/status=off'])
  assert.equal(seller.connected(), false)
  const came: string[] = []
  host.aedes.on('client', ({ id }) => came.push(id))
  // Nor does one that was only about to.
  const early = openBroker({ url: host.url, clientId: 'early', limits: quick })
  early.vanish()
  await sleep(4 * quick.retryMaxMs)
  assert.deepEqual(came, [])
  await assert.rejects(seller.publish('a/offer', 'open'), isFault('BROKER_LOST'))
  await Promise.all([seller.close(), early.close(), watcher.close()])
  await host.stop()
})

test('messages queue at the broker for a client that keeps its session', async () => {
  const host = await startBroker()
  const first = await open(host.url, 'device', { keepSession: true })
  await hear(first, 'ask')
  await first.close()
  const buyer = await open(host.url, 'buyer')
  await buyer.publish('ask', 'promise')
  const heard: string[] = []
  const second = openBroker({ url: host.url, clientId: 'device', limits: quick, keepSession: true })
  await second.subscribe('ask', (_topic, payload) => heard.push(text(payload)))
  await eventually(() => heard.length === 1)
  await Promise.all([second.close(), buyer.close()])
  await host.stop()
})

test('a filter that nobody hears any more is given back, also while there is no link', async () => {
  const host = await startBroker()
  const notes: LinkNote[] = []
  const broker = await open(host.url, 'one', { note: (note) => notes.push(note) })
  const heard: string[] = []
  const [first, second] = [() => heard.push('first'), () => heard.push('second')]
  await broker.subscribe('a', first)
  await broker.subscribe('a', second)
  broker.unsubscribe('a', first)
  await broker.publish('a', 'x')
  await eventually(() => heard.length === 1)
  broker.unsubscribe('a', second)
  const gone: string[] = []
  host.aedes.on('unsubscribe', (filters) => gone.push(...filters))
  await eventually(() => gone.includes('a'))
  await broker.subscribe('b', first)
  host.cut()
  await eventually(() => notes.some(({ event }) => event === 'disconnected'))
  broker.unsubscribe('b', first)
  await broker.subscribe('c', first)
  await broker.ready()
  await broker.publish('b', 'x')
  await broker.publish('c', 'x')
  await eventually(() => heard.length === 2)
  assert.deepEqual(heard, ['second', 'first'])
  await broker.close()
  await host.stop()
})

test('a refused publish is an error, and the line comes back', async () => {
  const host = await startBroker()
  host.aedes.authorizePublish = (_client, packet, answer) =>
    answer(packet.topic === 'forbidden' ? new Error('no') : null)
  const broker = await open(host.url, 'one')
  await assert.rejects(broker.publish('forbidden', 'x'), Fault)
  await broker.ready()
  await broker.publish('allowed', 'x')
  await broker.close()
  await host.stop()
})

test('two machines that fight for one id are told so', async () => {
  const host = await startBroker()
  const notes: LinkNote[] = []
  const note = (each: LinkNote) => void notes.push(each)
  const one = await open(host.url, 'device', { note })
  const clone = await open(host.url, 'device', { note })
  await eventually(() => notes.some(({ event }) => event === 'taken over'))
  await Promise.all([one.close(), clone.close()])
  await host.stop()
})

test('a line that hangs does not keep a client from leaving', async () => {
  const server = await startBroker()
  const gate = await startGate(server.url)
  try {
    for (const sends of [false, true]) {
      const limits = { ...quick, leaveMs: 100 }
      const broker = await open(gate.url, 'leaving', { keepSession: true, limits })
      gate.hang()
      const sent = sends
        ? assert.rejects(broker.publish('a', 'b'), isFault('BROKER_LOST'))
        : Promise.resolve()
      const beganMs = performance.now()
      await broker.close()
      const tookMs = performance.now() - beganMs
      // It leaves at last; how busy the machine is, is another matter.
      assert.ok(tookMs < 30_000, `it took ${tookMs} ms`)
      await sent
      assert.equal(broker.connected(), false)
      gate.open()
    }
  } finally {
    await gate.stop()
    await server.stop()
  }
})

test('closing while the broker is out of reach ends at once', async () => {
  const host = await startBroker()
  await host.stop()
  const broker = openBroker({ url: host.url, clientId: 'one' })
  await sleep(50)
  await broker.close()
  await assert.rejects(broker.publish('a', 'b'), isFault('BROKER_LOST'))
})
