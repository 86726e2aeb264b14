/**
 * Every EIP-712 struct that this product signs or checks, in one table.
 *
 * ChannelConfig, Voucher, Refund, ClaimBatch and Split live in the settlement's domain `{name:
 * "x402 Batch Settlement", version: "1", chainId, verifyingContract}` (see channel.ts); Grant, Ack,
 * State and Order in `{name: "Wayside", version: "1"}`: the channel id inside them already names
 * chain and contract.
 */
import { recover } from '#crypto'
import type { Address } from './address.ts'
import { domainSeparator, hashTypedData, type Member, structType } from './eip712.ts'
import type { Signer } from './signer.ts'

export const typeStrings = {
  ChannelConfig:
    'ChannelConfig(address payer,address payerAuthorizer,address receiver,' +
    'address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)',
  Voucher: 'Voucher(bytes32 channelId,uint128 maxClaimableAmount)',
  Refund: 'Refund(bytes32 channelId,uint256 nonce,uint128 amount)',
  ClaimBatch:
    'ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,' +
    'uint128 totalClaimed)',
  Split: 'Split(bytes32 channelId,uint64 period,uint128 total,bytes32 root)',
  Grant:
    'Grant(bytes32 channelId,address device,uint32 index,uint128 cap,uint64 untilMs,' +
    'uint64 registryVersion)',
  Ack: 'Ack(bytes32 channelId,uint64 period,bytes32 root,uint128 total,uint64 timeMs)',
  State:
    'State(bytes32 channelId,address device,uint64 order,uint128 promised,uint128 delivered,' +
    'uint128 acknowledged,uint64 period,bytes32 root,uint64 counter,uint64 timeMs)',
  Order:
    'Order(bytes32 channelId,uint64 number,address seller,bytes32[] terms,' +
    'uint128 ceilingAmount,uint64 ceilingPerMs,bytes32 sessionKey,uint64 untilMs)',
} as const

export type TypeName = keyof typeof typeStrings

/** Something signed, as it is before. */
export type Unsigned<T> = Omit<T, 'signature'>

/** Separator of the domain {Wayside, 1}. */
export const waysideDomain: Uint8Array = domainSeparator({ name: 'Wayside', version: '1' })

/**
 * What is hashed for a struct of that name; members beyond the type's (a signature) are left out.
 */
export function structHash(name: TypeName, value: object): Uint8Array {
  return structs[name].hash(value as Record<string, Member>)
}

export function digestOf(name: TypeName, value: object, domain = waysideDomain): Uint8Array {
  return hashTypedData(domain, structHash(name, value))
}

/** The same value with its signature, r‖s‖v. */
export async function signStruct<T extends object>(
  name: TypeName,
  value: T,
  signer: Signer,
  domain = waysideDomain,
): Promise<T & { readonly signature: Uint8Array }> {
  return { ...value, signature: await signer.sign(digestOf(name, value, domain)) }
}

/** Who signed it, or undefined when the signature is none. */
export function recoverStruct(
  name: TypeName,
  value: { readonly signature: Uint8Array },
  domain = waysideDomain,
): Address | undefined {
  return recover(digestOf(name, value, domain), value.signature)
}

const structs = Object.fromEntries(
  Object.entries(typeStrings).map(([name, text]) => [name, structType(text)]),
) as Readonly<Record<TypeName, ReturnType<typeof structType>>>
