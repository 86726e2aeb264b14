/** A transaction of ours on its way: what is signed of it, and what became of it. Pure. */
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import type { Price } from './gasprice.ts'
import type { Receipt } from './node.ts'

export type Call = { readonly to: Address; readonly data: Hex }

/** One signed form of a transaction. */
export type Version = {
  readonly hash: Hex
  readonly raw: Hex
  readonly nonce: number
  readonly price: Price
}

export type Outgoing = {
  readonly to: Address
  readonly data: Hex
  readonly gasLimit: bigint
  /** Oldest first; any of them may be the one that is mined, and only one can be. */
  readonly versions: readonly Version[]
}

/** What became of a transaction. */
export type Fate =
  /** Not mined anywhere. `gap`: the nonce that the account must use first, which none of ours has. */
  | { readonly state: 'waiting'; readonly gap?: number }
  /** Mined, but not deep enough, or not every endpoint says so yet. */
  | { readonly state: 'mined'; readonly receipt: Receipt }
  | { readonly state: 'deep'; readonly receipt: Receipt }
  /** Another transaction of the account was mined, k deep, under its nonce. */
  | { readonly state: 'displaced' }

/** The version that was signed last. */
export function newest({ versions }: Outgoing): Version {
  const last = versions.at(-1)
  if (last === undefined) throw new RangeError('a transaction has a version')
  return last
}
