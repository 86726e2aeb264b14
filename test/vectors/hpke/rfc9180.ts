/**
 * RFC 9180 written out from its text over node:crypto: a second opinion on the library that the
 * product uses, and, because it takes the ephemeral key as an argument, what makes sealed vectors
 * repeatable. DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM or AES-256-GCM; base and auth
 * mode.
 */
import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto'
import { hkdfExpand } from '#crypto'
import { concat, utf8 } from '../../../runtime/wire/bytes.ts'

export type Setup = {
  readonly aeadId: 1 | 2
  readonly info: Uint8Array
  /** Private key of the ephemeral pair. */
  readonly skE: Uint8Array
  readonly pkR: Uint8Array
  /** Private key of the sender: auth mode; absent: base mode. */
  readonly skS?: Uint8Array
}

/** §4.1 Encap or AuthEncap, then §5.1 KeySchedule, as the sender does them. */
export function setupSender({ aeadId, info, skE, pkR, skS }: Setup) {
  const enc = publicOf(skE)
  const secrets = [dh(skE, pkR)]
  const context = [enc, pkR]
  if (skS !== undefined) {
    secrets.push(dh(skS, pkR))
    context.push(publicOf(skS))
  }
  const kem = concat(utf8('KEM'), Uint8Array.of(0, 32))
  const eae = labeledExtract(kem, empty, 'eae_prk', concat(...secrets))
  const shared = labeledExpand(kem, eae, 'shared_secret', concat(...context), 32)

  const suite = concat(utf8('HPKE'), Uint8Array.of(0, 32, 0, 1, 0, aeadId))
  const mode = skS === undefined ? 0 : 2
  const pskIdHash = labeledExtract(suite, empty, 'psk_id_hash', empty)
  const infoHash = labeledExtract(suite, empty, 'info_hash', info)
  const schedule = concat(Uint8Array.of(mode), pskIdHash, infoHash)
  const secret = labeledExtract(suite, shared, 'secret', empty)
  const key = labeledExpand(suite, secret, 'key', schedule, aeadId === 1 ? 16 : 32)
  const baseNonce = labeledExpand(suite, secret, 'base_nonce', schedule, 12)
  const exporter = labeledExpand(suite, secret, 'exp', schedule, 32)

  return {
    enc,
    shared,
    key,
    baseNonce,
    /** §5.2: sequence numbers below 256 are enough here. */
    seal(plain: Uint8Array, aad: Uint8Array, sequence = 0): Uint8Array {
      const nonce = Uint8Array.from(baseNonce)
      nonce[11] = (nonce[11] ?? 0) ^ sequence
      const name = aeadId === 1 ? 'aes-128-gcm' : 'aes-256-gcm'
      const cipher = createCipheriv(name, key, nonce).setAAD(aad)
      return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
    },
    /** §5.3 */
    export(label: Uint8Array, length: number): Uint8Array {
      return labeledExpand(suite, exporter, 'sec', label, length)
    },
  }
}

/** The X25519 public key of a raw private key. */
export function publicOf(secret: Uint8Array): Uint8Array {
  return publicBytes(privateKey(secret))
}

const empty = new Uint8Array(0)
const version = utf8('HPKE-v1')

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) {
  const key = salt.length === 0 ? new Uint8Array(32) : salt
  const data = concat(version, suite, utf8(label), ikm)
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
) {
  const size = Uint8Array.of(length >> 8, length & 255)
  return hkdfExpand(prk, concat(size, version, suite, utf8(label), info), length)
}

function dh(secret: Uint8Array, other: Uint8Array): Uint8Array {
  const x = Buffer.from(other).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
  return new Uint8Array(diffieHellman({ privateKey: privateKey(secret), publicKey }))
}

/** RFC 8410 §7: the fixed head of a PKCS #8 X25519 key, then the raw key. */
function privateKey(secret: Uint8Array) {
  const head = Buffer.from('302e020100300506032b656e04220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([head, secret]), format: 'der', type: 'pkcs8' })
}

function publicBytes(key: ReturnType<typeof privateKey>): Uint8Array {
  const { x } = createPublicKey(key as never).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x as string, 'base64url'))
}
