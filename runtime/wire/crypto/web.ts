/**
 * The primitives under the wire, in a browser: noble's plain JavaScript, so that the calls stay
 * synchronous and one code path verifies in both places. Same list, same answers as `node.ts`.
 */
import { ctr, gcm } from '@noble/ciphers/aes.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expand } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as noble } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Address } from '../address.ts'
import { concat, hex, utf8 } from '../bytes.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return noble(concat(...parts))
}

export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  return keccak_256(concat(...parts))
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(noble, key, data)
}

export function hkdfExpand(prk: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
  return expand(noble, prk, typeof info === 'string' ? utf8(info) : info, length)
}

export function ctrKeystream(key: Uint8Array, length: number): Uint8Array {
  return ctr(key, new Uint8Array(16)).encrypt(new Uint8Array(length))
}

export function gcmSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  return gcm(key, nonce, aad).encrypt(plain)
}

export function gcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < 16 || nonce.length !== 12) return undefined
  try {
    return gcm(key, nonce, aad).decrypt(sealed)
  } catch {
    return undefined
  }
}

export function sign(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const made = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
  return concat(made.subarray(1), Uint8Array.of(27 + (made[0] ?? 0)))
}

export function recover(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(
      concat(Uint8Array.of(v - 27), signature.subarray(0, 64)),
      'recovered',
    )
    if (parsed.hasHighS()) return undefined
    return addressOfKey(parsed.recoverPublicKey(digest).toBytes(false))
  } catch {
    return undefined
  }
}

export function addressOf(secret: Uint8Array): Address {
  return addressOfKey(secp256k1.getPublicKey(secret, false))
}

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}

function addressOfKey(uncompressed: Uint8Array): Address {
  return hex(keccak_256(uncompressed.subarray(1)).subarray(12))
}
