/** Payments as one device is asked to take them, one after the other, with what it answers to each. */

import { promise as promised } from '../../../runtime/wire/account.ts'
import { encodeShape } from '../../../runtime/wire/cborshape.ts'
import type { Payment } from '../../../runtime/wire/payment.ts'
import { checkPayment, paymentShape } from '../../../runtime/wire/payment.ts'
import { type Leaf, paymentTree } from '../../../runtime/wire/paymenttree.ts'
import type { Signer } from '../../../runtime/wire/signer.ts'
import { signSplit } from '../../../runtime/wire/split.ts'
import { signVoucher } from '../../../runtime/wire/voucher.ts'
import { buyer, channel, device, leaves, operator, rail } from './sample.ts'

const cap = 4_000_000n
const ground = {
  channelId: channel,
  rail,
  payerAuthorizer: buyer.address,
  device: device.address,
  index: 2,
}

export async function paymentsVector() {
  const taken = await paid({ period: 12n })
  const higher = await paid({ period: 14n, amount: 3_000_000n })
  const beside = { ...(higher.path[0] as Payment['path'][0]), sum: 1n }
  const other = operator.address
  const asked: readonly (readonly [what: string, payment: Payment, answer: string])[] = [
    ['the first', taken, 'taken'],
    ['the same again', taken, 'old'],
    ['of an older period', await paid({ period: 11n, amount: 2_600_000n }), 'old'],
    [
      'another tree for the same period',
      await paid({ period: 12n, amount: 2_600_000n }),
      'promise-two-trees',
    ],
    ['less than before', await paid({ period: 13n, amount: 2_400_000n }), 'promise-lower'],
    [
      'of another channel',
      await paid({ period: 14n, channelId: new Uint8Array(32) }),
      'promise-channel',
    ],
    ['at the place of another device', await paid({ period: 14n, at: 3 }), 'promise-leaf'],
    ['a leaf above the one in the tree', bent(higher, { amount: 3_000_001n }), 'promise-path'],
    [
      'a path with another sum',
      { ...higher, path: [beside, ...higher.path.slice(1)] },
      'promise-path',
    ],
    ['a path that is cut short', { ...higher, path: higher.path.slice(0, -1) }, 'promise-path'],
    [
      'a path too short for its index',
      { ...higher, path: higher.path.slice(0, 1) },
      'promise-path',
    ],
    [
      'signed by another key',
      await paid({ period: 14n, amount: 3_000_000n, signer: operator }),
      'promise-signature',
    ],
    [
      'signed for another chain',
      await paid({ period: 14n, amount: 3_000_000n, chainId: 1 }),
      'promise-signature',
    ],
    ['of another device', bent(higher, { device: other }), 'promise-leaf'],
    ['above the cap', await paid({ period: 14n, amount: cap + 1n }), 'promise-over-cap'],
    ['a newer period', higher, 'taken'],
    ['up to the cap, periods left out', await paid({ period: 900n, amount: cap }), 'taken'],
  ]
  let last: Payment | undefined
  const steps = asked.map(([what, payment, answer]) => {
    if (answerTo(payment, last) !== answer) throw new RangeError(`${what}: not ${answer}`)
    if (answer === 'taken') last = payment
    const bytes = encodeShape(paymentShape, payment)
    return { what, payment: bytes, answer, promised: last?.leaf.amount ?? 0n }
  })
  return { ground: { ...ground, cap }, steps }
}

/** What our own rules answer, so that the file cannot say otherwise. */
function answerTo(payment: Payment, last: Payment | undefined): string {
  const checked = checkPayment(payment, ground, last)
  if (!checked.ok) return checked.refusal.code
  if (!checked.news) return 'old'
  const account = { cap, promised: 0n, delivered: 0n, acknowledged: 0n, exposureMax: 0n }
  const outcome = promised(account, payment.leaf.amount)
  return outcome.ok ? 'taken' : outcome.refusal.code
}

type Paid = {
  readonly period: bigint
  readonly amount?: bigint
  readonly channelId?: Uint8Array
  readonly at?: number
  readonly signer?: Signer
  readonly chainId?: number
}

/** The fleet's tree with another amount for the device, signed. */
async function paid(options: Paid): Promise<Payment> {
  const { period, amount = 2_500_000n, channelId = channel, at = 2, signer = buyer } = options
  const where = { ...rail, chainId: options.chainId ?? rail.chainId }
  const tree = paymentTree()
  for (const leaf of leaves) tree.set(leaf.index === 2 ? { ...leaf, amount } : leaf)
  const { root, total } = tree.root()
  const voucher = await signVoucher({ channelId, maxClaimableAmount: total }, where, signer)
  const split = await signSplit({ channelId, period, total, root }, where, signer)
  const leaf = { ...(leaves[at] as Leaf), ...(at === 2 ? { amount } : {}) }
  return { voucher, split, leaf, path: tree.path(at) }
}

function bent(payment: Payment, over: Partial<Leaf>): Payment {
  return { ...payment, leaf: { ...payment.leaf, ...over } }
}
