import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitsMax, takeBooks, takeShown } from '../../runtime/operator/books.ts'
import {
  type Channel,
  claimable,
  claimTotal,
  join,
  observe,
} from '../../runtime/operator/channel.ts'
import { deal } from '../../runtime/operator/deal.ts'
import type { Payment } from '../../runtime/wire/payment.ts'
import { type Leaf, paymentTree } from '../../runtime/wire/paymenttree.ts'
import { books, buyer, device, funded, stranger } from './fixture.ts'

const leaf = (index: number, amount: bigint) => ({ index, device: device(index), amount })
const fleet = (count: number, balance: bigint): Channel =>
  deal(
    join(
      funded(balance),
      Array.from({ length: count }, (_, i) => device(i)),
      {
        alone: count === 1,
        untilMs: 1_000,
      },
    ),
  )

test('complete books are taken, in changes since the last', async () => {
  let channel = fleet(4, 800n)
  const first = [leaf(0, 10n), leaf(1, 20n), leaf(2, 0n), leaf(3, 5n)]
  channel = taken(channel, await books(channel, 1n, first))
  assert.equal(channel.acked.total, 35n)
  const second = [leaf(0, 10n), leaf(1, 25n), leaf(2, 0n), leaf(3, 5n)]
  channel = taken(channel, await books(channel, 2n, second, [leaf(1, 25n)]))
  assert.deepEqual([channel.acked.period, channel.acked.total, claimable(channel)], [2n, 40n, 40n])
})

test('leaves that are not all there are not acked, but the voucher is kept for the claim', async () => {
  const channel = fleet(2, 400n)
  const shown = await books(channel, 1n, [leaf(0, 10n), leaf(1, 20n)], [leaf(0, 10n)])
  const { channel: kept, refusal } = takeBooks(channel, shown, 1)
  assert.equal(refusal?.code, 'books-root')
  assert.equal(kept.acked.period, 0n)
  assert.equal(claimable(kept), 30n)
})

test('leaves that add up to the total under another root are not acked', async () => {
  const channel = fleet(2, 400n)
  const signed = [leaf(0, 10n), leaf(1, 20n)]
  const shown = await books(channel, 1n, signed, [leaf(0, 20n), leaf(1, 10n)])
  const { channel: kept, refusal } = takeBooks(channel, shown, 1)
  assert.equal(refusal?.code, 'books-root')
  assert.deepEqual([kept.acked, kept.members], [channel.acked, channel.members])
})

test('of splits whose leaves never come only so many are remembered', async () => {
  const many = Array.from({ length: splitsMax }, (_, i) => [BigInt(i + 1), `0x${i}`] as const)
  const channel = { ...fleet(2, 400n), splits: new Map(many) }
  const period = BigInt(splitsMax + 1)
  const shown = await books(channel, period, [leaf(0, 10n), leaf(1, 20n)], [leaf(0, 10n)])
  const { channel: kept, refusal } = takeBooks(channel, shown, 1)
  assert.equal(refusal?.code, 'books-root')
  assert.deepEqual(kept.splits, channel.splits)
})

test('equal and older books change nothing and are no mistake', async () => {
  let channel = fleet(1, 100n)
  const one = await books(channel, 1n, [leaf(0, 10n)])
  const two = await books(channel, 2n, [leaf(0, 20n)])
  channel = taken(taken(channel, one), two)
  for (const old of [one, two, one]) {
    assert.deepEqual(takeBooks(channel, old, 2), { channel })
  }
})

test('a buyer that signs two trees for one period gets no more acks', async () => {
  for (const known of ['acked', 'only seen'] as const) {
    let channel = fleet(2, 400n)
    const honest = [leaf(0, 10n), leaf(1, 20n)]
    const shown = await books(channel, 1n, honest, known === 'acked' ? honest : [leaf(0, 10n)])
    channel = takeBooks(channel, shown, 1).channel
    const other = await books(channel, 1n, [leaf(0, 30n), leaf(1, 0n)])
    const caught = takeBooks(channel, other, 1)
    assert.equal(caught.refusal?.code, 'promise-two-trees', known)
    assert.equal(caught.channel.ended, 'two trees')
    const later = await books(channel, 2n, [leaf(0, 10n), leaf(1, 20n)])
    const after = takeBooks(caught.channel, later, 1)
    assert.equal(after.refusal?.code, 'promise-two-trees')
    assert.equal(after.channel.acked.period, known === 'acked' ? 1n : 0n)
  }
})

const withdrawing = (channel: Channel): Channel => {
  const { balance } = channel
  return observe(channel, { balance, totalClaimed: 0n, withdrawal: { amount: balance } }, 0)
}

test('what a payer who withdraws promises is neither acked nor claimed: no device takes it', async () => {
  const acked = taken(fleet(1, 100n), await books(fleet(1, 100n), 1n, [leaf(0, 40n)]))
  const channel = withdrawing(acked)
  const { channel: kept, refusal } = takeBooks(channel, await books(channel, 2n, [leaf(0, 60n)]), 1)
  assert.equal(refusal?.code, 'channel-withdrawing')
  assert.equal(kept, channel)
  assert.equal(claimable(kept), 40n)
})

test('what a device shows to have taken is claimed of a payer who withdraws, and of the same tree no more', async () => {
  const before = fleet(3, 600n)
  const acked = taken(before, await books(before, 1n, [leaf(0, 10n), leaf(1, 20n), leaf(2, 5n)]))
  const shown = await shownBy(acked, 2n, [leaf(0, 10n), leaf(1, 50n), leaf(2, 40n)])
  // Of the total of 100 the first has 10 to count on, the second took 50, the third refused: 10 + 50 + 5.
  for (const channel of [
    takeShown(withdrawing(acked), device(1), shown(1)),
    withdrawing(takeShown(acked, device(1), shown(1))),
  ]) {
    assert.deepEqual([claimTotal(channel), claimable(channel)], [65n, 65n])
    assert.equal(channel.voucher?.maxClaimableAmount, 100n)
    assert.equal(claimTotal(takeShown(channel, device(1), shown(1))), 65n, 'twice is once')
    const older = (await shownBy(acked, 1n, [leaf(0, 10n), leaf(1, 20n), leaf(2, 5n)]))(1)
    assert.equal(claimTotal(takeShown(channel, device(1), older)), 65n, 'and an older one nothing')
  }
  // While nobody withdraws the whole voucher counts.
  assert.equal(claimable(takeShown(acked, device(1), shown(1))), 100n)
})

test('nobody shows a payment in the name of another, over its cap, or with a path that proves nothing', async () => {
  const before = fleet(2, 400n)
  const channel = withdrawing(before)
  const honest = (await shownBy(channel, 1n, [leaf(0, 30n), leaf(1, 20n)]))(0)
  const over = (await shownBy(channel, 1n, [leaf(0, 101n), leaf(1, 20n)]))(0)
  const forged = (await shownBy(channel, 1n, [leaf(0, 30n), leaf(1, 20n)], stranger))(0)
  for (const [by, payment] of [
    [device(1), honest],
    [device(0), over],
    [device(0), forged],
    [device(0), { ...honest, leaf: leaf(0, 31n) }],
    [device(0), { ...honest, path: [] }],
    [device(0), { ...honest, leaf: { ...honest.leaf, index: 1 } }],
  ] as const) {
    assert.equal(takeShown(channel, by, payment), channel)
  }
  assert.equal(claimTotal(takeShown(channel, device(0), honest)), 30n)
})

test('no leaf passes its cap, goes down, or stands in another place', async () => {
  let channel = fleet(4, 800n)
  const all = [leaf(0, 10n), leaf(1, 20n), leaf(2, 30n), leaf(3, 40n)]
  channel = taken(channel, await books(channel, 1n, all))
  const cases = [
    ['books-over-cap', [leaf(0, 101n), ...all.slice(1)]],
    ['books-lower', [leaf(0, 9n), leaf(1, 21n), ...all.slice(2)]],
    ['promise-leaf', [{ ...leaf(0, 10n), device: device(1) }, ...all.slice(1)]],
    ['promise-leaf', [...all, leaf(4, 1n)]],
  ] as const
  for (const [code, leaves] of cases) {
    const { channel: kept, refusal } = takeBooks(channel, await books(channel, 2n, leaves), 1)
    assert.equal(refusal?.code, code)
    assert.deepEqual(kept.acked, channel.acked)
    assert.deepEqual(kept.members, channel.members)
  }
  // Nobody was promised more than its cap, so nobody claims it.
  const over = await books(channel, 3n, [leaf(0, 101n), ...all.slice(1)])
  assert.equal(takeBooks(channel, over, 1).channel.voucher, channel.voucher)
})

test('signatures of anybody else, or over two totals, or of another channel, change nothing', async () => {
  const channel = fleet(1, 100n)
  const shown = await books(channel, 1n, [leaf(0, 10n)])
  const forged = await books(channel, 1n, [leaf(0, 10n)], undefined, stranger)
  const more = await books(channel, 1n, [leaf(0, 11n)])
  const other = funded(100n, { salt: new Uint8Array(32) })
  const cases = [
    ['promise-signature', forged],
    ['promise-signature', { ...shown, voucher: forged.voucher }],
    ['promise-total', { ...shown, voucher: more.voucher }],
    ['promise-channel', await books(other, 1n, [leaf(0, 10n)])],
  ] as const
  for (const [code, bad] of cases) {
    assert.deepEqual(takeBooks(channel, bad, 1).channel, channel)
    assert.equal(takeBooks(channel, bad, 1).refusal?.code, code)
  }
})

function taken(channel: Channel, shown: Parameters<typeof takeBooks>[1]): Channel {
  const { channel: next, refusal } = takeBooks(channel, shown, 1)
  assert.equal(refusal, undefined)
  return next
}

/** The payment of each device under one tree. */
async function shownBy(
  channel: Channel,
  period: bigint,
  leaves: readonly Leaf[],
  signer = buyer,
): Promise<(index: number) => Payment> {
  const { voucher, split } = await books(channel, period, leaves, leaves, signer)
  const tree = paymentTree()
  for (const one of leaves) tree.set(one)
  return (index) => ({ voucher, split, leaf: leaves[index] as Leaf, path: tree.path(index) })
}
