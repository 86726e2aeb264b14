import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { hex, text, unhex, utf8 } from '../../runtime/wire/bytes.ts'
import { generateHpkeKey, receiveFrom, sendTo } from '../../runtime/wire/hpke.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { publicOf, setupSender } from '../vectors/hpke/rfc9180.ts'

type Vector = {
  readonly mode: number
  readonly aead_id: number
  readonly info: string
  readonly skEm: string
  readonly skRm: string
  readonly pkRm: string
  readonly skSm?: string
  readonly pkSm?: string
  readonly enc: string
  readonly shared_secret: string
  readonly key: string
  readonly base_nonce: string
  readonly encryptions: readonly { aad: string; pt: string; ct: string }[]
  readonly exports: readonly { exporter_context: string; L: number; exported_value: string }[]
}

const base: readonly Vector[] = read('hpke-rfc9180.json')
const auth: Vector = read('hpke-rfc9180-auth.json')
const ours = base.find((vector) => vector.aead_id === 2) as Vector

test('our suite opens the base mode vector of RFC 9180', async () => {
  const recipient = { privateKey: unhex(ours.skRm), publicKey: unhex(ours.pkRm) }
  const context = await receiveFrom(unhex(ours.enc), text(unhex(ours.info)), recipient)
  for (const { aad, pt, ct } of ours.encryptions) {
    assert.equal(hex(new Uint8Array(await context.open(unhex(ct), unhex(aad)))), `0x${pt}`)
  }
  for (const { exporter_context, L, exported_value } of ours.exports) {
    const value = await context.export(unhex(exporter_context), L)
    assert.equal(hex(new Uint8Array(value)), `0x${exported_value}`)
  }
})

test('the library opens and seals the auth mode vector of RFC 9180', async () => {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes128Gcm(),
  })
  const pair = async (secret: string) => ({
    privateKey: await suite.kem.deserializePrivateKey(unhex(secret)),
    publicKey: await suite.kem.deserializePublicKey(publicOf(unhex(secret))),
  })
  const info = unhex(auth.info)
  const senderKey = await pair(auth.skSm as string)
  const recipientKey = await pair(auth.skRm)
  const sender = await suite.createSenderContext({
    info,
    senderKey,
    recipientPublicKey: recipientKey.publicKey,
    ekm: await pair(auth.skEm),
  })
  const recipient = await suite.createRecipientContext({
    info,
    recipientKey,
    senderPublicKey: senderKey.publicKey,
    enc: unhex(auth.enc),
  })
  for (const { aad, pt, ct } of auth.encryptions) {
    assert.equal(hex(new Uint8Array(await sender.seal(unhex(pt), unhex(aad)))), `0x${ct}`)
    assert.equal(hex(new Uint8Array(await recipient.open(unhex(ct), unhex(aad)))), `0x${pt}`)
  }
  for (const { exporter_context, L, exported_value } of auth.exports) {
    const value = await recipient.export(unhex(exporter_context), L)
    assert.equal(hex(new Uint8Array(value)), `0x${exported_value}`)
  }
})

for (const vector of [...base.filter(({ aead_id }) => aead_id < 3), auth]) {
  test(`the reference gives mode ${vector.mode}, aead ${vector.aead_id} of RFC 9180`, () => {
    const skS = vector.skSm === undefined ? {} : { skS: unhex(vector.skSm) }
    const context = setupSender({
      aeadId: vector.aead_id as 1 | 2,
      info: unhex(vector.info),
      skE: unhex(vector.skEm),
      pkR: unhex(vector.pkRm),
      ...skS,
    })
    assert.equal(hex(context.enc), `0x${vector.enc}`)
    assert.equal(hex(context.shared), `0x${vector.shared_secret}`)
    assert.equal(hex(context.key), `0x${vector.key}`)
    assert.equal(hex(context.baseNonce), `0x${vector.base_nonce}`)
    for (const [i, { aad, pt, ct }] of vector.encryptions.entries()) {
      // The file keeps the first six encryptions; only the first run of numbers is consecutive.
      if (i < 2) assert.equal(hex(context.seal(unhex(pt), unhex(aad), i)), `0x${ct}`)
    }
    for (const { exporter_context, L, exported_value } of vector.exports) {
      assert.equal(hex(context.export(unhex(exporter_context), L)), `0x${exported_value}`)
    }
  })
}

test('what the reference seals in auth mode, our suite opens, with the same exports', async () => {
  const [session, seller, ephemeral] = await Promise.all([1, 2, 3].map(generateHpkeKey))
  assert.ok(session && seller && ephemeral)
  const reference = setupSender({
    aeadId: 2,
    info: utf8('some info'),
    skE: ephemeral.privateKey,
    pkR: seller.publicKey,
    skS: session.privateKey,
  })
  const context = await receiveFrom(reference.enc, 'some info', seller, session.publicKey)
  const sealed = reference.seal(utf8('hello'), utf8('aad'))
  assert.equal(text(new Uint8Array(await context.open(sealed, utf8('aad')))), 'hello')
  const exported = new Uint8Array(await context.export(utf8('label'), 32))
  assert.deepEqual(exported, reference.export(utf8('label'), 32))
})

test('what is no key is Malformed, both ways', async () => {
  const key = await generateHpkeKey()
  await assert.rejects(sendTo(new Uint8Array(31), 'info'), Malformed)
  await assert.rejects(receiveFrom(new Uint8Array(5), 'info', key), Malformed)
})

test('a key with which everybody would get the same is refused, sender’s and ephemeral alike', async () => {
  const pair = await generateHpkeKey()
  for (const low of [0, 1]) {
    const key = new Uint8Array(32)
    key[0] = low
    await assert.rejects(receiveFrom(key, 'info', pair), Malformed)
    await assert.rejects(receiveFrom(pair.publicKey, 'info', pair, key), Malformed)
    await assert.rejects(sendTo(key, 'info'), Malformed)
  }
})

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/hpke/${file}`, import.meta.url), 'utf8'))
}
