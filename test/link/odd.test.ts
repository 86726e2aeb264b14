/** Brokers that hang up, keep silent, answer late or twice, or speak what is not MQTT. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../runtime/faults.ts'
import { type BrokerOptions, openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'
import { acknowledge, startOdd } from './oddbroker.ts'

const quick = { retryFirstMs: 5, retryMaxMs: 20, connectMs: 20_000 }
const versions = ['3.1.1', '5'] as const

/** A line that ends with the test, and what it told. */
function open(t: TestContext, url: string, more: Partial<BrokerOptions> = {}) {
  const notes: LinkNote[] = []
  const note = (each: LinkNote) => void notes.push(each)
  const limits = { ...quick, ...more.limits }
  const broker = openBroker({ url, clientId: 'device', note, ...more, limits })
  t.after(() => broker.close())
  /** As an outbox does: again and again, in order, until it arrives or is refused. */
  const insist = async (topic: string, payload: string) => {
    for (;;) {
      try {
        await broker.ready()
        return await broker.publish(topic, payload).then(() => 'taken' as const)
      } catch (cause) {
        if (cause instanceof Fault && cause.code === 'BROKER_REFUSED') return cause
        if (!(cause instanceof Fault && cause.code === 'BROKER_LOST')) throw cause
        await sleep(1)
      }
    }
  }
  return { ...broker, notes, insist }
}

async function eventually(what: string, holds: () => boolean) {
  for (let i = 0; i < 3_000 && !holds(); i += 1) await sleep(20)
  assert.ok(holds(), what)
}

for (const version of versions) {
  test(`a message that the broker hangs up on is set aside, and all others arrive, on ${version}`, async (t) => {
    const odd = await startOdd(t, version, {
      publish(line, one) {
        if (one.topic === 'a/epoch' && one.bytes > 100) line.hangUp()
        else acknowledge(line, one)
      },
    })
    const broker = open(t, odd.url, { version })
    const large = 'x'.repeat(200)
    const sent = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        broker.insist(i % 2 === 0 ? 'a/epoch' : 'a/index', i === 10 ? large : `${i}`),
      ),
    )
    assert.deepEqual(
      sent.flatMap((one, i) => (one === 'taken' ? [] : [i])),
      [10],
    )
    const [refused] = broker.state().troubles
    assert.match(refused?.message ?? '', /refuses a\/epoch: it ends the line .* 20[0-9] bytes/)
    const lines = odd.lines()
    const aside = { code: 'BROKER_REFUSED' }
    await assert.rejects(broker.publish('a/epoch', large), aside)
    await broker.publish('a/epoch', 'small')
    assert.equal(odd.lines(), lines, 'the line stands')
    assert.equal(broker.state().troubles.length, 1, 'and still says what is wrong')
  })
}

test('what was set aside is tried again when its time is over, and a broker that takes it now has it', async (t) => {
  let takes = false
  const odd = await startOdd(t, '3.1.1', {
    publish(line, one) {
      if (takes) acknowledge(line, one)
      else line.hangUp()
    },
  })
  const broker = open(t, odd.url, {
    version: '3.1.1',
    limits: { asideFirstMs: 50, asideMaxMs: 50 },
  })
  assert.ok((await broker.insist('a/epoch', 'x')) instanceof Fault)
  await sleep(60)
  assert.ok((await broker.insist('a/epoch', 'x')) instanceof Fault, 'once more is enough')
  takes = true
  await eventually('it is taken', () => odd.published.length >= 4)
  await sleep(60)
  assert.equal(await broker.insist('a/epoch', 'x'), 'taken')
  assert.deepEqual(broker.state().troubles, [])
})

test('a broker that gives no QoS 1, or keeps nothing, is named as unfit, and left in peace', async (t) => {
  const unfit = [
    [0x24, 0, /does not give QoS 1/],
    [0x25, 0, /keeps no retained messages/],
  ] as const
  for (const [property, value, words] of unfit) {
    const odd = await startOdd(t, '5', {
      connect: (line) => line.send(0x20, 5, 0, 0, 2, property, value),
    })
    const broker = open(t, odd.url)
    await assert.rejects(broker.ready(), { code: 'BROKER_UNFIT', message: words })
    assert.equal(broker.connected(), false)
    assert.equal(broker.state().troubles[0]?.code, 'BROKER_UNFIT')
    await broker.close()
  }
})

test('nonsense ends a line at once, and its words stand in the fault', async (t) => {
  const garbage = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0xaa]
  const odd = await startOdd(t, '5', {
    publish: (line) => line.send(...garbage),
  })
  const broker = open(t, odd.url)
  await broker.ready()
  await assert.rejects(broker.publish('a', 'b'), { code: 'BROKER_LOST' })
  await eventually('it comes back', () => odd.lines() > 1 && broker.connected())
  const [said] = broker.notes.filter(({ event }) => event === 'disconnected')
  assert.match(said !== undefined && 'why' in said ? said.why : '', /not MQTT/)
  const web = await startOdd(t, '5', {
    connect: (line) => line.send(...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
  })
  const wrong =
    /no MQTT broker answers .*: it answers what is not MQTT .* instead of a CONNACK: TLS/
  await assert.rejects(open(t, web.url).ready(300), { message: wrong })
})

test('what is not acknowledged in time ends the line, and what waits for a slow one does not', async (t) => {
  let late = true
  const odd = await startOdd(t, '3.1.1', {
    publish(line, one) {
      // Every answer takes its time; the one to `lost` never comes on the first line.
      if (one.topic === 'lost' && line.number === 1) return
      setTimeout(() => acknowledge(line, one), late ? 60 : 0)
    },
  })
  const broker = open(t, odd.url, { version: '3.1.1', limits: { ackMs: 400 } })
  for (let i = 0; i < 12; i += 1) assert.equal(await broker.insist('slow', `${i}`), 'taken')
  assert.equal(odd.lines(), 1)
  late = false
  assert.equal(await broker.insist('lost', 'x'), 'taken')
  assert.equal(odd.lines(), 2)
})

test('a filter without an answer ends the line too: it would hear nothing for ever', async (t) => {
  const odd = await startOdd(t, '3.1.1', {
    subscribe(line, id) {
      if (line.number > 1) line.send(0x90, 3, id >> 8, id & 255, 1)
    },
  })
  const broker = open(t, odd.url, { version: '3.1.1', limits: { ackMs: 100 } })
  await broker.subscribe('a', () => {})
  await broker.ready()
  await eventually('it is subscribed', () => odd.lines() === 2 && broker.connected())
})

test('answers that come twice, in another order, or to nothing change nothing', async (t) => {
  const held: { id: number }[] = []
  const odd = await startOdd(t, '3.1.1', {
    publish(line, one) {
      held.push(one)
      if (held.length < 8) return
      for (const each of held.splice(0).reverse()) {
        for (let twice = 0; twice < 2; twice += 1) acknowledge(line, each)
        acknowledge(line, { id: 60_000 })
      }
    },
  })
  const broker = open(t, odd.url, { version: '3.1.1' })
  await broker.ready()
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 8 }, (_, i) => broker.publish('a', `${i}`)))
  }
  assert.equal(odd.lines(), 1)
  assert.equal(odd.published.length, 24)
})

test('waits grow while a broker hangs up at once, and are short again after a line that stood', async (t) => {
  const odd = await startOdd(t, '3.1.1', {
    connect(line) {
      // Three that never come, one that stands for a moment, and so on.
      if (line.number % 4 === 0) line.send(0x20, 2, 0, 0)
      setTimeout(line.hangUp, 20)
    },
  })
  const limits = { retryFirstMs: 10, retryMaxMs: 80, stableMs: 0 }
  const { notes } = open(t, odd.url, { version: '3.1.1', limits, random: () => 0.999 })
  const waits = () => notes.flatMap((note) => (note.event === 'disconnected' ? [note.retryMs] : []))
  await eventually('it comes and goes', () => waits().length >= 8)
  assert.deepEqual(waits().slice(0, 8), [9, 19, 39, 9, 19, 39, 79, 9])
})
