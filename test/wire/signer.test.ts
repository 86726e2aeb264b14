import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey, Wallet } from 'ethers'
import { recover } from '#crypto'
import { hex } from '../../runtime/wire/bytes.ts'
import { localSigner } from '../../runtime/wire/signer.ts'

const secret = new Uint8Array(32).fill(0x11)
const digest = new Uint8Array(32).fill(7)

test('a local signer has the address and gives the signature that any wallet would', async () => {
  const signer = localSigner(secret)
  assert.equal(signer.address, new Wallet(hex(secret)).address.toLowerCase())
  const signature = await signer.sign(digest)
  assert.equal(hex(signature), new SigningKey(hex(secret)).sign(hex(digest)).serialized)
  assert.equal(recover(digest, signature), signer.address)
})

test('a signer keeps its own copy of the secret', async () => {
  const lent = Uint8Array.from(secret)
  const signer = localSigner(lent)
  lent.fill(0)
  assert.equal(recover(digest, await signer.sign(digest)), signer.address)
})

test('what is no secret key is refused at once', () => {
  assert.throws(() => localSigner(new Uint8Array(32)), RangeError)
  assert.throws(() => localSigner(new Uint8Array(31)), RangeError)
})
