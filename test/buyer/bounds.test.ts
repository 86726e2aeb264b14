/** What a seller or a broker can choose to send without end, and what a buyer keeps of it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { openBooks } from '../../runtime/buyer/books.ts'
import { type Line, openSession } from '../../runtime/buyer/session.ts'
import { encodeAnswer } from '../../runtime/wire/answer.ts'
import { type Cover, encodeKeysBody } from '../../runtime/wire/keysbody.ts'
import { cover, streamRoot } from '../../runtime/wire/keytree.ts'
import { decodeRequest } from '../../runtime/wire/request.ts'
import { openMessage, sealMessage } from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { memoryBroker } from '../operator/line.ts'
import { device, secretOf } from '../wire/sample.ts'
import { openStreet } from './street.ts'

const keys = {
  id: secretOf('id').slice(0, 16),
  ask: secretOf('ask'),
  answer: secretOf('answer'),
  keys: secretOf('keys'),
}
const row = {
  ...({ seller: device, channel: '', terms: '', untilMs: 0, keys } as const),
  message: new Uint8Array(100),
}

test('a seller whose answer to a fetch never ends has not answered', async () => {
  const broker = memoryBroker()
  const at = topics(device)
  const name = Buffer.from(keys.id).toString('hex')
  let counter = 0n
  let sent = 0
  await broker.subscribe(at.ask, async (_, payload) => {
    const opened = openMessage(payload, keys, 'request')
    if (opened === undefined || decodeRequest(opened.plain).kind !== 'fetch') return
    for (let part = 0; part < 500; part += 1) {
      counter += 1n
      sent += 1
      const chunk = {
        to: opened.counter,
        kind: 'chunk',
        part,
        messages: [],
        cursor: 1,
        last: false,
      } as const
      const message = sealMessage('answer', keys, counter, encodeAnswer(chunk), randomBytes)
      await broker.publish(at.answer(name), message)
    }
  })
  let taken = 0
  const session = await openSession({
    ...{ line: broker, row, onKeys() {} },
    reserve: () => 64n,
    malformed: (why) => assert.fail(why),
    limits: { askMs: 60_000, askMaxMs: 60_000, partsMax: 100 },
  })
  const fetch = { kind: 'fetch', stream: 'air', from: 1, to: 9 } as const
  const take = () => {
    taken += 1
  }
  const end = await session.fetch(fetch, take, AbortSignal.timeout(60_000))
  assert.deepEqual([end, taken >= 100, sent <= 500], [{ kind: 'silence' }, true, true])
})

test('keys that the broker says again, or of an older version, are not taken twice', async () => {
  const broker = memoryBroker()
  const versions: bigint[] = []
  await openSession({
    ...{ line: broker, row, reserve: () => 64n },
    onKeys: ({ version }) => versions.push(version),
    malformed: (why) => assert.fail(why),
    limits: { askMs: 60_000, askMaxMs: 60_000, partsMax: 100 },
  })
  const topic = topics(device).keys(Buffer.from(keys.id).toString('hex'))
  for (const version of [2n, 2n, 1n, 3n]) {
    const body = encodeKeysBody({ version, covers: [] })
    await broker.publish(topic, sealMessage('keys', keys, version, body, randomBytes))
  }
  assert.deepEqual(versions, [2n, 3n])
})

test('of the runs of keys that a seller sends so many are kept, and a version that was not kept is not held', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const books = await openBooks(folder)
  t.after(() => books.close())
  const root = streamRoot(secretOf('generation 1'), 'air')
  const runs = (first: number, count: number): Cover[] => [
    {
      ...{ stream: 'air', generation: 1 },
      runs: Array.from({ length: count }, (_, i) => {
        const number = first + 2 * i
        return { from: number, to: number, nodes: cover(root, number, number) }
      }),
    },
  ]
  assert.equal(books.keys.add(device, runs(1, 60), 100), true)
  assert.equal(books.keys.add(device, runs(1, 60), 100), true)
  assert.equal(books.keys.add(device, runs(1_001, 60), 100), false)
  assert.ok(books.keys.leaf(device, 'air', 1, 1) !== undefined)
  assert.ok(books.keys.leaf(device, 'air', 1, 1_001 + 2 * 39) !== undefined)
  assert.equal(books.keys.leaf(device, 'air', 1, 1_001 + 2 * 40), undefined)
  // What was handed out makes room again.
  books.keys.drop(device, 'air', 1_000)
  assert.equal(books.keys.add(device, runs(1_001, 60), 100), true)
})

test('the topics of a session that is over are heard no more', async (t) => {
  const broker = memoryBroker()
  const heard = new Map<string, number>()
  const count = (filter: string, by: number) => heard.set(filter, (heard.get(filter) ?? 0) + by)
  const line: Line = {
    publish: broker.publish,
    subscribe(filter, handler) {
      if (filter.includes('/buyer/')) count(filter, 1)
      return broker.subscribe(filter, handler)
    },
    unsubscribe: (filter) => void count(filter, -1),
  }
  const street = await openStreet(t, { broker })
  // Half of an order's time is soon over: session follows session.
  const buyer = await street.buy({
    broker: line,
    limits: { discoverMs: 300, gapMs: 50, askMs: 400, retryMs: 60, orderMs: 1_500 },
  })
  for await (const _ of buyer.readings()) {
    if (heard.size >= 8) buyer.stop()
  }
  await buyer.close()
  assert.deepEqual([...new Set(heard.values())], [0])
})
