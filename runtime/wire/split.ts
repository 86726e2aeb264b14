/**
 * A split: how the voucher's total divides among a fleet's devices, as the root of a payment tree.
 * Signed by the voucher's key, in the voucher's domain. Periods are counted, not clocked: the next
 * split has a higher number, and two splits of one number are a buyer that signs two trees.
 */
import type { Address } from './address.ts'
import { amount, bytes, row, type Shape, uint64 } from './cborshape.ts'
import { type Rail, settlementDomain } from './channel.ts'
import type { Signer } from './signer.ts'
import { recoverStruct, signStruct, type Unsigned } from './typed.ts'

export type Split = {
  readonly channelId: Uint8Array
  readonly period: bigint
  /** The voucher's amount, and the sum of the tree; below 2^96. */
  readonly total: bigint
  readonly root: Uint8Array
  readonly signature: Uint8Array
}

export function signSplit(split: Unsigned<Split>, rail: Rail, signer: Signer): Promise<Split> {
  return signStruct('Split', split, signer, settlementDomain(rail))
}

export function recoverSplit(split: Split, rail: Rail): Address | undefined {
  return recoverStruct('Split', split, settlementDomain(rail))
}

export const splitShape: Shape<Split> = row<Split>({
  channelId: bytes(32),
  period: uint64,
  total: amount(96),
  root: bytes(32),
  signature: bytes(65),
})
