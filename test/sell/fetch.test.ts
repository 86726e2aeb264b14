/** Fetches: one request, a run of chunks. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, chunkMax } from '../../runtime/wire/answer.ts'
import { equal } from '../../runtime/wire/bytes.ts'
import type { Request } from '../../runtime/wire/request.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { air, type Buyer, buyer, openSale, pay } from './buyer.ts'
import { dayMs, device, operator, startMs, type World, world } from './world.ts'

type Chunk = Extract<Answer, { readonly kind: 'chunk' }>
type Options = Parameters<typeof world>[1]

test('one request brings a thousand epochs, as they were published, in order and once each', async (t) => {
  const { at, one } = await open(t)
  const sealed = at.seal(1_000)
  const { chunks, end } = await fetch(at, one, { from: 1, to: 2_000 })
  assert.deepEqual(
    chunks.map(({ part }) => part),
    chunks.map((_, i) => i),
  )
  assert.ok(chunks.every(({ messages }) => messages.length <= chunkMax))
  const got = chunks.flatMap(({ messages }) => messages)
  assert.equal(got.length, 1_000)
  assert.ok(got.every((message, i) => equal(message, sealed[i] as Uint8Array)))
  assert.deepEqual(
    [end?.kind, chunks.at(-1)?.last, chunks.at(-1)?.cursor],
    ['chunk', true, undefined],
  )
})

test('a run ends at its limit of bytes, and goes on from its cursor', async (t) => {
  const limits = { chunkBytesMax: 2_000, runBytesMax: 6_000 }
  const { at, one } = await open(t, { limits })
  const sealed = at.seal(30)
  const got: Uint8Array[] = []
  let runs = 0
  for (let cursor: number | undefined = 1; cursor !== undefined; runs += 1) {
    const { chunks } = await fetch(at, one, { from: 1, to: 30, cursor })
    const last = chunks.at(-1)
    assert.ok(last?.last)
    got.push(...chunks.flatMap(({ messages }) => messages))
    cursor = last.cursor
  }
  assert.ok(runs > 2)
  assert.ok(got.every((message, i) => equal(message, sealed[i] as Uint8Array)))
  assert.equal(got.length, 30)
})

test('a run past the allowance ends in a refusal, with all that the allowance had room for', async (t) => {
  const freeBytes = 5_000
  const { at, one } = await open(t, { limits: { chunkBytesMax: 2_000, fetchFreeBytes: freeBytes } })
  const [message] = at.seal(12)
  const room = Math.floor(freeBytes / (message?.length ?? 1))
  const { chunks, end } = await fetch(at, one, { from: 1, to: 12 })
  assert.ok(end?.kind === 'refusal' && end.refusal.code === 'fetch-allowance')
  assert.equal(chunks.flatMap(({ messages }) => messages).length, room)

  await one.request({ kind: 'promise', payment: await pay(120n, 1n), buy: [air(1, 12)] })
  const more = await fetch(at, one, { from: 1, to: 12 })
  assert.equal(more.end?.kind, 'chunk', 'what is paid for may be fetched')
})

test('the allowance is on the disk before the bytes go, and a replay costs none of it', async (t) => {
  const { at, one } = await open(t)
  at.seal(4)
  const request = { kind: 'fetch', stream: 'air', from: 1, to: 4 } as const
  const replay = one.seal(request)
  const fetched = () => at.tables.sales().channels[0]?.bytesFetched ?? 0
  at.ask(replay)
  await at.rest()
  const once = fetched()
  assert.ok(once > 0)
  for (let i = 0; i < 5; i += 1) at.ask(replay)
  await at.rest()
  assert.equal(fetched(), once)
  at.crashAt('before')
  const sent = at.sent.length
  one.send(request)
  await at.rest()
  assert.equal(at.sent.length, sent, 'nothing goes out that is not on the books')
  await at.restart()
  at.ask(replay)
  await at.rest()
  assert.equal(fetched(), once)
})

test('runs of several sessions share the counter, and a promise goes between two parts', async (t) => {
  const { at, one, gate } = await paced(t)
  const owner = await buyer(at, { own: true, signer: operator })
  await owner.order()
  at.seal(40)
  const before = at.sent.length
  gate.close()
  one.send({ kind: 'fetch', stream: 'air', from: 1, to: 40 })
  owner.send({ kind: 'fetch', stream: 'air', from: 1, to: 40 })
  for (let i = 0; i < 8; i += 1) await gate.step(at)
  const buy = [air(1, 1)]
  const state = await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy })
  assert.ok(state?.kind === 'state' && state.state.delivered === 10n)
  const turns = at.sent.slice(before).map(({ topic }) => topic)
  for (const { name } of [one, owner]) {
    const own = turns.filter((topic) => topic === topics(device).answer(name()))
    assert.ok(own.length >= 8, `${own.length} of ${turns.length} turns`)
  }
  gate.open()
})

test('the next part waits until the broker has the one before; one that is lost ends the run', async (t) => {
  const { at, one, gate } = await paced(t)
  at.seal(20)
  gate.close()
  const before = at.sent.length
  one.send({ kind: 'fetch', stream: 'air', from: 1, to: 20 })
  await gate.step(at)
  assert.equal(at.sent.length, before + 2)
  await gate.step(at, new Error('the link is down'))
  assert.equal(at.sent.length, before + 2)
  gate.open()
  assert.ok((await fetch(at, one, { from: 1, to: 20 })).end)
})

test('a newer fetch takes the place of a run; the end of the session and of its order stop it', async (t) => {
  for (const stop of ['newer', 'end', 'lapse'] as const) {
    const { at, one, gate } = await paced(t)
    at.seal(20)
    gate.close()
    one.send({ kind: 'fetch', stream: 'air', from: 1, to: 20 })
    await gate.step(at)
    const to = one.answers().at(-1)?.to
    const parts = () => one.answers().filter((answer) => answer.to === to).length
    const sent = parts()
    if (stop === 'newer') one.send({ kind: 'fetch', stream: 'air', from: 19, to: 20 })
    if (stop === 'end') one.send({ kind: 'end' })
    if (stop === 'lapse') at.pass(11 * dayMs)
    await at.rest()
    gate.open()
    await at.rest()
    assert.equal(parts(), sent, stop)
  }
})

test('numbers that are not sealed yet are no reason to wait', async (t) => {
  const { at, one } = await open(t)
  const { chunks } = await fetch(at, one, { from: 1, to: 9 })
  assert.deepEqual(chunks, [
    { kind: 'chunk', to: chunks[0]?.to, part: 0, messages: [], last: true },
  ])
})

test('a channel without a grant fetches nothing', async (t) => {
  const at = await world(t)
  await at.ack(startMs)
  at.seal(1)
  const guest = await buyer(at)
  await guest.order()
  const { end } = await fetch(at, guest, { from: 1, to: 1 })
  assert.ok(end?.kind === 'refusal' && end.refusal.code === 'grant-missing')
})

/** As `open`, with a broker that takes the answers when the test lets it. */
async function paced(t: TestContext) {
  let closed = false
  let waiting: PromiseWithResolvers<void>[] = []
  const taken = async () => {
    if (!closed) return
    const held = Promise.withResolvers<void>()
    waiting.push(held)
    await held.promise
  }
  const release = (why?: Error) => {
    for (const held of waiting) why === undefined ? held.resolve() : held.reject(why)
    waiting = []
  }
  const gate = {
    close() {
      closed = true
    },
    /** Waits until something is held, and lets it go. */
    async step(at: World, why?: Error) {
      await at.until(() => waiting.length > 0)
      release(why)
      await at.rest()
    },
    open() {
      closed = false
      release()
    },
  }
  return { ...(await open(t, { limits: { chunkBytesMax: 1_500 }, taken })), gate }
}

async function open(t: TestContext, options: Options = {}) {
  const limits = { requestsPerS: 1e6, ...options.limits }
  return openSale(t, { ...options, limits, cap: 100_000n })
}

/** Asks, and waits for the answer that ends the run. */
async function fetch(at: World, one: Buyer, range: Range) {
  const before = one.answers().length
  one.send({ kind: 'fetch', stream: 'air', ...range } satisfies Request)
  const answers = () => one.answers().slice(before)
  const isEnd = (answer: Answer) =>
    answer.kind === 'refusal' || (answer.kind === 'chunk' && answer.last)
  const ends = () => answers().findLast(isEnd)
  await at.until(() => ends() !== undefined)
  const end = ends()
  const chunks = answers().filter(
    (answer): answer is Chunk => answer.kind === 'chunk' && answer.to === end?.to,
  )
  return { chunks, end }
}

type Range = { readonly from: number; readonly to: number; readonly cursor?: number }
