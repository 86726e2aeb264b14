/** The channel that pays: an older one of ours when it fits, else a new one, with the budget in it. */
import { randomBytes } from '#crypto'
import { decimalText } from '../config/quantity.ts'
import { fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { ChannelConfig } from '../wire/channel.ts'
import type { Offer, OfferedRail } from '../wire/offer.ts'
import { withdrawDelayFloor } from '../wire/order.ts'
import type { Signer } from '../wire/signer.ts'
import type { Books } from './books.ts'
import { type ChannelRow, newChannel } from './channels.ts'

/** What a buyer needs of a chain: `link/chain.ts` is one. */
export type BuyerChain = {
  /** Everything deposited and not taken back, and a withdrawal that is pending. */
  state(
    config: ChannelConfig,
  ): Promise<{ readonly balance: bigint; readonly withdrawal?: { readonly amount: bigint } }>
  /** The payer signs; the transaction is mined when it resolves. */
  deposit(
    rail: OfferedRail,
    config: ChannelConfig,
    amount: bigint,
    payer: Signer,
  ): Promise<{ readonly hash: string; readonly approved?: string }>
  /** Tokens of an account; where it is left out, a payer that has too few learns it from the contract. */
  balanceOf?(token: Address, account: Address): Promise<bigint>
  close(): void
}

/** The row of the channel from `payer` to this seller on this rail, made when there is none; durable. */
export function channelFor(
  books: Books,
  payer: Address,
  offer: Pick<Offer, 'receiver' | 'gateway' | 'withdrawDelayMinS'>,
  rail: OfferedRail,
): ChannelRow {
  const { chainId, settlement, token } = rail
  const known = books.channels
    .all()
    .find(
      ({ config, rail: old }) =>
        old.chainId === chainId &&
        old.settlement === settlement &&
        config.token === token &&
        config.payer === payer &&
        config.receiver === offer.receiver &&
        config.receiverAuthorizer === offer.gateway &&
        config.withdrawDelay >= offer.withdrawDelayMinS,
    )
  if (known !== undefined) return known
  const config: ChannelConfig = {
    payer,
    payerAuthorizer: payer,
    receiver: offer.receiver,
    receiverAuthorizer: offer.gateway,
    token,
    withdrawDelay: Math.max(offer.withdrawDelayMinS, withdrawDelayFloor),
    salt: randomBytes(32),
  }
  const row = newChannel(config, { chainId, settlement })
  books.channels.put(row)
  return row
}

/**
 * Deposits what the channel lacks until it holds `needed`. Returns what was deposited and where. Throws
 * CHANNEL_WITHDRAWING, TOKEN_MISSING.
 */
export async function fund(
  chain: BuyerChain,
  { id, config }: ChannelRow,
  rail: OfferedRail,
  needed: bigint,
  payer: Signer,
): Promise<
  { readonly amount: bigint; readonly tx: string; readonly approved?: string } | undefined
> {
  const { balance, withdrawal } = await chain.state(config)
  if (withdrawal !== undefined) throw fault('CHANNEL_WITHDRAWING', { channel: id })
  if (balance >= needed) return undefined
  const amount = needed - balance
  const has = (await chain.balanceOf?.(rail.token, payer.address)) ?? amount
  if (has < amount) {
    const spell = (sum: bigint) => decimalText(sum, rail.decimals)
    const { address: account } = payer
    const facts = { account, has: spell(has), token: rail.tokenName, needed: spell(amount) }
    throw fault('TOKEN_MISSING', facts)
  }
  const { hash, approved } = await chain.deposit(rail, config, amount, payer)
  return { amount, tx: hash, ...(approved === undefined ? {} : { approved }) }
}
