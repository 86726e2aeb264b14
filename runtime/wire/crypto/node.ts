/**
 * The primitives under the wire, on Node: OpenSSL for hashes and AES, libauth's WebAssembly for secp256k1.
 * `web.ts` is the same list for browsers; a test holds the two to equal answers.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hash,
  randomFillSync,
} from 'node:crypto'
// The one file of it: its index instantiates four more WebAssemblies, 16 MiB and 0.1 s that nobody uses.
import { instantiateSecp256k1 } from '@bitauth/libauth/build/lib/crypto/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Address } from '../address.ts'
import { concat, hex, utf8 } from '../bytes.ts'

const secp256k1 = await instantiateSecp256k1()

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return bytes(hash('sha256', only, 'buffer'))
  const short = joinShort(parts)
  if (short !== undefined) return bytes(hash('sha256', short, 'buffer'))
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part)
  return bytes(sum.digest())
}

export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  return keccak_256(parts.length === 1 && only !== undefined ? only : concat(...parts))
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return bytes(createHmac('sha256', keyed(key)).update(data).digest())
}

/** HKDF-Expand with SHA-256 (RFC 5869 §2.3), for up to 255 blocks of 32 bytes. */
export function hkdfExpand(prk: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
  const about = typeof info === 'string' ? utf8(info) : info
  const out = new Uint8Array(length)
  let block = new Uint8Array(0)
  for (let at = 0, i = 1; at < length; at += 32, i += 1) {
    block = hmacSha256(prk, concat(block, about, Uint8Array.of(i))) as Uint8Array<ArrayBuffer>
    out.set(block.subarray(0, length - at), at)
  }
  return out
}

/** The first `length` bytes of the AES-256-CTR keystream, counter from 0. */
export function ctrKeystream(key: Uint8Array, length: number): Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', keyed(key), new Uint8Array(16))
  return bytes(cipher.update(new Uint8Array(length)))
}

/** AES-256-GCM: ciphertext with its 16-byte tag behind. */
export function gcmSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', keyed(key), nonce).setAAD(aad)
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
}

/** The plaintext, or undefined when key, nonce, AAD or a single bit is not what was sealed. */
export function gcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < 16 || nonce.length !== 12) return undefined
  const decipher = createDecipheriv('aes-256-gcm', keyed(key), nonce).setAAD(aad)
  decipher.setAuthTag(sealed.subarray(-16))
  const plain = decipher.update(sealed.subarray(0, -16))
  try {
    return concat(plain, decipher.final())
  } catch {
    return undefined
  }
}

/** An ECDSA secp256k1 signature of a 32-byte digest: r‖s‖v, low s, v 27 or 28 (as ecrecover takes it). */
export function sign(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const made = secp256k1.signMessageHashRecoverableCompact(secret, digest)
  if (typeof made === 'string') throw new RangeError('not a secp256k1 secret key')
  return concat(made.signature, Uint8Array.of(27 + made.recoveryId))
}

/** Who signed: the address that ecrecover would give, or undefined for what it or we refuse (high s). */
export function recover(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  const compact = signature.subarray(0, 64)
  const recovery = v === 27 ? 0 : 1
  if (!lowS(compact)) return undefined
  const key = secp256k1.recoverPublicKeyUncompressed(compact, recovery, digest)
  return typeof key === 'string' ? undefined : addressOfKey(key)
}

/** The address of a secret key: the last 20 bytes of keccak-256 of its public point. */
export function addressOf(secret: Uint8Array): Address {
  const key = secp256k1.derivePublicKeyUncompressed(secret)
  if (typeof key === 'string') throw new RangeError('not a secp256k1 secret key')
  return addressOfKey(key)
}

export function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}

function addressOfKey(uncompressed: Uint8Array): Address {
  return hex(keccak_256(uncompressed.subarray(1)).subarray(12))
}

/** True when s ≤ n/2, so that a signature has one spelling (EIP-2). */
function lowS(compact: Uint8Array): boolean {
  for (let i = 0; i < 32; i += 1) {
    const byte = compact[32 + i] ?? 0
    const bound = halfOrder[i] ?? 0
    if (byte !== bound) return byte < bound
  }
  return true
}

const halfOrder = Buffer.from(
  '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0',
  'hex',
)

/**
 * The parts in one buffer that the next call overwrites, or undefined when they are long. A leaf or a node
 * of a tree is three short parts, and one call to `hash` costs half of what a hash object does.
 */
function joinShort(parts: readonly Uint8Array[]): Uint8Array | undefined {
  let size = 0
  for (const part of parts) size += part.length
  if (size > scratch.length) return undefined
  let at = 0
  for (const part of parts) {
    scratch.set(part, at)
    at += part.length
  }
  return scratch.subarray(0, at)
}

const scratch = new Uint8Array(1024)

/** Node takes a key object three times as fast as the bytes of a key: it need not find out what they are. */
const keyed = createSecretKey

/** A plain Uint8Array over the same memory, so that nothing of Buffer's leaks into the wire. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
