import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeBooks } from '../../runtime/operator/books.ts'
import { type Channel, claimable, join, observe } from '../../runtime/operator/channel.ts'
import { deal } from '../../runtime/operator/deal.ts'
import { books, device, funded, stranger } from './fixture.ts'

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

test('books of a channel with a withdrawal are not acked, and still claimed', async () => {
  const channel = observe(
    fleet(1, 100n),
    {
      balance: 100n,
      totalClaimed: 0n,
      withdrawal: { amount: 100n },
    },
    0,
  )
  const { channel: kept, refusal } = takeBooks(channel, await books(channel, 1n, [leaf(0, 60n)]), 1)
  assert.equal(refusal?.code, 'channel-withdrawing')
  assert.deepEqual([kept.acked.period, claimable(kept)], [0n, 60n])
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
