/** The Node file and the web file of #crypto are one list with one set of answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as node from '../../runtime/wire/crypto/node.ts'
import * as web from '../../runtime/wire/crypto/web.ts'
import { secretOf } from './sample.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const some = fc.uint8Array({ maxLength: 300 })
const plain = (value: Uint8Array | undefined) => value && Array.from(value)

test('both sides export the same names', () => {
  assert.deepEqual(Object.keys(node).sort(), Object.keys(web).sort())
})

test('hashes, key derivation and keystream agree', () => {
  fc.assert(
    fc.property(bytes(32), some, some, fc.integer({ min: 1, max: 200 }), (key, a, b, length) => {
      assert.deepEqual(plain(node.sha256(a, b)), plain(web.sha256(a, b)))
      assert.deepEqual(plain(node.sha256(a)), plain(web.sha256(a)))
      assert.deepEqual(plain(node.keccak256(a, b)), plain(web.keccak256(a, b)))
      assert.deepEqual(plain(node.hmacSha256(key, a)), plain(web.hmacSha256(key, a)))
      assert.deepEqual(
        plain(node.hkdfExpand(key, a, length)),
        plain(web.hkdfExpand(key, a, length)),
      )
      assert.deepEqual(plain(node.ctrKeystream(key, length)), plain(web.ctrKeystream(key, length)))
    }),
    { numRuns: 30 },
  )
})

test('what one side seals the other opens, and neither opens it bent', () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), some, some, (key, nonce, text, aad) => {
      const sealed = node.gcmSeal(key, nonce, text, aad)
      assert.deepEqual(plain(sealed), plain(web.gcmSeal(key, nonce, text, aad)))
      assert.deepEqual(plain(web.gcmOpen(key, nonce, sealed, aad)), plain(text))
      sealed[0] = (sealed[0] ?? 0) ^ 1
      assert.equal(node.gcmOpen(key, nonce, sealed, aad), undefined)
      assert.equal(web.gcmOpen(key, nonce, sealed, aad), undefined)
    }),
    { numRuns: 30 },
  )
})

test('signatures are the same bytes (RFC 6979), and both sides name the signer', () => {
  for (let i = 0; i < 8; i += 1) {
    const secret = secretOf(i)
    const digest = secretOf(`digest ${i}`)
    const signature = node.sign(digest, secret)
    assert.deepEqual(plain(signature), plain(web.sign(digest, secret)))
    assert.equal(node.addressOf(secret), web.addressOf(secret))
    assert.equal(node.recover(digest, signature), node.addressOf(secret))
    assert.equal(web.recover(digest, signature), node.addressOf(secret))
  }
})

test('a signature has one spelling: high s, another v and other sizes are refused alike', () => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const digest = secretOf('digest')
  const good = node.sign(digest, secretOf(1))
  const s = BigInt(`0x${Buffer.from(good.subarray(32, 64)).toString('hex')}`)
  const high = good.slice()
  high.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), 32)
  high[64] = good[64] === 27 ? 28 : 27
  const wrongV = good.slice()
  wrongV[64] = 29
  for (const bent of [high, wrongV, good.subarray(0, 64), new Uint8Array(65)]) {
    assert.equal(node.recover(digest, bent), undefined)
    assert.equal(web.recover(digest, bent), undefined)
  }
})
