/** The manners of MQTT 5: seen by a client of others, spared in bytes, and missed by nobody on 3.1.1. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IPublishPacket } from 'mqtt'
import { openBroker } from '../../runtime/link/broker.ts'
import { propertiesByKind, propertiesOf } from '../../runtime/link/properties.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { type Mosquitto, noMosquitto as skip, startMosquitto } from './mosquitto.ts'

const seller = topics(`0x${'ab'.repeat(20)}` as Address)
const session = 'cd'.repeat(16)
const { setup, epoch, open, keys, answer, ...plain } = seller
const every = [...Object.values(plain), setup('air'), epoch('air'), open('air'), keys(session)]

test('a client of others reads on MQTT 5 what a payload is, and until when it is of use', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: '5' })
  const watcher = connect(host.url, { protocolVersion: 5, reconnectPeriod: 0 })
  t.after(() => watcher.endAsync(true))
  await new Promise<void>((done) => watcher.once('connect', () => done()))
  await watcher.subscribeAsync('wayside/#')
  const seen = new Map<string, IPublishPacket>()
  watcher.on('message', (topic, _payload, packet) => void seen.set(topic, packet))
  const broker = openBroker({ url: host.url, clientId: 'one' })
  t.after(() => broker.close())
  await broker.ready()
  for (const topic of [...every, answer(session)]) await broker.publish(topic, '[]')
  for (let i = 0; i < 6_000 && seen.size < every.length + 1; i += 1) await sleep(10)

  const said = (topic: string) => seen.get(topic)?.properties
  assert.equal(said(open('air'))?.contentType, 'application/senml+json')
  assert.equal(said(open('air'))?.payloadFormatIndicator, true)
  assert.equal(said(plain.grant)?.contentType, 'application/cbor')
  assert.equal(said(epoch('air'))?.contentType, 'application/octet-stream')
  for (const topic of every) {
    const expires = said(topic)?.messageExpiryInterval
    assert.ok(topic === plain.ask ? expires === 600 : expires === undefined, topic)
  }
  assert.equal(said(answer(session))?.messageExpiryInterval, 120)
})

test('what stays retained and what is sold never expires, and what is taken back says nothing', () => {
  const expiring = Object.entries(propertiesByKind).filter(([, p]) => p.messageExpiryInterval)
  assert.deepEqual(
    expiring.map(([kind]) => kind),
    ['ask', 'answer'],
  )
  assert.deepEqual(propertiesOf(plain.offer, new Uint8Array(0)), {})
  assert.deepEqual(propertiesOf('somebody/elses', Uint8Array.of(1)), {})
})

test('a topic that repeats is sent once and then as a number, as far as the broker takes numbers', {
  skip,
}, async (t) => {
  const messages = 200
  const perMessage = async (conf: string, streams: number) => {
    const host = await startMosquitto(t, { flavour: '5', conf: [conf] })
    const topicsOf = Array.from({ length: streams }, (_, i) => epoch(`s${i}`))
    return (await bytesSent(t, host, topicsOf, messages)) / messages
  }
  const without = await perMessage('max_topic_alias 0', 1)
  const withOne = await perMessage('max_topic_alias 10', 1)
  const [topic] = [epoch('s0')]
  t.diagnostic(
    `bytes a message: ${without.toFixed(1)} without, ${withOne.toFixed(1)} with a number`,
  )
  assert.ok(without - withOne > topic.length - 6, `${without} → ${withOne}`)
  const beyond = await perMessage('max_topic_alias 2', 4)
  assert.ok(beyond > withOne && beyond < without, 'two of four streams have a number')
})

/** Publishes to these topics in turn; the bytes that went to the broker for it. Every message must arrive. */
async function bytesSent(t: TestContext, host: Mosquitto, to: readonly string[], messages: number) {
  let bytes = 0
  const meter = createServer((near) => {
    const far = dial(host.port, '127.0.0.1')
    near.on('data', (part) => {
      bytes += part.length
      far.write(part)
    })
    far.pipe(near)
    near.on('close', () => far.destroy())
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(meter, 'listening')
  const { port } = meter.address() as AddressInfo
  const watcher = openBroker({ url: host.url, clientId: 'watcher' })
  const broker = openBroker({ url: `mqtt://127.0.0.1:${port}`, clientId: 'one' })
  t.after(async () => {
    await Promise.all([watcher.close(), broker.close()])
    meter.close()
  })
  await Promise.all([watcher.ready(), broker.ready()])
  const heard: string[] = []
  await watcher.subscribe('#', (topic) => heard.push(topic))
  const before = bytes
  const turn = (i: number) => to[i % to.length] as string
  for (let i = 0; i < messages; i += 1) await broker.publish(turn(i), 'x'.repeat(20))
  const after = bytes
  for (let i = 0; i < 6_000 && heard.length < messages; i += 1) await sleep(10)
  const wanted = Array.from({ length: messages }, (_, i) => turn(i))
  assert.deepEqual(heard, wanted, 'under its full name')
  return after - before
}
