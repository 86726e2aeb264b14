/**
 * A device's own word on where a session stands, so that a buyer that lost its books can recover
 * them. Signed by the device's signing key over the EIP-712 digest.
 */
import { recover } from '#crypto'
import type { Address } from './address.ts'
import { address, amount, bytes, row, type Shape, uint64, whole } from './cborshape.ts'
import { digestOf, type Unsigned } from './typed.ts'

export type State = {
  /** Zero for own data, which has no channel. */
  readonly channelId: Uint8Array
  readonly device: Address
  /** Number of the order that stands. */
  readonly order: bigint
  /** The account's running totals. */
  readonly promised: bigint
  readonly delivered: bigint
  readonly acknowledged: bigint
  /** The newest split that the device holds; 0 and zeros when none. */
  readonly period: bigint
  readonly root: Uint8Array
  /** Newest request counter of this session that the device has taken. */
  readonly counter: bigint
  /** Gateway time as the device knows it, ms since 1970; 0 when it never heard one. */
  readonly timeMs: number
  readonly signature: Uint8Array
}

/** What the device signs. Its key is in a room of its own, so the signature is made there. */
export function stateDigest(state: Unsigned<State>): Uint8Array {
  return digestOf('State', state)
}

/** Who signed it: to count, the signing key of the device's enrolment. */
export function recoverState(state: State): Address | undefined {
  return recover(stateDigest(state), state.signature)
}

export const stateShape: Shape<State> = row<State>({
  channelId: bytes(32),
  device: address,
  order: uint64,
  promised: amount(128),
  delivered: amount(128),
  acknowledged: amount(128),
  period: uint64,
  root: bytes(32),
  counter: uint64,
  timeMs: whole(53),
  signature: bytes(65),
})
