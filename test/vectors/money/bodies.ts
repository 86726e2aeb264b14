/** One of every request, answer and keys body, and the signed documents in them. */
import { sign } from '#crypto'
import { signAck } from '../../../runtime/wire/ack.ts'
import type { Answer } from '../../../runtime/wire/answer.ts'
import { noChannel } from '../../../runtime/wire/channel.ts'
import { signGrant } from '../../../runtime/wire/grant.ts'
import type { KeysBody } from '../../../runtime/wire/keysbody.ts'
import { type Order, signOrder } from '../../../runtime/wire/order.ts'
import type { Payment } from '../../../runtime/wire/payment.ts'
import { paymentTree } from '../../../runtime/wire/paymenttree.ts'
import { refusal } from '../../../runtime/wire/refusal.ts'
import type { Request } from '../../../runtime/wire/request.ts'
import { signSplit } from '../../../runtime/wire/split.ts'
import { stateDigest } from '../../../runtime/wire/state.ts'
import { signVoucher } from '../../../runtime/wire/voucher.ts'
import { buyer, channel, config, device, leaves, operator, rail, secrets } from './sample.ts'

const tree = paymentTree()
for (const leaf of leaves) tree.set(leaf)
export const { root, total } = tree.root()
export const leaf = leaves[2] as (typeof leaves)[number]
export const path = tree.path(leaf.index)

export const voucher = await signVoucher(
  { channelId: channel, maxClaimableAmount: total },
  rail,
  buyer,
)
export const split = await signSplit({ channelId: channel, period: 12n, total, root }, rail, buyer)
export const payment: Payment = { voucher, split, leaf, path }

export const grant = await signGrant(
  {
    channelId: channel,
    device: device.address,
    index: 2,
    cap: 5_000_000n,
    untilMs: 1_790_086_400_000,
    registryVersion: 4n,
  },
  operator,
)

export const ack = await signAck(
  { channelId: channel, period: 12n, root, total, timeMs: 1_790_000_000_000 },
  operator,
)

const unsignedState = {
  channelId: channel,
  device: device.address,
  order: 3n,
  promised: leaf.amount,
  delivered: 2_400_000n,
  acknowledged: 2_000_000n,
  period: 12n,
  root,
  counter: 41n,
  timeMs: 1_790_000_005_000,
}
const signature = sign(stateDigest(unsignedState), secrets.device)
export const state = { ...unsignedState, signature }

/** X25519 public key of the session's secret, 32 × 0x44. */
export const sessionPublicKey = 'ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b'

const unsignedOrder: Order = {
  channelId: channel,
  number: 3n,
  seller: operator.address,
  terms: [new Uint8Array(32).fill(0xa1), new Uint8Array(32).fill(0xa2)],
  ceilingAmount: 36_000n,
  ceilingPerMs: 3_600_000n,
  sessionKey: new Uint8Array(32),
  untilMs: 1_790_086_400_000,
}

export async function orders(sessionKey: Uint8Array) {
  const sold = await signOrder({ ...unsignedOrder, sessionKey }, buyer)
  const own = await signOrder(
    { ...unsignedOrder, sessionKey, channelId: noChannel, ceilingAmount: 0n },
    operator,
  )
  return { sold: { order: sold, config, rail }, own: { order: own } }
}

const buy = [{ stream: 'air', generation: 1, from: 10, to: 4_294_967_295 }]

export const requests: readonly Request[] = [
  { kind: 'promise', payment, buy },
  { kind: 'take', buy },
  { kind: 'state' },
  { kind: 'fetch', stream: 'air', from: 3, to: 9 },
  { kind: 'fetch', stream: 'air', generation: 1, from: 3, to: 900, cursor: 77 },
  { kind: 'confirm', version: 18_446_744_073_709_551_615n },
  { kind: 'end' },
  { kind: 'books', voucher, split, leaves },
  { kind: 'refund', amount: 1_250_000n },
]

export const answers: readonly Answer[] = [
  { to: 0n, kind: 'welcome', state, keysVersion: 0n, place: { index: 2 } },
  { to: 41n, kind: 'state', state, payment, keysVersion: 9n, place: { index: 2 } },
  {
    to: 42n,
    kind: 'chunk',
    part: 0,
    messages: [new Uint8Array(5), Uint8Array.of(1)],
    cursor: 900,
    last: false,
  },
  { to: 42n, kind: 'chunk', part: 1, messages: [], last: true },
  { to: 43n, kind: 'refusal', refusal: refusal('promise-over-cap', { promised: 120, cap: 100 }) },
  { to: 44n, kind: 'ok' },
]

const key = (byte: number) => new Uint8Array(32).fill(byte)

export const keysBodies: readonly KeysBody[] = [
  { version: 0n, covers: [] },
  {
    version: 9n,
    covers: [
      {
        stream: 'air',
        generation: 1,
        runs: [
          { from: 0, to: 2, nodes: [node(31, 0, 1), node(32, 2, 2)] },
          { from: 8, to: 8, nodes: [node(32, 8, 3)] },
        ],
      },
    ],
  },
]

function node(depth: number, prefix: number, byte: number) {
  return { depth, prefix, key: key(byte) }
}
