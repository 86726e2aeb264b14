/** The lookout of a device whose broker is not there: the question stays open, and the end is not held up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf } from '#crypto'
import { lookout } from '../../runtime/stream/lookout.ts'

const device = addressOf(new Uint8Array(32).fill(7))

function without(connected: () => boolean) {
  const calls: string[] = []
  const called = (name: string) => async () => void calls.push(name)
  const out = lookout({
    device,
    signingKey: device,
    folder: '/nowhere',
    line: { subscribe: called('subscribe'), onConnect: (connect) => connect(), connected },
    store: {
      retained: async () => undefined,
      beginCheck: called('begin'),
      beginDoubt: called('doubt'),
      endCheck: called('end'),
      noteLost: called('lost'),
      lostBooks: async () => undefined,
    },
    cloned: assert.fail,
    restored: assert.fail,
    limits: { quietMs: 20 },
  })
  return { ...out, calls }
}

test('told to end while no line stands, it answers that nothing is known, and keeps the question open', async () => {
  const end = new AbortController()
  const { whole, calls, state } = without(() => false)
  const answer = whole(end.signal)
  setImmediate(() => end.abort())
  assert.equal(await answer, false)
  assert.equal(state(), 'asking')
  assert.deepEqual(calls, ['begin', 'subscribe'])
})

test('told to end while a line stands, it waits for the answer: silence, and the books are whole', async () => {
  const end = new AbortController()
  const { whole, calls, state } = without(() => true)
  const answer = whole(end.signal)
  setImmediate(() => end.abort())
  assert.equal(await answer, true)
  assert.equal(state(), 'whole')
  assert.deepEqual(calls, ['begin', 'subscribe', 'subscribe', 'end'])
})
