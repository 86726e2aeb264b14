import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fault } from '../../runtime/faults.ts'
import { type OutboxNote, outbox } from '../../runtime/stream/outbox.ts'

/** An outbox's rows in memory, with the store's rules. */
function rows(count: number) {
  const left = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    topic: `t/${i + 1}`,
    payload: Uint8Array.of(i + 1),
    retain: false,
  }))
  return {
    left,
    outgoing: async (after: number, rowsMax: number) =>
      left.filter(({ id }) => id > after).slice(0, rowsMax),
    sent: async (ids: readonly number[]) => {
      for (const id of ids) {
        const at = left.findIndex((row) => row.id === id)
        if (at >= 0) left.splice(at, 1)
      }
    },
  }
}

/** A broker that takes what it is told to, when it is told to. */
function line() {
  const got: string[] = []
  const held: { topic: string; answer(error?: Error): void }[] = []
  let mode: 'takes' | 'holds' | 'down' = 'takes'
  return {
    got,
    held,
    set(next: typeof mode): void {
      mode = next
      if (mode === 'down') for (const { answer } of held.splice(0)) answer(new Error('down'))
    },
    publish(topic: string): Promise<void> {
      if (mode === 'down') return Promise.reject(new Error('down'))
      got.push(topic)
      if (mode === 'takes') return Promise.resolve()
      return new Promise((resolve, reject) => {
        held.push({ topic, answer: (error) => (error === undefined ? resolve() : reject(error)) })
      })
    },
  }
}

async function running(
  store: ReturnType<typeof rows>,
  to: ReturnType<typeof line>,
  work: (out: ReturnType<typeof outbox>, notes: OutboxNote[]) => Promise<void>,
  window = 4,
): Promise<void> {
  const notes: OutboxNote[] = []
  const out = outbox({
    store,
    publish: to.publish,
    window,
    note: (note) => notes.push(note),
    random: () => 0.05,
  })
  const stop = new AbortController()
  const done = out.start(stop.signal)
  await work(out, notes)
  stop.abort()
  await done
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `t/${from + i}`)

test('everything is sent once, in order, and leaves', async () => {
  const store = rows(25)
  const to = line()
  await running(store, to, async (out) => {
    assert.equal(await out.drained(60_000), true)
    assert.deepEqual(to.got, names(1, 25))
    assert.deepEqual(store.left, [])
  })
})

test('a row stays until its PUBACK, and no more than the window is on its way', async () => {
  const store = rows(10)
  const to = line()
  to.set('holds')
  await running(store, to, async (out) => {
    await until(() => to.got.length >= 4)
    assert.equal(store.left.length, 10)
    // A moment in which a fifth one could leave.
    assert.equal(await out.drained(20), false)
    assert.deepEqual(to.got, names(1, 4))
    to.held.splice(0, 1)[0]?.answer()
    await until(() => to.got.length >= 5 && store.left.length < 10)
    assert.equal(await out.drained(20), false)
    assert.deepEqual(to.got, names(1, 5))
    assert.equal(store.left.length, 9)
    assert.equal(store.left[0]?.id, 2)
    for (const { answer } of to.held.splice(0)) answer()
  })
})

test('when the line falls, what had no PUBACK is sent again, oldest first', async () => {
  const store = rows(10)
  const to = line()
  to.set('holds')
  await running(store, to, async (out, notes) => {
    await until(() => to.held.length > 0)
    to.held.splice(0, 1)[0]?.answer()
    await until(() => store.left.length < 10)
    to.set('down')
    await until(() => notes.some(({ event }) => event === 'unsent'))
    assert.equal(store.left[0]?.id, 2, 'the one with a PUBACK has left')
    to.got.length = 0
    to.set('takes')
    out.look()
    assert.equal(await out.drained(60_000), true)
    assert.deepEqual(to.got, names(2, 10))
    assert.ok(notes.some(({ event }) => event === 'unsent'))
  })
})

test('a long time without a broker costs tries, not rows', async () => {
  const store = rows(3)
  const to = line()
  to.set('down')
  await running(store, to, async (out) => {
    await sleep(200)
    assert.equal(store.left.length, 3)
    to.set('takes')
    out.look()
    assert.equal(await out.drained(60_000), true)
  })
})

test('waits grow while nothing gets there, and are short again after the first that does', async (t) => {
  const real = globalThis.setTimeout
  const waits: number[] = []
  t.mock.method(globalThis, 'setTimeout', (done: () => void, ms = 0) => {
    waits.push(ms)
    return real(done, 0)
  })
  const store = rows(3)
  const stop = new AbortController()
  // A window of one, and a line that takes a message at every fifth try.
  let tries = 0
  const out = outbox({
    store,
    window: 1,
    random: () => 0.999,
    async publish() {
      tries += 1
      if (tries % 5 > 0) throw new Error('the line fell')
    },
  })
  const done = out.start(stop.signal)
  await out.drained(60_000)
  stop.abort()
  await done
  assert.deepEqual(store.left, [])
  const tried = waits.filter((ms) => ms < 30_000)
  const once = [499, 999, 1998, 3996]
  assert.deepEqual(tried, [...once, ...once, ...once])
})

test('one topic that the broker refuses does not stop the others', async () => {
  const store = rows(12)
  const to = line()
  const refusing = {
    ...to,
    publish: (topic: string) =>
      topic === 't/1' ? Promise.reject(new Error('refused')) : to.publish(topic),
  }
  await running(store, refusing, async () => {
    await until(() => store.left.length === 1)
    assert.deepEqual(
      store.left.map(({ id }) => id),
      [1],
    )
  })
})

test('asked whether all is sent, and given no time, it answers at once', async () => {
  const store = rows(3)
  const to = line()
  to.set('down')
  await running(store, to, async (out) => {
    await sleep(30)
    assert.equal(await out.drained(0), false)
    to.set('takes')
    assert.equal(await out.drained(60_000), true)
    assert.equal(await out.drained(0), true)
  })
})

test('what is new is sent when somebody says look', async () => {
  const store = rows(1)
  const to = line()
  await running(store, to, async (out) => {
    await out.drained(1_000)
    store.left.push({ id: 2, topic: 't/2', payload: Uint8Array.of(2), retain: true })
    out.look()
    assert.equal(await out.drained(1_000), true)
    assert.deepEqual(to.got, names(1, 2))
  })
})

test('a store that fails ends the outbox with its fault', async () => {
  const out = outbox({
    store: { outgoing: () => Promise.reject(new Error('disk')), sent: async () => {} },
    publish: async () => {},
  })
  await assert.rejects(out.start(new AbortController().signal), { message: 'disk' })
})

test('what the broker refuses is offered again now and then, and holds up nothing else', async () => {
  const store = rows(25)
  const got: string[] = []
  let forbidden = true
  const out = outbox({
    store,
    refusedMs: 100,
    async publish(topic) {
      got.push(topic)
      const facts = { url: 'mqtt://b', topic, why: 'not authorized', hint: 'mend the list' }
      if (forbidden && topic === 't/2') throw fault('BROKER_REFUSED', facts)
    },
  })
  const stop = new AbortController()
  const done = out.start(stop.signal)
  assert.equal(await out.drained(5_000), true, 'an end does not wait for it')
  assert.deepEqual(
    store.left.map(({ topic }) => topic),
    ['t/2'],
  )
  const beganMs = performance.now()
  const tries = () => got.filter((topic) => topic === 't/2').length
  while (tries() < 4) await sleep(5)
  assert.ok(performance.now() - beganMs >= 200, 'not hammered')
  assert.equal(got.length, 24 + tries(), 'the others were sent once')
  forbidden = false
  while (store.left.length > 0) await sleep(5)
  stop.abort()
  await done
})

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'it never came to be')
    await sleep(5)
  }
}
