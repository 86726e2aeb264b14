/**
 * An order: what a buyer consents to, signed by the key that pays and by nobody else. It names
 * terms by their hashes, and every header names its terms: that is the contract of sale.
 *
 * The document that travels carries the channel's config and rail with it, so that a device can
 * check it with no chain at hand. An order for own data is signed by the operator, on no channel,
 * at ceiling 0.
 */
import { type Address, zeroAddress } from './address.ts'
import { equal } from './bytes.ts'
import {
  address,
  amount,
  bytes,
  decodeShape,
  encodeShape,
  list,
  record,
  type Shape,
  uint64,
  whole,
} from './cborshape.ts'
import {
  type ChannelConfig,
  channelId,
  configShape,
  noChannel,
  type Rail,
  railShape,
} from './channel.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Signer } from './signer.ts'
import { recoverStruct, signStruct } from './typed.ts'

export type Order = {
  /** Zero for own data. */
  readonly channelId: Uint8Array
  /** Grows with each order of a channel; the newest stands. */
  readonly number: bigint
  /** A device, or an operator for its whole fleet. */
  readonly seller: Address
  /** Hashes of the terms that are bought, at least one. */
  readonly terms: readonly Uint8Array[]
  /** The most that is paid: so much for so many ms of covered time. */
  readonly ceilingAmount: bigint
  readonly ceilingPerMs: bigint
  /** X25519 public key of the session, 32 bytes. */
  readonly sessionKey: Uint8Array
  /** Gateway time, ms since 1970, at which it ends. */
  readonly untilMs: number
}

export type SignedOrder = Order & { readonly signature: Uint8Array }

export type OrderDocument = {
  readonly order: SignedOrder
  /** Absent, both, for own data. */
  readonly config?: ChannelConfig
  readonly rail?: Rail
}

/** What a seller knows when an order arrives; nothing of it needs a chain. */
export type OrderGround = {
  readonly device: Address
  readonly operator: Address
  /** The key that HPKE says has sealed the order. */
  readonly sessionKey: Uint8Array
  /** From the seller's own offer: where money may come from and whose it becomes. */
  readonly tokens: readonly (Rail & { readonly token: Address })[]
  readonly receiver: Address
  readonly receiverAuthorizer: Address
  /** Seconds; never below a day. */
  readonly withdrawDelayMin?: number
  /** The newest gateway time with the monotonic time since; absent when there never was one. */
  readonly timeMs?: number
}

export type CheckedOrder =
  | {
      readonly ok: true
      readonly order: SignedOrder
      readonly payer: Address
      readonly own: boolean
    }
  | { readonly ok: false; readonly refusal: Refusal }

/** A payer needs this long to be stopped from withdrawing what it promised: a day, in seconds. */
export const withdrawDelayFloor = 86_400

/** Terms that one order may name. */
export const termsMax = 256

export function signOrder(order: Order, signer: Signer): Promise<SignedOrder> {
  return signStruct('Order', order, signer)
}

export function recoverOrder(order: SignedOrder): Address | undefined {
  return recoverStruct('Order', order)
}

/**
 * Checks an order as far as no chain is needed: addressed to us, for this session, not ended, of a
 * channel that follows our rules, signed by who pays. Whether its number is the newest, whether its
 * terms are on offer and whether the channel is granted is for the caller.
 */
export function checkOrder(document: OrderDocument, ground: OrderGround): CheckedOrder {
  const { order, config, rail } = document
  const { device, operator, sessionKey, timeMs } = ground
  const own = equal(order.channelId, noChannel)
  if (!equal(order.sessionKey, sessionKey)) return refuse('order-session')
  if (order.seller !== device && order.seller !== operator) {
    return refuse('order-seller', { seller: order.seller })
  }
  if (timeMs !== undefined && order.untilMs <= timeMs) {
    return refuse('order-ended', { untilMs: order.untilMs, timeMs })
  }
  if (own) {
    if (config !== undefined || rail !== undefined) return refuse('order-channel')
    if (order.ceilingAmount !== 0n) return refuse('order-channel')
    return signedBy(order, operator, operator, own)
  }
  if (config === undefined || rail === undefined) return refuse('order-channel')
  if (timeMs === undefined) return refuse('time-unknown')
  const no = checkChannel(config, rail, ground)
  if (no !== undefined) return no
  if (!equal(channelId(config, rail), order.channelId)) return refuse('channel-id')
  return signedBy(order, config.payerAuthorizer, config.payer, own)
}

/** Our rules on top of a channel: the refusal, or undefined when it follows them all. */
export function checkChannel(
  config: ChannelConfig,
  rail: Rail,
  ground: Pick<OrderGround, 'tokens' | 'receiver' | 'receiverAuthorizer' | 'withdrawDelayMin'>,
) {
  const { token, withdrawDelay } = config
  const { chainId, settlement } = rail
  if (config.payerAuthorizer === zeroAddress) return refuse('channel-authorizer-zero')
  const taken = ground.tokens.some(
    (row) => row.token === token && row.chainId === chainId && row.settlement === settlement,
  )
  if (!taken) return refuse('channel-token', { token, chainId, settlement })
  const min = Math.max(withdrawDelayFloor, ground.withdrawDelayMin ?? 0)
  if (withdrawDelay < min) return refuse('channel-delay', { withdrawDelay, min })
  const ours =
    config.receiver === ground.receiver && config.receiverAuthorizer === ground.receiverAuthorizer
  return ours ? undefined : refuse('channel-receiver')
}

export function encodeOrder(document: OrderDocument): Uint8Array {
  return encodeShape(documentShape, document)
}

/** Throws Malformed. */
export function decodeOrder(bytes: Uint8Array): OrderDocument {
  return decodeShape(documentShape, bytes, 'order')
}

function signedBy(order: SignedOrder, expected: Address, payer: Address, own: boolean) {
  const signer = recoverOrder(order)
  if (signer !== expected) {
    return refuse('order-signature', { signer: signer ?? 'nobody', expected })
  }
  return { ok: true, order, payer, own } as const
}

const orderShape: Shape<SignedOrder> = record<SignedOrder>({
  channelId: bytes(32),
  number: uint64,
  seller: address,
  terms: list(bytes(32), termsMax),
  ceilingAmount: amount(128),
  ceilingPerMs: uint64,
  sessionKey: bytes(32),
  untilMs: whole(53),
  signature: bytes(65),
})

const documentShape: Shape<OrderDocument> = record<OrderDocument>(
  { order: orderShape, config: configShape, rail: railShape },
  ['config', 'rail'],
)
