/** What the gateway and the settler tell of themselves: one note a thing done. */
import type { FaultCode } from '../faults.ts'
import type { EndpointNote } from '../link/troubles.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'

/** `GAS_DEAR`: a claim waits for cheaper gas. `CLAIM_FAILED`: it was mined, and failed. */
export type TroubleCode = 'GAS_DEAR' | 'CLAIM_FAILED' | FaultCode

export type Note =
  | { readonly event: 'ready'; readonly operator: Address; readonly gateway: Address }
  | {
      readonly event: 'ordered'
      readonly channel: Hex
      readonly seller: Address
      readonly payer: Address
      readonly devices: number
    }
  | { readonly event: 'refused'; readonly code: string; readonly why: string }
  /** The wall clock is so far ahead of the chain that it is not signed. */
  | { readonly event: 'clock astray'; readonly aheadMs: number }
  | {
      readonly event: 'granted'
      readonly channel: Hex
      readonly device: Address
      /** In the token's smallest unit, as every amount here. */
      readonly cap: bigint
      readonly untilMs: number
    }
  | {
      readonly event: 'acked'
      readonly channel: Hex
      readonly period: bigint
      readonly total: bigint
    }
  | { readonly event: 'ended'; readonly channel: Hex; readonly why: string }
  | { readonly event: 'deposited'; readonly channel: Hex; readonly balance: bigint }
  | { readonly event: 'withdrawing'; readonly channel: Hex; readonly amount: bigint }
  /** The chain was not read for a quarter of the channel's withdraw delay: it gets no acks until it is. */
  | { readonly event: 'unseen'; readonly channel: Hex; readonly sinceMs: number }
  /** Promised and withdrawn before it was claimed. */
  | { readonly event: 'lost'; readonly channel: Hex; readonly amount: bigint }
  /** A claim is signed and on its way. */
  | {
      readonly event: 'claiming'
      readonly channels: readonly Hex[]
      readonly value: bigint
      readonly transaction: Hex
    }
  /** A claim on its way was signed again: dearer, or under another nonce. */
  | {
      readonly event: 'replaced'
      readonly before: Hex
      readonly transaction: Hex
      /** Wei for a unit of gas. */
      readonly maxFee: bigint
    }
  | EndpointNote
  /** Mined, and believed by every endpoint, k blocks deep. */
  | {
      readonly event: 'claimed'
      readonly channels: readonly Hex[]
      readonly value: bigint
      readonly transaction: string
      readonly gas: bigint
    }
  | {
      readonly event: 'settled'
      readonly receiver: Address
      readonly token: Address
      readonly amount: bigint
      readonly transaction: string
    }
  /** Something that must be tried again, and will be; `code` where it is of a kind that has one. */
  | {
      readonly event: 'trouble'
      readonly where: string
      readonly why: string
      readonly code?: TroubleCode
    }
  /** The contract holds less of it than it did: its payer took money back unseen, or a block was taken back. */
  | {
      readonly event: 'short'
      readonly channel: Hex
      readonly amount: bigint
      /** What it has promised above what is there now. */
      readonly owed: bigint
    }
  /** Where /health and /metrics are served. */
  | { readonly event: 'watching'; readonly url: string }
  | { readonly event: 'connected' | 'disconnected'; readonly why?: string }
  /** The files of the broker's login changed, and serve from now on. */
  | { readonly event: 'renewed' }
