import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomBytes, sha256 } from '#crypto'
import { concat, hex, text, utf8 } from '../../runtime/wire/bytes.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import {
  generateSessionKey,
  type MessageKind,
  openMessage,
  openOrder,
  peekSession,
  type SessionKeys,
  sealMessage,
  sealOrder,
  sessionId,
  sessionName,
} from '../../runtime/wire/session.ts'
import { setupSender } from '../vectors/hpke/rfc9180.ts'

const session = await generateSessionKey()
const seller = await generateSessionKey()
const order = utf8('the bytes of an order')
const kinds = ['request', 'answer', 'keys'] as const
const keys: SessionKeys = {
  id: sessionId(session.publicKey),
  ask: new Uint8Array(32).fill(1),
  answer: new Uint8Array(32).fill(2),
  keys: new Uint8Array(32).fill(3),
}

test('the seller opens the order, learns who sealed it, and both hold the same keys', async () => {
  const { message, keys } = await sealOrder({ order, session, recipient: seller.publicKey })
  const opened = await openOrder(message, seller)
  assert.equal(text(opened.order), 'the bytes of an order')
  assert.deepEqual(opened.sessionKey, session.publicKey)
  assert.deepEqual(opened.keys, keys)
  assert.deepEqual(keys.id, sha256(session.publicKey).slice(0, 16))
  assert.equal(new Set([keys.ask, keys.answer, keys.keys].map(hex)).size, 3)
})

test('no other seller opens it, and no flipped bit goes unseen', async () => {
  const other = await generateSessionKey()
  const { message } = await sealOrder({ order, session, recipient: seller.publicKey })
  await assert.rejects(openOrder(message, other), Malformed)
  for (const at of [0, 1, 32, 33, 64, 65, message.length - 1]) {
    const flipped = Uint8Array.from(message)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    await assert.rejects(openOrder(flipped, seller), Malformed, `byte ${at}`)
  }
})

test('a device cannot pass an order on as if the session had sealed it', async () => {
  const other = await generateSessionKey()
  const passedOn = await sealOrder({ order, session: seller, recipient: other.publicKey })
  const claimed = concat(
    passedOn.message.slice(0, 1),
    session.publicKey,
    passedOn.message.slice(33),
  )
  await assert.rejects(openOrder(claimed, other), Malformed)
})

test('an order message is laid out as the specification says', async () => {
  const ephemeral = await generateSessionKey()
  const context = setupSender({
    aeadId: 2,
    info: utf8('wayside/1 order'),
    skE: ephemeral.privateKey,
    pkR: seller.publicKey,
    skS: session.privateKey,
  })
  const head = concat(Uint8Array.of(1), session.publicKey)
  const message = concat(head, context.enc, context.seal(order, head))
  const opened = await openOrder(message, seller)
  assert.deepEqual(opened.order, order)
  assert.deepEqual(opened.keys.ask, context.export(utf8('wayside/1 ask'), 32))
  assert.deepEqual(opened.keys.answer, context.export(utf8('wayside/1 answer'), 32))
  assert.deepEqual(opened.keys.keys, context.export(utf8('wayside/1 keys'), 32))
})

test('bytes that nobody sealed are Malformed as an order, and nothing as a message', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(4), fc.uint8Array({ maxLength: 200 }), async (code, bytes) => {
      const message = concat(Uint8Array.of(code), bytes)
      await assert.rejects(openOrder(message, seller), Malformed)
      for (const kind of kinds) assert.equal(openMessage(message, keys, kind), undefined)
      peekSession(message)
    }),
    { numRuns: 60 },
  )
})

test('a message opens with its counter, for its kind and session and no other', () => {
  const body = fc.uint8Array({ maxLength: 300 })
  const counter = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
  fc.assert(
    fc.property(fc.constantFrom(...kinds), counter, body, (kind, counter, plain) => {
      const message = sealMessage(kind, keys, counter, plain, randomBytes)
      assert.deepEqual(peekSession(message), { kind, session: sessionName(keys.id), counter })
      for (const other of kinds) {
        const opened = openMessage(message, keys, other)
        assert.deepEqual(opened, other === kind ? { counter, plain } : undefined)
      }
      const stranger = { ...keys, id: new Uint8Array(16) }
      assert.equal(openMessage(message, stranger, kind), undefined)
    }),
  )
})

test('no flipped bit of a message opens, wherever it is', () => {
  const message = sealMessage('request', keys, 7n, utf8('body'), randomBytes)
  for (let bit = 0; bit < message.length * 8; bit += 1) {
    const flipped = Uint8Array.from(message)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    for (const kind of kinds) assert.equal(openMessage(flipped, keys, kind), undefined)
  }
})

test('a request cannot be sent back as an answer', () => {
  const asked = sealMessage('request', keys, 7n, utf8('body'), randomBytes)
  const turned = concat(Uint8Array.of(3), asked.slice(1))
  assert.equal(openMessage(turned, keys, 'answer' satisfies MessageKind), undefined)
})

test('what is too long is not even looked into', () => {
  assert.equal(peekSession(concat(Uint8Array.of(1), new Uint8Array(16_384))), undefined)
  assert.equal(peekSession(concat(Uint8Array.of(2), new Uint8Array(1 << 20))), undefined)
  assert.equal(peekSession(new Uint8Array(0)), undefined)
})
