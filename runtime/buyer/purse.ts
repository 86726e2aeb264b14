/**
 * The purse: one channel, and what we have promised from it to each device.
 *
 *   number                        authority        may
 *   amount of a device            this purse       rise; on the disk before it is signed
 *   spent of a device             this purse       rise, up to the amount; fall by what was evicted unsold
 *   period                        this purse       rise with every change of an amount
 *   limit                         whoever pays     be set for one run
 *
 *   spent ≤ amount, Σ amounts ≤ limit
 *
 * A period's tree is committed before it is signed, so that no crash makes us sign two trees for one.
 */
import { failpoint } from '../disk/failpoint.ts'
import { fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { larger, smaller } from '../wire/amount.ts'
import { isSignedBy, type Payment } from '../wire/payment.ts'
import { type Leaf, type PaymentTree, paymentTree } from '../wire/paymenttree.ts'
import type { Signer } from '../wire/signer.ts'
import { type Split, signSplit } from '../wire/split.ts'
import { signVoucher, type Voucher } from '../wire/voucher.ts'
import type { Books } from './books.ts'
import { type ChannelRow, channelBytes, type LeafRow } from './channels.ts'
import { affordable, noteAsked, takeBack } from './metering.ts'
import type { Want, Wish } from './want.ts'

/** Why a promise was not made: no grant yet, its cap, the limit of this run, or books that lost a promise. */
export type Short = 'no grant' | 'over the cap' | 'over the budget' | 'books incomplete'

export type Purchase = {
  readonly payment: Payment
  /** The wants that the promise pays for, the first ones of those asked. */
  readonly taken: readonly Want[]
}

export type Purse = {
  readonly channel: ChannelRow
  /** Everything promised from the channel, ever. */
  total(): bigint
  /** What may still be promised in this run. */
  left(): bigint
  leaf(device: Address): LeafRow | undefined
  /** Takes the place that the gateway gave a device. Throws SEAT_MOVED when it is another than before. */
  seat(device: Address, index: number): void
  /** Takes a device's cap as the gateway granted it. A promise above it would never be acknowledged. */
  grant(device: Address, cap: bigint): void
  /** Learns from a device's signed state what lost books no longer know; ignores what we did not sign. */
  recover(device: Address, payment: Payment, delivered: bigint): void
  /** The number of the next order, durable. */
  nextOrder(): bigint
  /**
   * Promises each device the price of as many of its wants as cap and limit allow, first ones first: one
   * period, one tree, two signatures for all. Durable before it returns.
   */
  buy(wishes: readonly Wish[]): Promise<readonly (Purchase | Short)[]>
  /** Meters an epoch that was asked for ahead, now that its header is seen. False when it was not paid for. */
  meter(device: Address, want: Want): boolean
  /** A metered epoch was evicted before it was delivered: its price is ours to spend on another. */
  release(device: Address, want: Want): void
  /** The newest promise to a device again; undefined before the first of the channel. */
  payment(device: Address): Promise<Payment | undefined>
  /** For the gateway: the newest voucher and split, and every leaf under it. */
  statement(): Promise<Statement | undefined>
}

export type Statement = {
  readonly voucher: Voucher
  readonly split: Split
  readonly leaves: readonly Leaf[]
}

export type PurseOptions = {
  readonly books: Books
  readonly signer: Signer
  readonly channel: ChannelRow
  /** The most that this run promises. */
  readonly budget: bigint
}

type State = Pick<PurseOptions, 'books' | 'signer'> & {
  readonly tree: PaymentTree
  readonly leaves: Map<Address, LeafRow>
  /** What the gateway granted each device; only rises. */
  readonly caps: Map<Address, bigint>
  channel: ChannelRow
  total: bigint
  /** What we once signed, says a device, though our own books do not: nothing is promised below it. */
  signedTotal: bigint
  limit: bigint
}

export function openPurse({ books, signer, channel, budget }: PurseOptions): Purse {
  const state: State = {
    books,
    signer,
    tree: paymentTree(),
    leaves: new Map(),
    caps: new Map(),
    channel,
    total: 0n,
    signedTotal: 0n,
    limit: 0n,
  }
  for (const leaf of books.channels.leaves(channel.id)) keep(state, leaf)
  state.limit = state.total + budget
  return {
    get channel() {
      return state.channel
    },
    total: () => state.total,
    left: () => leftOf(state),
    leaf: (device) => state.leaves.get(device),
    seat: (device, index) => seat(state, device, index),
    grant(device, cap) {
      state.caps.set(device, larger(cap, state.caps.get(device) ?? 0n))
    },
    recover: (device, payment, delivered) => recover(state, device, payment, delivered),
    nextOrder() {
      state.channel = { ...state.channel, order: state.channel.order + 1n }
      books.channels.put(state.channel)
      return state.channel.order
    },
    buy: (wishes) => buy(state, wishes),
    meter: (device, want) => meter(state, device, want),
    release: (device, want) => release(state, device, want),
    async payment(device) {
      const leaf = state.leaves.get(device)
      if (leaf === undefined || !maySign(state)) return undefined
      const path = state.tree.path(leaf.index)
      return { ...(await signed(state)), leaf: asLeaf(leaf), path }
    },
    async statement() {
      if (!maySign(state)) return undefined
      const under = [...state.leaves.values()].map(asLeaf)
      return { ...(await signed(state)), leaves: under }
    },
  }
}

function seat(state: State, device: Address, index: number): void {
  const known = state.leaves.get(device)
  if (known === undefined) commit(state, [{ index, device, amount: 0n, spent: 0n }])
  else if (known.index !== index) throw fault('SEAT_MOVED', { device, known: known.index, index })
}

function recover(state: State, device: Address, payment: Payment, delivered: bigint): void {
  const { channel, signer } = state
  const { voucher, split, leaf } = payment
  const known = state.leaves.get(device)
  if (known === undefined || leaf.device !== device || leaf.index !== known.index) return
  if (!isSignedBy(voucher, split, channel.rail, signer.address)) return
  state.signedTotal = larger(state.signedTotal, split.total)
  const isNews = split.period > channel.period || leaf.amount > known.amount
  const amount = larger(known.amount, leaf.amount)
  // What was asked for ahead is delivered before we see it: then its header says what is spent.
  const mayLag = !isNews && state.books.bought.isAhead(device)
  const spent = mayLag ? known.spent : smaller(larger(known.spent, delivered), amount)
  if (isNews) {
    commit(state, [{ ...known, amount, spent }], larger(channel.period, split.period) + 1n)
  } else if (spent > known.spent) commit(state, [{ ...known, spent }])
}

async function buy(state: State, wishes: readonly Wish[]): Promise<readonly (Purchase | Short)[]> {
  if (!isWhole(state)) return wishes.map(() => 'books incomplete')
  const bought = state.books.together(() => promiseAll(state, wishes))
  if (bought.every((one) => typeof one === 'string')) return bought
  failpoint('purse.committed')
  const shares = bought.map((one) =>
    typeof one === 'string' ? one : { ...one, path: state.tree.path(one.leaf.index) },
  )
  const { voucher, split } = await signed(state)
  return shares.map((one) => {
    if (typeof one === 'string') return one
    const { leaf, path, taken } = one
    return { payment: { voucher, split, leaf: asLeaf(leaf), path }, taken }
  })
}

type Share = { readonly leaf: LeafRow; readonly taken: readonly Want[] }

/** Puts every wish that fits into the next period's tree. */
function promiseAll(state: State, wishes: readonly Wish[]): (Share | Short)[] {
  const bought = wishes.map((wish) => promiseOne(state, wish))
  // One period for all of them, and another one even when no amount changed: it is said anew.
  if (bought.some((one) => typeof one !== 'string')) commit(state, [], state.channel.period + 1n)
  return bought
}

function promiseOne(state: State, { device, wants, ahead }: Wish): Share | Short {
  const leaf = state.leaves.get(device)
  const cap = state.caps.get(device)
  if (leaf === undefined || cap === undefined) return 'no grant'
  const room = smaller(leaf.amount + leftOf(state), cap)
  const { taken, spent } = affordable(state.books, leaf.spent, wants, room)
  if (taken.length === 0 && wants.length > 0) {
    return room === cap ? 'over the cap' : 'over the budget'
  }
  // What was promised ahead and is not seen yet is spoken for: the device sells it before this.
  const reserved = state.books.bought.isAhead(device) ? leaf.amount - leaf.spent : 0n
  const amount = larger(leaf.amount, smaller(spent + larger(ahead, reserved), room))
  noteAsked(state.books, taken)
  commit(state, [{ ...leaf, amount, spent }], state.channel.period)
  return { leaf: { ...leaf, amount, spent }, taken }
}

function meter(state: State, device: Address, want: Want): boolean {
  const leaf = state.leaves.get(device)
  if (leaf === undefined) return false
  const { books } = state
  return books.together(() => {
    const { taken, spent } = affordable(books, leaf.spent, [want], leaf.amount)
    noteAsked(books, taken)
    commit(state, [{ ...leaf, spent }])
    return taken.length > 0
  })
}

function release(state: State, device: Address, want: Want): void {
  const leaf = state.leaves.get(device)
  if (leaf === undefined) return
  state.books.together(() => {
    const spent = larger(leaf.spent - takeBack(state.books, want), 0n)
    commit(state, [{ ...leaf, spent }])
  })
}

/** Another tree is another period, once any was signed. */
function commit(
  state: State,
  changed: readonly LeafRow[],
  period = periodAfter(state, changed),
): void {
  const { books } = state
  const next = { ...state.channel, period }
  books.together(() => {
    books.channels.put(next)
    for (const leaf of changed) books.channels.putLeaf(next.id, leaf)
  })
  state.channel = next
  for (const leaf of changed) keep(state, leaf)
}

function periodAfter({ leaves, channel }: State, changed: readonly LeafRow[]): bigint {
  const isNew = changed.some(({ device, amount }) => leaves.get(device)?.amount !== amount)
  return isNew && channel.period > 0n ? channel.period + 1n : channel.period
}

function keep(state: State, leaf: LeafRow): void {
  state.total += leaf.amount - (state.leaves.get(leaf.device)?.amount ?? 0n)
  state.leaves.set(leaf.device, leaf)
  state.tree.set(asLeaf(leaf))
}

/** Voucher and split of the tree as it is committed now, whatever is committed while they are signed. */
async function signed({ channel, tree, signer }: State) {
  const { rail, period } = channel
  const id = channelBytes(channel)
  const { root, total } = tree.root()
  const [voucher, split] = await Promise.all([
    signVoucher({ channelId: id, maxClaimableAmount: total }, rail, signer),
    signSplit({ channelId: id, period, total, root }, rail, signer),
  ])
  return { voucher, split }
}

function isWhole({ total, signedTotal }: State): boolean {
  return total >= signedTotal
}

function maySign(state: State): boolean {
  return isWhole(state) && state.channel.period > 0n
}

function leftOf({ limit, total }: State): bigint {
  return larger(limit - total, 0n)
}

function asLeaf({ index, device, amount }: LeafRow): Leaf {
  return { index, device, amount }
}
