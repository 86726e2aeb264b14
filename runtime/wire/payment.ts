/**
 * A payment: one period's voucher and split, with the leaf and path that show what of it is one
 * device's.
 */
import type { Address } from './address.ts'
import { equal } from './bytes.ts'
import { address, amount, bytes, row, type Shape, uint64, whole } from './cborshape.ts'
import type { Rail } from './channel.ts'
import { type Leaf, pathShape, type Step, verifyLeaf } from './paymenttree.ts'
import { type Refusal, refuse } from './refusal.ts'
import { recoverSplit, type Split } from './split.ts'
import { recoverVoucher, type Voucher } from './voucher.ts'

export type Payment = {
  readonly voucher: Voucher
  readonly split: Split
  readonly leaf: Leaf
  readonly path: readonly Step[]
}

export type PaymentGround = {
  readonly channelId: Uint8Array
  readonly rail: Rail
  readonly payerAuthorizer: Address
  readonly device: Address
  /** From the grant. */
  readonly index: number
}

export type CheckedPayment =
  | { readonly ok: true; readonly news: boolean }
  | { readonly ok: false; readonly refusal: Refusal }

/**
 * Checks a payment against the last one that was taken. `news` is false for an equal or older one,
 * which changes nothing. What is cheap comes first; both signatures come last. The cap is the
 * account's rule.
 */
export function checkPayment(
  payment: Payment,
  ground: PaymentGround,
  last: Payment | undefined,
): CheckedPayment {
  const { voucher, split, leaf } = payment
  const { channelId, device, index } = ground
  if (!equal(voucher.channelId, channelId) || !equal(split.channelId, channelId)) {
    return refuse('promise-channel')
  }
  if (split.total !== voucher.maxClaimableAmount) {
    return refuse('promise-total', { total: split.total, voucher: voucher.maxClaimableAmount })
  }
  if (leaf.device !== device || leaf.index !== index) return refuse('promise-leaf')
  if (last !== undefined) {
    const { period } = split
    if (period < last.split.period) return { ok: true, news: false }
    if (period === last.split.period) {
      const same = equal(split.root, last.split.root) && split.total === last.split.total
      return same ? { ok: true, news: false } : refuse('promise-two-trees', { period })
    }
    if (leaf.amount < last.leaf.amount || split.total < last.split.total) {
      return refuse('promise-lower', { amount: leaf.amount, promised: last.leaf.amount })
    }
  }
  if (!verifyLeaf(leaf, payment.path, split.root, split.total)) return refuse('promise-path')
  return checkSigned(voucher, split, ground)
}

/** True when voucher and split are both signed by the channel's payerAuthorizer. */
export function isSignedBy(voucher: Voucher, split: Split, rail: Rail, signer: Address): boolean {
  return recoverVoucher(voucher, rail) === signer && recoverSplit(split, rail) === signer
}

/**
 * On the wire a payment is flat: channel and total stand once, so voucher and split cannot
 * disagree.
 */
export const paymentShape: Shape<Payment> = {
  write(payment) {
    const { voucher, split, leaf, path } = payment
    const { channelId, total } = split
    const agree = equal(voucher.channelId, channelId) && voucher.maxClaimableAmount === total
    if (!agree) throw new RangeError('voucher and split are not of one channel and total')
    const signatures = { voucher: voucher.signature, split: split.signature }
    return flatShape.write({ ...split, ...leaf, ...signatures, path })
  },
  read(value, what) {
    const flat = flatShape.read(value, what)
    const { channelId, period, total, root, index, device, path } = flat
    return {
      voucher: { channelId, maxClaimableAmount: total, signature: flat.voucher },
      split: { channelId, period, total, root, signature: flat.split },
      leaf: { index, device, amount: flat.amount },
      path,
    }
  },
}

type FlatPayment = Omit<Split, 'signature'> &
  Leaf & {
    /** The two signatures. */
    readonly voucher: Uint8Array
    readonly split: Uint8Array
    readonly path: readonly Step[]
  }

const flatShape: Shape<FlatPayment> = row<FlatPayment>({
  channelId: bytes(32),
  period: uint64,
  total: amount(96),
  root: bytes(32),
  voucher: bytes(65),
  split: bytes(65),
  index: whole(32),
  device: address,
  amount: amount(96),
  path: pathShape,
})

function checkSigned(voucher: Voucher, split: Split, ground: PaymentGround): CheckedPayment {
  const { rail, payerAuthorizer } = ground
  if (isSignedBy(voucher, split, rail, payerAuthorizer)) return { ok: true, news: true }
  return refuse('promise-signature', { expected: payerAuthorizer })
}
