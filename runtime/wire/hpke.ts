/**
 * HPKE (RFC 9180) in the one suite that we use: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM. With a sender key it is auth mode, without one base mode. Keys are raw, 32 bytes.
 */
import {
  Aes256Gcm,
  CipherSuite,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  type RecipientContext,
  type SenderContext,
} from '@hpke/core'
import { utf8 } from './bytes.ts'
import { Malformed } from './malformed.ts'

export type HpkeKey = { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array }

/** Bytes of the encapsulated key that goes before the ciphertext. */
export const encBytes = 32

/** A fresh X25519 pair. */
export async function generateHpkeKey(): Promise<HpkeKey> {
  const pair = await suite.kem.generateKeyPair()
  const [publicKey, privateKey] = await Promise.all([
    suite.kem.serializePublicKey(pair.publicKey),
    suite.kem.serializePrivateKey(pair.privateKey),
  ])
  return { publicKey: new Uint8Array(publicKey), privateKey: new Uint8Array(privateKey) }
}

/** The sender's context. Throws Malformed when the recipient's key is none. */
export async function sendTo(
  recipient: Uint8Array,
  info: string,
  sender?: HpkeKey,
): Promise<SenderContext> {
  const senderKey = sender === undefined ? {} : { senderKey: await importPair(sender) }
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(recipient)
    return await suite.createSenderContext({ recipientPublicKey, info: utf8(info), ...senderKey })
  } catch (cause) {
    throw new Malformed('hpke: not a public key to seal to', cause)
  }
}

/** The recipient's context. Throws Malformed when `enc` or the sender's key is no key. */
export async function receiveFrom(
  enc: Uint8Array,
  info: string,
  recipient: HpkeKey,
  sender?: Uint8Array,
): Promise<RecipientContext> {
  const recipientKey = await importPair(recipient)
  try {
    const senderPublicKey =
      sender === undefined ? {} : { senderPublicKey: await suite.kem.deserializePublicKey(sender) }
    return await suite.createRecipientContext({
      recipientKey,
      enc,
      info: utf8(info),
      ...senderPublicKey,
    })
  } catch (cause) {
    throw new Malformed('hpke: not an encapsulated key', cause)
  }
}

async function importPair({ publicKey, privateKey }: HpkeKey): Promise<CryptoKeyPair> {
  return {
    publicKey: await suite.kem.deserializePublicKey(publicKey),
    privateKey: await suite.kem.deserializePrivateKey(privateKey),
  }
}

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})
