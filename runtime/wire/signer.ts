/**
 * The keys of buyers and operators, behind one asynchronous door: a key in memory today, a key
 * store or a security module later. The device's own key never leaves its room and is no Signer.
 */
import { addressOf, sign } from '#crypto'
import type { Address } from './address.ts'

export type Signer = {
  readonly address: Address
  /** Signs a 32-byte digest: r‖s‖v, 65 bytes, low s, v 27 or 28. */
  sign(digest: Uint8Array): Promise<Uint8Array>
}

/** A signer over a secret key in memory (32 bytes). Throws a RangeError when it is none. */
export function localSigner(secret: Uint8Array): Signer {
  const own = Uint8Array.from(secret)
  return { address: addressOf(own), sign: async (digest) => sign(digest, own) }
}
