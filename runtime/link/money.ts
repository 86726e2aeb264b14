/** What a chain can be asked and told about channels; chain.ts is the one that does it. */
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import type { ChannelConfig } from '../wire/channel.ts'
import type { Signer } from '../wire/signer.ts'
import type { Voucher } from '../wire/voucher.ts'
import type { AuthorizedDeposit, DepositRail } from './deposit.ts'

export type ChannelState = {
  /** Deposited and not given back, claimed money included: the lesser of now and k blocks ago. */
  readonly balance: bigint
  readonly totalClaimed: bigint
  /** The payer's announced withdrawal, and when it may be had (Unix seconds). */
  readonly withdrawal?: { readonly amount: bigint; readonly atS: number }
  readonly refundNonce: bigint
}

/** A transaction that was mined and did not fail. */
export type Tx = { readonly hash: Hex; readonly gas: bigint; readonly action: string }

/** A channel, the newest voucher for it, and what to claim of it: all that the voucher allows, if unsaid. */
export type Claim = {
  readonly config: ChannelConfig
  readonly voucher: Voucher
  readonly totalClaimed?: bigint
}

export type Chain = {
  /** Throws CHAIN_UNREACHABLE and CHAIN_DISAGREES, as every read does. */
  state(config: ChannelConfig): Promise<ChannelState>
  /** Tokens of an account, in the smallest unit. */
  balanceOf(token: Address, account: Address): Promise<bigint>
  /** What an account has for gas, wei. */
  gasOf(account: Address): Promise<bigint>
  /** Wei for a unit of gas. */
  gasPrice(): Promise<bigint>
  /** Time of the newest block, Unix seconds. */
  timeS(): Promise<number>
  /** The payer signs and the sender sends: see authorizeDeposit for doing it in two places. */
  deposit(rail: DepositRail, config: ChannelConfig, amount: bigint, payer: Signer): Promise<Tx>
  depositAuthorized(deposit: AuthorizedDeposit): Promise<Tx>
  /** Claims every channel and sends what the receiver is owed, in one transaction; says how much that was. */
  claim(
    claims: readonly Claim[],
    receiver: Address,
    token: Address,
  ): Promise<Tx & { readonly settled: bigint }>
  /** Announces a withdrawal and, after the channel's delay, takes it. The sender is the payer's side. */
  initiateWithdraw(config: ChannelConfig, amount: bigint): Promise<Tx>
  finalizeWithdraw(config: ChannelConfig): Promise<Tx>
  /** Gives unclaimed money back. The sender is the receiver's side. */
  refund(config: ChannelConfig, amount: bigint): Promise<Tx>
  /** Lets go of the endpoints; what still waits rejects. */
  close(): void
}

export type ChainOptions = {
  /** http(s) URLs; two of different owners where money is at stake. */
  readonly rpcs: readonly string[]
  readonly chainId: number
  readonly settlement: Address
  /** How many blocks make a deposit believed, its own included; default 1. */
  readonly confirmations?: number
  /** Sends transactions and pays their gas; reads need none. */
  readonly sender?: Signer
  /** Signs claims as receiverAuthorizer; when it is also the sender, claims are sent unsigned and cost less. */
  readonly authorizer?: Signer
  readonly limits?: Partial<ChainLimits>
}

export type ChainLimits = {
  /** One request to one endpoint. */
  readonly requestMs: number
  /** From sending a transaction until it is mined: several blocks of a slow chain. */
  readonly minedMs: number
  /** Between two looks for a receipt. */
  readonly pollMs: number
  /** A transaction may use this much more gas than estimated, in per cent: the state can move on. */
  readonly gasMarginPercent: bigint
}

export const chainLimits: ChainLimits = {
  requestMs: 10_000,
  minedMs: 180_000,
  pollMs: 1_000,
  gasMarginPercent: 25n,
}
