/**
 * A deposit as the payer signs it, for one channel and good without gas: an ERC-3009 authorization where the
 * token knows them, else a Permit2 transfer. Whoever has gas may send it: the buyer itself, or a facilitator.
 */
import { keccak256, randomBytes } from '#crypto'
import type { Address } from '../wire/address.ts'
import { concat, hex, word } from '../wire/bytes.ts'
import { type ChannelConfig, channelId, type Rail } from '../wire/channel.ts'
import { domainSeparator, hashTypedData, structType } from '../wire/eip712.ts'
import type { Signer } from '../wire/signer.ts'

/** Where to deposit, and the token's own domain, as an offer names them. */
export type DepositRail = Rail & {
  /** The ERC-3009 collector of that settlement contract. */
  readonly collector: Address
  /** The Permit2 collector, for tokens without ERC-3009. */
  readonly permit2Collector?: Address | undefined
  readonly token: Address
  readonly tokenName: string
  readonly tokenVersion: string
}

export type AuthorizedDeposit = {
  readonly config: ChannelConfig
  /** In the token's smallest unit. */
  readonly amount: bigint
  readonly collector: Address
  /** What that collector takes. */
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
}

/** Where Permit2 stands on every chain. */
export const permit2: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3'

/**
 * Signs an ERC-3009 authorization; its data is abi.encode(validAfter, validBefore, salt, signature). Throws a
 * RangeError when the signer is not the channel's payer or the token another.
 */
export async function authorizeDeposit(wish: DepositWish): Promise<AuthorizedDeposit> {
  const { config, amount, rail, payer } = wish
  const validBefore = ending(wish)
  const salt = randomBytes(32)
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
  return { config, amount, collector: rail.collector, data: concat(head, bytesTail(signature)) }
}

/**
 * Signs a Permit2 transfer with the channel as its witness; its data is abi.encode(nonce, deadline,
 * signature, permit), the permit empty. Permit2 must have the payer's allowance. Throws a RangeError as
 * authorizeDeposit.
 */
export async function permitDeposit(wish: DepositWish): Promise<AuthorizedDeposit> {
  const { config, amount, rail, payer } = wish
  const { permit2Collector: collector } = rail
  if (collector === undefined) throw new RangeError('the rail has no Permit2 collector')
  const deadline = ending(wish)
  // Unordered nonces: any that was not used.
  const nonce = BigInt(hex(randomBytes(32)))
  const separator = domainSeparator({
    name: 'Permit2',
    chainId: rail.chainId,
    verifyingContract: permit2,
  })
  const message = permitted.hash({
    permitted: { token: rail.token, amount },
    spender: collector,
    nonce,
    deadline,
    witness: { channelId: channelId(config, rail) },
  })
  const signature = await payer.sign(hashTypedData(separator, message))
  const tail = bytesTail(signature)
  const permitAt = BigInt(4 * 32 + tail.length)
  const head = concat(word(nonce), word(deadline), word(128n), word(permitAt))
  return { config, amount, collector, data: concat(head, tail, word(0n)) }
}

/** An authorization stays good so long: a chain may be slow, and nobody is to find it next week. */
const validS = 3_600

function ending({ config, rail, payer, nowS }: DepositWish): bigint {
  if (payer.address !== config.payer) throw new RangeError('only the payer can authorize a deposit')
  if (rail.token !== config.token) throw new RangeError('the channel is in another token')
  return BigInt(nowS + validS)
}

/** A signature of 65 bytes as the tail of an ABI encoding: its length, and it, padded. */
function bytesTail(signature: Uint8Array): Uint8Array {
  return concat(word(BigInt(signature.length)), signature, new Uint8Array(31))
}

const authorization = structType(
  'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
)
const permitted = structType(
  'PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,DepositWitness witness)' +
    'DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)',
)
