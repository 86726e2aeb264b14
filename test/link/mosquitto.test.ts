/** The line against Debian's mosquitto: every way to speak with it, and every way in which it says no. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../runtime/faults.ts'
import { type BrokerOptions, openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'
import { text } from '../../runtime/wire/bytes.ts'
import { type Flavour, noMosquitto as skip, startMosquitto } from './mosquitto.ts'

const quick = { retryFirstMs: 20, retryMaxMs: 50, connectMs: 20_000, filesMs: 20 }
/** Everybody may do everything except write below `forbidden/`, or hear what is there. */
const acl = 'topic readwrite open/#\ntopic write wayside/#\n'
const flavours: readonly Flavour[] = ['3.1.1', '5', 'tls', 'mtls']

/** A line that ends with the test, and what it told. */
async function open(t: TestContext, options: BrokerOptions) {
  const notes: LinkNote[] = []
  const note = (each: LinkNote) => void notes.push(each)
  const broker = openBroker({ limits: quick, note, ...options })
  t.after(() => broker.close())
  await broker.ready()
  return { ...broker, notes, told: (event: string) => notes.filter((one) => one.event === event) }
}

async function eventually(what: string, holds: () => boolean) {
  for (let i = 0; i < 3_000 && !holds(); i += 1) await sleep(20)
  assert.ok(holds(), what)
}

const isFault = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === code && message.test(error.message)

for (const flavour of flavours) {
  test(`a line to a broker of the flavour ${flavour} carries both ways`, { skip }, async (t) => {
    const host = await startMosquitto(t, { flavour })
    const one = await open(t, { ...(await host.line('one')), clientId: 'one' })
    const other = await open(t, { ...(await host.line('other')), clientId: 'other' })
    const heard: string[] = []
    await other.subscribe('open/+', (_topic, payload) => heard.push(text(payload)))
    await one.publish('open/a', 'rain')
    await eventually('it arrives', () => heard[0] === 'rain')
    const version = flavour === '3.1.1' ? '3.1.1' : '5'
    assert.deepEqual(one.told('connected'), [{ event: 'connected', version }])
    assert.equal(one.state().certificateUntilMs !== undefined, flavour === 'mtls')
  })
}

test('what the list forbids is refused in words and stands in the state, on MQTT 5', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: '5', acl })
  const broker = await open(t, { url: host.url, clientId: 'one' })
  await broker.publish('open/a', 'x')
  for (let times = 0; times < 2; times += 1) {
    const refused = isFault('BROKER_REFUSED', /forbidden\/a: not authorized \(code 0x87\)/)
    await assert.rejects(broker.publish('forbidden/a', 'x'), refused)
  }
  assert.equal(broker.told('refused').length, 1, 'told once')
  const [trouble] = broker.state().troubles
  assert.equal(trouble?.code, 'BROKER_REFUSED')
  assert.match(trouble?.cure ?? '', /wayside acl/)
  assert.equal(broker.connected(), true)
})

test('on 3.1.1 a forbidden publish is acknowledged like any other, and gone', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: '3.1.1', acl })
  const broker = await open(t, { ...(await host.line('one')), clientId: 'one' })
  const heard: string[] = []
  await broker.subscribe('#', (topic) => heard.push(topic))
  await broker.publish('forbidden/a', 'x')
  await broker.publish('open/a', 'x')
  await eventually('the allowed one arrives', () => heard.length > 0)
  assert.deepEqual(heard, ['open/a'])
})

test('a message larger than the broker takes is refused before it is sent', { skip }, async (t) => {
  const host = await startMosquitto(t, { flavour: '5', conf: ['max_packet_size 1000'] })
  const broker = await open(t, { url: host.url, clientId: 'one' })
  const refused = isFault('BROKER_REFUSED', /too large \(code 0x95: at most 1000 bytes\)/)
  await assert.rejects(broker.publish('open/a', 'x'.repeat(1_000)), refused)
  await broker.publish('open/a', 'x'.repeat(900))
})

// It hangs up on the one, and answers the other with a PUBACK that MQTT 5 does not have.
for (const [flavour, limit] of [
  ['3.1.1', 'max_packet_size 1000'],
  ['5', 'message_size_limit 1000'],
] as const) {
  test(`a message above its ${limit} holds up no other, on ${flavour}`, { skip }, async (t) => {
    const host = await startMosquitto(t, { flavour, conf: [limit] })
    const broker = await open(t, { ...(await host.line('one')), clientId: 'one' })
    const deliver = async (size: number) => {
      for (;;) {
        const failed = await broker.publish('open/a', 'x'.repeat(size)).catch((cause) => cause)
        if (failed === undefined || failed.code === 'BROKER_REFUSED') return failed?.message
        await broker.ready()
      }
    }
    const [large, ...small] = await Promise.all([2_000, 10, 20, 30].map(deliver))
    assert.match(large, /refuses open\/a: it ends the line whenever it is sent 2000 bytes there/)
    assert.deepEqual(small, [undefined, undefined, undefined])
  })
}

test('one that gives no QoS 1, or keeps nothing, is unfit and says why', { skip }, async (t) => {
  for (const [line, words] of [
    ['max_qos 0', /does not give QoS 1/],
    ['retain_available false', /keeps no retained messages/],
  ] as const) {
    const host = await startMosquitto(t, { flavour: '5', conf: [line] })
    const will = { topic: 'open/status', payload: 'off' }
    for (const options of [{}, { will }]) {
      const broker = openBroker({ url: host.url, clientId: 'one', limits: quick, ...options })
      t.after(() => broker.close())
      await assert.rejects(broker.ready(), isFault('BROKER_UNFIT', words))
    }
  }
})

test('more publishes than the broker takes at once all arrive', { skip }, async (t) => {
  const host = await startMosquitto(t, { flavour: '5' })
  const broker = await open(t, { url: host.url, clientId: 'one' })
  let heard = 0
  await broker.subscribe('open/#', () => {
    heard += 1
  })
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => broker.publish('open/a', `${i}`)))
  await eventually('all arrive', () => heard === 1_000)
})

for (const flavour of ['3.1.1', '5'] as const) {
  test(`two that fight for one id are told so and leave each other time, on ${flavour}`, {
    skip,
  }, async (t) => {
    const host = await startMosquitto(t, { flavour })
    const line = await host.line('device')
    // mosquitto 2.0 hangs up without a word, on either version: it takes a few short lives to know it.
    const limits = { ...quick, retryMaxMs: 600_000, takeoversMin: 2 }
    const options = { ...line, clientId: 'device', limits, random: () => 0.5 }
    const one = await open(t, options)
    const clone = await open(t, options)
    const seen = () => [one, clone].find(({ told }) => told('taken over').length > 0)
    await eventually('one of them sees it', () => seen() !== undefined)
    const thrown = seen()
    const [trouble] = thrown?.state().troubles ?? []
    assert.equal(trouble?.code, 'BROKER_TAKEN_OVER')
    assert.match(trouble?.cure ?? '', /cloned card/)
    assert.equal(thrown?.state().takeovers, 1)
    const waits = thrown?.notes.flatMap((note) => ('retryMs' in note ? note.retryMs : [])) ?? []
    assert.equal(waits.at(-1), 300_000, 'drawn from the longest at once')
  })
}

test('a kept session holds what came while we were away', { skip }, async (t) => {
  const host = await startMosquitto(t, { flavour: '5' })
  const first = await open(t, { url: host.url, clientId: 'device', keepSession: true })
  await first.subscribe('open/ask', () => {})
  await first.close()
  const buyer = await open(t, { url: host.url, clientId: 'buyer' })
  await buyer.publish('open/ask', 'promise')
  const second = openBroker({ url: host.url, clientId: 'device', limits: quick, keepSession: true })
  t.after(() => second.close())
  await new Promise<void>((done) => void second.subscribe('open/ask', () => done()))
})
