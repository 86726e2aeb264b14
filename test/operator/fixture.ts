/** A buyer and an operator for the tests, with keys anybody may know. */

import type { BooksShown } from '../../runtime/operator/books.ts'
import { type Channel, newChannel, observe } from '../../runtime/operator/channel.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { type ChannelConfig, channelId, type Rail } from '../../runtime/wire/channel.ts'
import { type Leaf, paymentTree } from '../../runtime/wire/paymenttree.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { signSplit } from '../../runtime/wire/split.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'

export const secretOf = (seed: number) => new Uint8Array(32).fill(seed)
export const buyer = localSigner(secretOf(1))
export const operator = localSigner(secretOf(2))
export const gateway = localSigner(secretOf(3))
export const stranger = localSigner(secretOf(4))
export const device = (n: number): Address => `0x${(n + 0xd000).toString(16).padStart(40, '0')}`

export const rail: Rail = { chainId: 31_337, settlement: device(100) }
export const token = device(101)
export const receiver = device(102)

export function configOf(changes: Partial<ChannelConfig> = {}): ChannelConfig {
  return {
    payer: buyer.address,
    payerAuthorizer: buyer.address,
    receiver,
    receiverAuthorizer: gateway.address,
    token,
    withdrawDelay: 7 * 86_400,
    salt: secretOf(9),
    ...changes,
  }
}

/** A channel of that balance, not dealt yet. */
export function funded(balance: bigint, changes: Partial<ChannelConfig> = {}): Channel {
  const config = configOf(changes)
  const channel = newChannel(channelId(config, rail), config, rail)
  return observe(channel, { balance, totalClaimed: 0n }, 0)
}

/** What the buyer shows for a period: all leaves in the tree, only `changed` in the list. */
export async function books(
  channel: Channel,
  period: bigint,
  leaves: readonly Leaf[],
  changed = leaves,
  signer = buyer,
): Promise<BooksShown> {
  const tree = paymentTree()
  for (const leaf of leaves) tree.set(leaf)
  const { root, total } = tree.root()
  const id = channelId(channel.config, channel.rail)
  const voucher = { channelId: id, maxClaimableAmount: total }
  const split = { channelId: id, period, total, root }
  return {
    voucher: await signVoucher(voucher, channel.rail, signer),
    split: await signSplit(split, channel.rail, signer),
    leaves: changed,
  }
}
