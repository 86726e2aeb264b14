/**
 * A channel: one buyer's deposit that one receiver can claim from, as x402 `batch-settlement` has
 * it. Its id is the EIP-712 hash of its config in the settlement's domain, so an id names chain and
 * contract too.
 */
import type { Address } from './address.ts'
import { address, bytes, decodeShape, encodeShape, row, type Shape, whole } from './cborshape.ts'
import { domainSeparator } from './eip712.ts'
import { digestOf } from './typed.ts'

export type ChannelConfig = {
  /** Who deposits and gets back what is left. */
  readonly payer: Address
  /** Whose signature on a voucher counts; zero is allowed on chain and refused by us. */
  readonly payerAuthorizer: Address
  /** Who is paid. */
  readonly receiver: Address
  /** Who may choose what to claim, and sign refunds. */
  readonly receiverAuthorizer: Address
  readonly token: Address
  /** Seconds between the payer's wish to withdraw and the withdrawal; uint40. */
  readonly withdrawDelay: number
  /** 32 bytes. */
  readonly salt: Uint8Array
}

/** Where a channel lives: the domain of its vouchers. */
export type Rail = { readonly chainId: number; readonly settlement: Address }

/** The channel of data that its owner reads: none. */
export const noChannel: Uint8Array = new Uint8Array(32)

/** The channel's id, 32 bytes, exactly as the contract computes it. */
export function channelId(config: ChannelConfig, rail: Rail): Uint8Array {
  return digestOf('ChannelConfig', config, settlementDomain(rail))
}

/** Separator of the settlement's domain, computed once for each rail. */
export function settlementDomain(rail: Rail): Uint8Array {
  let separator = separators.get(rail)
  if (separator === undefined) {
    const { chainId, settlement } = rail
    separator = domainSeparator({ ...x402, chainId, verifyingContract: settlement })
    separators.set(rail, separator)
  }
  return separator
}

export const configShape: Shape<ChannelConfig> = row<ChannelConfig>({
  payer: address,
  payerAuthorizer: address,
  receiver: address,
  receiverAuthorizer: address,
  token: address,
  withdrawDelay: whole(40),
  salt: bytes(32),
})

export const railShape: Shape<Rail> = row<Rail>({ chainId: whole(53), settlement: address })

export function encodeChannelConfig(config: ChannelConfig): Uint8Array {
  return encodeShape(configShape, config)
}

/** Throws Malformed. */
export function decodeChannelConfig(bytes: Uint8Array): ChannelConfig {
  return decodeShape(configShape, bytes, 'channel config')
}

const x402 = { name: 'x402 Batch Settlement', version: '1' }
const separators = new WeakMap<Rail, Uint8Array>()
