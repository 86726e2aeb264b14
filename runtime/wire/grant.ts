/**
 * A grant: the gateway's word to one device that a channel is open and how much of it is the
 * device's. The device trusts its operator for this one fact; Σ caps ≤ balance is the gateway's
 * business.
 */
import type { Address } from './address.ts'
import {
  address,
  amount,
  bytes,
  decodeShape,
  encodeShape,
  list,
  row,
  type Shape,
  uint64,
  whole,
} from './cborshape.ts'
import type { Signer } from './signer.ts'
import { recoverStruct, signStruct, type Unsigned } from './typed.ts'

export type Grant = {
  readonly channelId: Uint8Array
  readonly device: Address
  /** The device's leaf in the payment tree: given once, never changed. */
  readonly index: number
  /** The most the device may accept; only rises. */
  readonly cap: bigint
  /** Gateway time, ms since 1970, at which it ends. */
  readonly untilMs: number
  /** The state of the fleet's register of devices that it was given under. */
  readonly registryVersion: bigint
  readonly signature: Uint8Array
}

export function signGrant(grant: Unsigned<Grant>, signer: Signer): Promise<Grant> {
  return signStruct('Grant', grant, signer)
}

/** Who signed it: to count, the channel's receiverAuthorizer. */
export function recoverGrant(grant: Grant): Address | undefined {
  return recoverStruct('Grant', grant)
}

export const grantShape: Shape<Grant> = row<Grant>({
  channelId: bytes(32),
  device: address,
  index: whole(32),
  cap: amount(128),
  untilMs: whole(53),
  registryVersion: uint64,
  signature: bytes(65),
})

export function encodeGrant(grant: Grant): Uint8Array {
  return encodeShape(grantShape, grant)
}

/** Throws Malformed. */
export function decodeGrant(bytes: Uint8Array): Grant {
  return decodeShape(grantShape, bytes, 'grant')
}

/** Channels in one message. */
export const grantsMax = 512

/**
 * What `<device>/grant` holds, retained: every live grant of that device. One that is gone has
 * ended.
 */
export function encodeGrants(grants: readonly Grant[]): Uint8Array {
  return encodeShape(grantsShape, grants)
}

/** Throws Malformed. */
export function decodeGrants(bytes: Uint8Array): readonly Grant[] {
  return decodeShape(grantsShape, bytes, 'grants')
}

const grantsShape: Shape<readonly Grant[]> = list(grantShape, grantsMax)
