/**
 * A deposit as the payer signs it: an ERC-3009 authorization for one channel, good without gas. Whoever
 * has gas may send it: the buyer itself, or a facilitator.
 */
import { keccak256, randomBytes } from '#crypto'
import type { Address } from '../wire/address.ts'
import { concat, word } from '../wire/bytes.ts'
import { type ChannelConfig, channelId, type Rail } from '../wire/channel.ts'
import { domainSeparator, hashTypedData, structType } from '../wire/eip712.ts'
import type { Signer } from '../wire/signer.ts'

/** Where to deposit, and the token's own domain, as an offer names them. */
export type DepositRail = Rail & {
  /** The ERC-3009 collector of that settlement contract. */
  readonly collector: Address
  readonly token: Address
  readonly tokenName: string
  readonly tokenVersion: string
}

export type AuthorizedDeposit = {
  readonly config: ChannelConfig
  /** In the token's smallest unit. */
  readonly amount: bigint
  readonly collector: Address
  /** What the collector takes: abi.encode(validAfter, validBefore, salt, signature). */
  readonly data: Uint8Array
}

export type DepositWish = {
  readonly config: ChannelConfig
  readonly amount: bigint
  readonly rail: DepositRail
  /** The channel's payer: whose tokens they are. */
  readonly payer: Signer
  /** The chain's time, Unix seconds: not the wall clock, which may be elsewhere on a development chain. */
  readonly nowS: number
  /** How long the authorization stays good; default an hour. */
  readonly validS?: number
}

/** Signs it. Throws a RangeError when the signer is not the channel's payer or the token another. */
export async function authorizeDeposit(wish: DepositWish): Promise<AuthorizedDeposit> {
  const { config, amount, rail, payer } = wish
  if (payer.address !== config.payer) throw new RangeError('only the payer can authorize a deposit')
  if (rail.token !== config.token) throw new RangeError('the channel is in another token')
  const salt = randomBytes(32)
  const validBefore = BigInt(wish.nowS + (wish.validS ?? 3600))
  const separator = domainSeparator({
    name: rail.tokenName,
    version: rail.tokenVersion,
    chainId: rail.chainId,
    verifyingContract: rail.token,
  })
  const message = authorization.hash({
    from: config.payer,
    to: rail.collector,
    value: amount,
    validAfter: 0n,
    validBefore,
    // The collector computes the same from the channel it is asked for: the money can go nowhere else.
    nonce: keccak256(concat(channelId(config, rail), salt)),
  })
  const signature = await payer.sign(hashTypedData(separator, message))
  const head = concat(word(0n), word(validBefore), salt, word(128n))
  const tail = concat(word(BigInt(signature.length)), signature, new Uint8Array(31))
  return { config, amount, collector: rail.collector, data: concat(head, tail) }
}

const authorization = structType(
  'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
)
