/** What a chain can be asked and told about channels; chain.ts is the one that does it. */
import type { Fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import type { ChannelConfig } from '../wire/channel.ts'
import type { Signer } from '../wire/signer.ts'
import type { Voucher } from '../wire/voucher.ts'
import type { AuthorizedDeposit, DepositRail } from './deposit.ts'
import type { EndpointLimits } from './endpoints.ts'
import type { Fees, GasRules } from './gasprice.ts'
import type { Receipt } from './node.ts'
import type { Call } from './outgoing.ts'
import type { RpcLimits } from './rpc.ts'
import type { Transactions } from './transactions.ts'
import type { EndpointNote } from './troubles.ts'

export type ChannelState = {
  /** Deposited and not given back, claimed money included: the lesser of now and k blocks ago. */
  readonly balance: bigint
  readonly totalClaimed: bigint
  /** The payer's announced withdrawal, and when it may be had (Unix seconds). */
  readonly withdrawal?: {
    readonly amount: bigint
    readonly atS: number
    /** False while only some endpoints show it. */
    readonly agreed: boolean
  }
  readonly refundNonce: bigint
}

/**
 * The worst that any endpoint says of a channel. With a doubt it is good for bad news only: then not all
 * endpoints answered, or they contradict each other.
 */
export type Sighting = ChannelState & { readonly doubt?: Fault }

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
  /** What can be said of a channel while endpoints fail or disagree. Throws when none answers. */
  look(config: ChannelConfig): Promise<Sighting>
  /** Tokens of an account, in the smallest unit. */
  balanceOf(token: Address, account: Address): Promise<bigint>
  /** What an account has for gas, wei. */
  gasOf(account: Address): Promise<bigint>
  /** What gas costs, as those endpoints say that answer. */
  fees(): Promise<Fees>
  /** Time of the newest block, Unix seconds. */
  timeS(): Promise<number>
  /** Whether the token takes signed authorizations (ERC-3009). */
  authorizes(token: Address): Promise<boolean>
  /** How much of an owner's tokens a spender may move. */
  allowance(token: Address, owner: Address, spender: Address): Promise<bigint>
  /**
   * The payer signs and the sender sends: see authorizeDeposit for doing it in two places. A token without
   * ERC-3009 goes through Permit2, and `approved` names the transaction that allowed it to. Throws
   * TOKEN_UNSIGNED and TOKEN_INEXACT.
   */
  deposit(
    rail: DepositRail,
    config: ChannelConfig,
    amount: bigint,
    payer: Signer,
  ): Promise<Tx & { readonly approved?: Hex }>
  depositAuthorized(deposit: AuthorizedDeposit): Promise<Tx>
  /** Claims every channel and sends what the receiver is owed, in one transaction; says how much that was. */
  claim(
    claims: readonly Claim[],
    receiver: Address,
    token: Address,
  ): Promise<Tx & { readonly settled: bigint }>
  /** That transaction's call, for one who keeps its own book of what it sent. */
  claimCall(claims: readonly Claim[], receiver: Address, token: Address): Promise<Call>
  /** How much a claim that was mined sent to the receiver. */
  settledIn(receipt: Receipt, receiver: Address, token: Address): bigint
  /** Transactions step by step. Throws a RangeError when the chain was opened to read. */
  transactions(): Transactions
  /** Announces a withdrawal and, after the channel's delay, takes it. The sender is the payer's side. */
  initiateWithdraw(config: ChannelConfig, amount: bigint): Promise<Tx>
  finalizeWithdraw(config: ChannelConfig): Promise<Tx>
  /** Gives unclaimed money back. The sender is the receiver's side. */
  refund(config: ChannelConfig, amount: bigint): Promise<Tx>
  /** Endpoints that failed are asked again at once, and not after their rest. */
  rouse(): void
  /** Lets go of the endpoints; what still waits rejects. */
  close(): void
}

export type ChainOptions = {
  /** http(s) URLs; two of different owners where money is at stake. */
  readonly rpcs: readonly string[]
  readonly chainId: number
  readonly settlement: Address
  /** How many blocks make a deposit or a claim believed, its own included; default 1. */
  readonly confirmations?: number
  /** Sends transactions and pays their gas; reads need none. */
  readonly sender?: Signer
  /** Signs claims as receiverAuthorizer; when it is also the sender, claims are sent unsigned and cost less. */
  readonly authorizer?: Signer
  readonly gas?: GasRules
  /** Hears of endpoints that fail, lag or lie. */
  readonly note?: (note: EndpointNote) => void
  readonly limits?: Partial<ChainLimits>
}

export type ChainLimits = RpcLimits &
  EndpointLimits & {
    /** A transaction that waits longer is replaced by a dearer one: several blocks of a slow chain. */
    readonly minedMs: number
    /** From the first sending until we give up waiting for it. */
    readonly giveUpMs: number
    /** Between two looks for a receipt. */
    readonly pollMs: number
    /** A transaction may use this much more gas than estimated, in per cent: the state can move on. */
    readonly gasMarginPercent: bigint
    /** No transaction may ask for more gas: EIP-7825 ends at 2^24. */
    readonly gasMax: bigint
  }
