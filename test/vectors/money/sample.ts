/**
 * A buyer, an operator, a fleet and one channel between them: the same in every vector and test.
 */
import type { Address } from '../../../runtime/wire/address.ts'
import { type ChannelConfig, channelId, type Rail } from '../../../runtime/wire/channel.ts'
import type { Leaf } from '../../../runtime/wire/paymenttree.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'

/** Secret keys: 32 times one byte, so that another language can make them too. */
export const secrets = {
  buyer: new Uint8Array(32).fill(0x11),
  operator: new Uint8Array(32).fill(0x22),
  device: new Uint8Array(32).fill(0x33),
  session: new Uint8Array(32).fill(0x44),
  seller: new Uint8Array(32).fill(0x55),
  ephemeral: new Uint8Array(32).fill(0x66),
} as const

export const buyer = localSigner(secrets.buyer)
export const operator = localSigner(secrets.operator)
export const device = localSigner(secrets.device)

export const token: Address = `0x${'ab'.repeat(20)}`

export const rail: Rail = {
  chainId: 31337,
  settlement: '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003',
}

export const config: ChannelConfig = {
  payer: `0x${'cd'.repeat(20)}`,
  payerAuthorizer: buyer.address,
  receiver: `0x${'ef'.repeat(20)}`,
  receiverAuthorizer: operator.address,
  token,
  withdrawDelay: 604_800,
  salt: new Uint8Array(32).fill(0x77),
}

export const channel: Uint8Array = channelId(config, rail)

/** A fleet of five; the third is the device. */
export const leaves: readonly Leaf[] = [
  { index: 0, device: `0x${'01'.repeat(20)}`, amount: 1_000_000n },
  { index: 1, device: `0x${'02'.repeat(20)}`, amount: 0n },
  { index: 2, device: device.address, amount: 2_500_000n },
  { index: 3, device: `0x${'04'.repeat(20)}`, amount: (1n << 80n) + 1n },
  { index: 4, device: `0x${'05'.repeat(20)}`, amount: 7n },
]
