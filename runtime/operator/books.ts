/**
 * Taking a buyer's books: voucher, split and the leaves that changed. Pure but for the two
 * signatures that it recovers.
 *
 * An ack says that voucher and every leaf under the root are on disk here, so a device may count on
 * being paid for its leaf. Therefore nothing is taken in part: either the leaves we hold and the
 * changed ones together hash to the signed root, or the books stay where they were.
 */
import type { Address } from '../wire/address.ts'
import { equal, hex, unhex } from '../wire/bytes.ts'
import { isSignedBy, type Payment } from '../wire/payment.ts'
import { type Leaf, paymentTree, verifyLeaf } from '../wire/paymenttree.ts'
import { type Refusal, refusal, refuse } from '../wire/refusal.ts'
import type { Split } from '../wire/split.ts'
import type { Voucher } from '../wire/voucher.ts'
import { type Channel, end, isOpen, type Member } from './channel.ts'

export type BooksShown = {
  readonly voucher: Voucher
  readonly split: Split
  /**
   * The leaves that changed since the acked books; one device's own leaf when it shows its sale.
   */
  readonly leaves: readonly Leaf[]
}

type Signed = Pick<BooksShown, 'voucher' | 'split'>

export type Taken = {
  /**
   * What to keep, refused or not: a good voucher counts even when the leaves under it are unknown. Not so
   * once its payer withdraws: devices take no promise any more, and what they took they show themselves.
   */
  readonly channel: Channel
  readonly refusal?: Refusal
}

/**
 * Splits of a channel that are remembered while their books are not complete, to notice two trees.
 */
export const splitsMax = 256

/**
 * Takes newer books, or says why not. Equal or older ones change nothing and are no mistake: a
 * message may come twice. Two signed splits of one period end the channel.
 */
export function takeBooks(channel: Channel, shown: BooksShown, timeMs: number): Taken {
  const no = check(channel, shown)
  if (no !== undefined) return { channel, refusal: no }
  if (channel.ended === 'withdrawal') return { channel, refusal: refusal('channel-withdrawing') }
  const kept = remember(channel, shown)
  const { period, total, root } = shown.split
  if (kept.ended === 'two trees') {
    return { channel: kept, refusal: refusal('promise-two-trees', { period }) }
  }
  if (period <= kept.acked.period) return { channel: kept }
  // The deposit is not where it was: the voucher is kept, and an ack must wait.
  if (!isOpen(kept)) return { channel: kept, refusal: refusal('channel-unknown') }
  const changed = withLeaves(kept.members, shown.leaves)
  if (!changed.ok) {
    // No device takes a leaf over its cap, so what was signed for it was promised to nobody.
    const over = changed.refusal.code === 'books-over-cap'
    return { channel: over ? withoutVoucher(kept, channel) : kept, refusal: changed.refusal }
  }
  const tree = treeOf(changed.members)
  if (tree.total !== total || !equal(tree.root, root)) {
    const facts = { period, known: kept.acked.period }
    return { channel: kept, refusal: refusal('books-root', facts) }
  }
  const acked = { period, root: hex(root), total, timeMs }
  const splits = after(kept.splits, period)
  return { channel: { ...kept, members: changed.members, acked, splits } }
}

/** Notes a payment that `device` shows to have taken: it is owed its leaf, however the channel ends. */
export function takeShown(channel: Channel, device: Address, payment: Payment): Channel {
  const { split, leaf, path } = payment
  const member = channel.members[leaf.index]
  if (leaf.device !== device || member?.device !== device || leaf.amount > member.cap)
    return channel
  if (leaf.amount <= (member.taken ?? 0n)) return channel
  if (!verifyLeaf(leaf, path, split.root, split.total)) return channel
  if (check(channel, payment) !== undefined) return channel
  const kept = remember(channel, payment)
  const members = kept.members.with(leaf.index, { ...member, taken: leaf.amount })
  return { ...kept, members }
}

/** Both signatures are the payer's, over this channel and over one total. */
function check(channel: Channel, { voucher, split }: Signed): Refusal | undefined {
  const id = unhex(channel.id)
  const expected = channel.config.payerAuthorizer
  if (!equal(voucher.channelId, id) || !equal(split.channelId, id)) {
    return refusal('promise-channel')
  }
  if (voucher.maxClaimableAmount !== split.total) {
    const facts = { total: split.total, voucher: voucher.maxClaimableAmount }
    return refusal('promise-total', facts)
  }
  const signed = isSignedBy(voucher, split, channel.rail, expected)
  return signed ? undefined : refusal('promise-signature', { expected })
}

type Changed =
  | { readonly ok: true; readonly members: readonly Member[] }
  | { readonly ok: false; readonly refusal: Refusal }

/** The members with the changed leaves; caps hold, and so the total stays within the balance. */
function withLeaves(before: readonly Member[], leaves: readonly Leaf[]): Changed {
  const members = [...before]
  for (const { index, device, amount } of leaves) {
    const member = members[index]
    if (member?.device !== device) return refuse('promise-leaf')
    const { cap, paid: known = 0n } = member
    if (amount > cap) return refuse('books-over-cap', { index, amount, cap })
    if (amount < known) return refuse('books-lower', { index, known, amount })
    members[index] = { ...member, paid: amount }
  }
  return { ok: true, members }
}

/** Keeps the larger voucher and the split's root; a second root for its period ends the channel. */
function remember(channel: Channel, { voucher, split }: Signed): Channel {
  const root = hex(split.root)
  const { acked, splits } = channel
  const known = split.period === acked.period ? acked.root : splits.get(split.period)
  const more = voucher.maxClaimableAmount > (channel.voucher?.maxClaimableAmount ?? 0n)
  const kept: Channel = more ? { ...channel, voucher } : channel
  if (known !== undefined) return known === root ? kept : end(kept, 'two trees')
  if (split.period < acked.period || splits.size >= splitsMax) return kept
  return { ...kept, splits: new Map([...splits, [split.period, root]]) }
}

/** The channel with no other voucher than it had before. */
function withoutVoucher({ voucher: _, ...kept }: Channel, { voucher }: Channel): Channel {
  return voucher === undefined ? kept : { ...kept, voucher }
}

/** Splits that the acked books have overtaken can do no harm any more. */
function after(splits: Channel['splits'], period: bigint): Channel['splits'] {
  return new Map([...splits].filter(([other]) => other > period))
}

function treeOf(members: readonly Member[]): { root: Uint8Array; total: bigint } {
  const tree = paymentTree()
  for (const [index, { device, paid }] of members.entries()) {
    if (paid !== undefined) tree.set({ index, device, amount: paid })
  }
  return tree.root()
}
