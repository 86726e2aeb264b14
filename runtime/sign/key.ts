import { join } from 'node:path'
import { x25519 } from '@noble/curves/ed25519.js'
import { addressOf, randomBytes, sign } from '#crypto'
import { openSecret } from '../disk/secret.ts'
import type { Address } from '../wire/address.ts'

/** What the device signs with, and what Orders to it are sealed to. Neither key ever leaves it. */
export type DeviceKey = {
  /** The address of its first key: its name, for ever. */
  readonly device: Address
  /** The address of the key that signs now. */
  readonly signingKey: Address
  /** r‖s‖v over a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array
  /** X25519, 32 bytes each. */
  readonly hpke: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array }
}

/**
 * The keys of the device in `folder`: `device.key` (secp256k1) and `hpke.key` (X25519), made the first
 * time. Throws KEY_UNREADABLE, KEY_EXPOSED.
 */
export async function openDeviceKey(folder: string): Promise<DeviceKey> {
  const secret = await openSecret(join(folder, 'device.key'), randomBytes)
  const privateKey = await openSecret(join(folder, 'hpke.key'), randomBytes)
  const device = addressOf(secret)
  return {
    device,
    signingKey: device,
    sign: (digest) => sign(digest, secret),
    hpke: { publicKey: x25519.getPublicKey(privateKey), privateKey },
  }
}
