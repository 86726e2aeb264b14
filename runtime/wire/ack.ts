/**
 * An ack: the gateway holds on disk the voucher and the whole leaf list of that period's root,
 * monotone and within caps. Its time is the newest that devices have for money.
 */
import type { Address } from './address.ts'
import {
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

export type Ack = {
  readonly channelId: Uint8Array
  readonly period: bigint
  readonly root: Uint8Array
  /** Sum of the tree: what the voucher promises. */
  readonly total: bigint
  /** Gateway time, ms since 1970. */
  readonly timeMs: number
  readonly signature: Uint8Array
}

export function signAck(ack: Unsigned<Ack>, signer: Signer): Promise<Ack> {
  return signStruct('Ack', ack, signer)
}

/** Who signed it: to count, the channel's receiverAuthorizer. */
export function recoverAck(ack: Ack): Address | undefined {
  return recoverStruct('Ack', ack)
}

export const ackShape: Shape<Ack> = row<Ack>({
  channelId: bytes(32),
  period: uint64,
  root: bytes(32),
  total: amount(128),
  timeMs: whole(53),
  signature: bytes(65),
})

export function encodeAck(ack: Ack): Uint8Array {
  return encodeShape(ackShape, ack)
}

/** Throws Malformed. */
export function decodeAck(bytes: Uint8Array): Ack {
  return decodeShape(ackShape, bytes, 'ack')
}

/** Channels in one message. */
export const acksMax = 512

/** What `<device>/ack` holds, retained: the newest ack of every channel of that device. */
export function encodeAcks(acks: readonly Ack[]): Uint8Array {
  return encodeShape(acksShape, acks)
}

/** Throws Malformed. */
export function decodeAcks(bytes: Uint8Array): readonly Ack[] {
  return decodeShape(acksShape, bytes, 'acks')
}

const acksShape: Shape<readonly Ack[]> = list(ackShape, acksMax)
