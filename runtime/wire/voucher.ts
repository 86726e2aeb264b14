/**
 * A voucher: the payer's word that the receiver may claim up to this running total from the
 * channel. Byte for byte the x402 voucher, so any such wallet, client or contract makes and takes
 * it.
 */
import type { Address } from './address.ts'
import { amount, bytes, decodeShape, encodeShape, row, type Shape } from './cborshape.ts'
import { type Rail, settlementDomain } from './channel.ts'
import type { Signer } from './signer.ts'
import { recoverStruct, signStruct, type Unsigned } from './typed.ts'

export type Voucher = {
  readonly channelId: Uint8Array
  /** Running total of the whole channel, in the token's smallest unit; uint128. */
  readonly maxClaimableAmount: bigint
  readonly signature: Uint8Array
}

export function signVoucher(
  voucher: Unsigned<Voucher>,
  rail: Rail,
  signer: Signer,
): Promise<Voucher> {
  return signStruct('Voucher', voucher, signer, settlementDomain(rail))
}

/** Who signed it: to count, the channel's payerAuthorizer. */
export function recoverVoucher(voucher: Voucher, rail: Rail): Address | undefined {
  return recoverStruct('Voucher', voucher, settlementDomain(rail))
}

export const voucherShape: Shape<Voucher> = row<Voucher>({
  channelId: bytes(32),
  maxClaimableAmount: amount(128),
  signature: bytes(65),
})

export function encodeVoucher(voucher: Voucher): Uint8Array {
  return encodeShape(voucherShape, voucher)
}

/** Throws Malformed. */
export function decodeVoucher(bytes: Uint8Array): Voucher {
  return decodeShape(voucherShape, bytes, 'voucher')
}
