import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { Purchase, Short } from '../../runtime/buyer/purse.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { hex, unhex } from '../../runtime/wire/bytes.ts'
import { checkPayment, type Payment } from '../../runtime/wire/payment.ts'
import { paymentTree } from '../../runtime/wire/paymenttree.ts'
import { due } from '../../runtime/wire/price.ts'
import { type Split, signSplit } from '../../runtime/wire/split.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'
import { buyer, device as deviceAt, rail, stranger } from '../operator/fixture.ts'
import { openTestPurse, price, wantOf } from './purses.ts'

async function folderFor(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-purse-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

const splitOf = ([one]: readonly (Purchase | Short)[]) =>
  typeof one === 'object' ? one.payment.split : undefined

test('what a purse promises is accepted by every device, period after period', async (t) => {
  const { books, purse, devices } = await openTestPurse(await folderFor(t), 1_000_000n, 5)
  const last = new Map<string, Payment>()
  for (let number = 1; number <= 12; number += 1) {
    const some = devices.filter((_, i) => (number + i) % 2 === 0)
    const wishes = some.map((device) => ({ device, wants: [wantOf(device, number)], ahead: 0n }))
    const bought = await purse.buy(wishes)
    for (const [i, one] of bought.entries()) {
      assert.ok(typeof one === 'object')
      const device = some[i] as (typeof some)[0]
      const index = devices.indexOf(device)
      const channelId = unhex(purse.channel.id)
      const ground = { channelId, rail, payerAuthorizer: buyer.address, device, index }
      const checked = checkPayment(one.payment, ground, last.get(device))
      assert.deepEqual(checked, { ok: true, news: true })
      last.set(device, one.payment)
    }
  }
  await books.close()
})

test('due is one rounding of all time bought, however it is cut, and no budget is passed', async (t) => {
  const base = await folderFor(t)
  let run = 0
  const cut = fc.array(fc.bigInt({ min: 0n, max: 3000n }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(cut, fc.bigInt({ min: 0n, max: 20_000n }), async (pieces, budget) => {
      run += 1
      const { books, purse, device } = await openTestPurse(join(base, `${run}`), budget)
      let boughtMs = 0n
      for (const [i, ms] of pieces.entries()) {
        const [one] = await purse.buy([{ device, wants: [wantOf(device, i, ms)], ahead: 0n }])
        if (typeof one === 'object') boughtMs += ms
        else assert.ok(due(boughtMs + ms, price) > budget)
        assert.ok(purse.total() <= budget)
      }
      assert.equal(purse.total(), due(boughtMs, price))
      assert.equal(books.bought.coveredMs(wantOf(device, 0).meter), boughtMs)
      await books.close()
    }),
    { numRuns: 12 },
  )
})

test('killed at its worst moment, a purse never signs two trees for one period', async (t) => {
  const folder = await folderFor(t)
  const program = fileURLToPath(new URL('./crashing.ts', import.meta.url))
  const roots = new Map<string, string>()
  let total = 0n
  for (const place of ['purse.committed:3', 'purse.committed', 'purse.committed:5']) {
    const { signal, stdout, stderr } = spawnSync(execPath, [program, folder, place])
    assert.equal(signal, 'SIGKILL', stderr.toString())
    for (const line of stdout.toString().trim().split('\n').filter(Boolean)) {
      const [period = '', sum = '', root = ''] = line.split(' ')
      assert.ok(!roots.has(period), `period ${period} was signed twice`)
      roots.set(period, root)
      assert.ok(BigInt(sum) > total)
      total = BigInt(sum)
    }
    const { books, purse, device } = await openTestPurse(folder, 0n)
    // What was committed and never said is said after the restart, under the same period and root.
    const payment = await purse.payment(device)
    assert.ok(payment)
    const { period, root } = payment.split
    assert.equal(roots.get(String(period)) ?? hex(root), hex(root))
    roots.set(String(period), hex(root))
    total = payment.split.total
    await books.close()
  }
})

test('a purse is for one process at a time', async (t) => {
  const folder = await folderFor(t)
  const { books } = await openTestPurse(folder, 1n)
  await assert.rejects(openTestPurse(folder, 1n), /another process already works in/)
  await books.close()
  const again = await openTestPurse(folder, 1n)
  await again.books.close()
})

test('whatever is done in whatever order, no period has two trees, and lost books say nothing less', async (t) => {
  const base = await folderFor(t)
  let run = 0
  const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(3), fc.nat(200)), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      run += 1
      const folder = join(base, `${run}`)
      let { books, purse, device } = await openTestPurse(folder, 1_000_000n)
      const roots = new Map<bigint, string>()
      const shown = (split: Split | undefined) => {
        if (split === undefined) return
        const root = `${split.total} ${hex(split.root)}`
        assert.equal(roots.get(split.period) ?? root, root)
        roots.set(split.period, root)
      }
      for (const [number, [step, which, ms]] of all.entries()) {
        const to = deviceAt(which)
        if (step === 0) purse.seat(to, which)
        if (step === 1) {
          const wish = { device: to, wants: [wantOf(to, number, BigInt(ms))], ahead: 0n }
          shown(splitOf(await purse.buy([wish])))
        }
        if (step === 2) shown((await purse.payment(to))?.split)
        if (step === 3) shown((await purse.statement())?.split)
        if (step === 4) {
          await books.close()
          ;({ books, purse, device } = await openTestPurse(folder, 1_000_000n))
        }
      }
      assert.equal(purse.leaf(device)?.index, 0)
      await books.close()
    }),
    { numRuns: 10 },
  )
})

test('books that lost a promise promise nothing below what they once signed', async (t) => {
  const folder = await folderFor(t)
  const { books, purse, devices } = await openTestPurse(folder, 10_000n, 2)
  const [a, b] = devices as [Address, Address]
  const buy = async (from: typeof purse, device: Address, number: number) => {
    const [one] = await from.buy([{ device, wants: [wantOf(device, number)], ahead: 0n }])
    return (typeof one === 'object' ? one.payment : one) as Payment
  }
  const toA = await buy(purse, a, 1)
  const toB = await buy(purse, b, 1)
  await books.close()

  const lost = await openTestPurse(join(folder, 'new'), 10_000n, 2)
  lost.purse.recover(b, toB, 100n)
  // Device a holds 100 too: until it has spoken, any tree of ours would say less than we signed.
  assert.equal(await buy(lost.purse, b, 2), 'books incomplete')
  assert.deepEqual(
    [await lost.purse.payment(b), await lost.purse.statement()],
    [undefined, undefined],
  )
  lost.purse.recover(a, toA, 100n)
  const next = await buy(lost.purse, b, 2)
  assert.deepEqual([next.leaf.amount, next.split.total], [200n, 300n])
  assert.ok(next.split.period > toB.split.period)
  await lost.books.close()
})

test('what a device shows counts only when we signed it, for that device, in its place', async (t) => {
  const { books, purse, devices } = await openTestPurse(await folderFor(t), 10_000n, 2)
  const [a, b] = devices as [Address, Address]
  const [one] = await purse.buy([{ device: a, wants: [wantOf(a, 1)], ahead: 0n }])
  assert.ok(typeof one === 'object')
  const { payment } = one
  const lies = [
    [b, payment],
    [a, { ...payment, leaf: { ...payment.leaf, index: 1, amount: 900n } }],
    [a, { ...payment, leaf: { ...payment.leaf, device: b, amount: 900n } }],
    [a, await signedBy(stranger, payment, 900n)],
  ] as const
  const before = [purse.channel, purse.leaf(a), purse.leaf(b), purse.total()]
  for (const [device, shown] of lies) purse.recover(device, shown, 900n)
  assert.deepEqual([purse.channel, purse.leaf(a), purse.leaf(b), purse.total()], before)
  purse.recover(a, await signedBy(buyer, payment, 900n), 900n)
  assert.equal(purse.leaf(a)?.amount, 900n)
  await books.close()
})

/** A promise of the next period, of so much to the one leaf. */
async function signedBy(
  signer: typeof buyer,
  { leaf, split }: Payment,
  amount: bigint,
): Promise<Payment> {
  const { channelId } = split
  const tree = paymentTree()
  tree.set({ ...leaf, amount })
  const { root, total } = tree.root()
  const voucher = { channelId, maxClaimableAmount: total }
  return {
    voucher: await signVoucher(voucher, rail, signer),
    split: await signSplit({ channelId, period: split.period + 1n, total, root }, rail, signer),
    leaf: { ...leaf, amount },
    path: tree.path(leaf.index),
  }
}

test('an epoch that was evicted before it came gives back its price and its time, to the unit', async (t) => {
  const { books, purse, device } = await openTestPurse(await folderFor(t), 10_000n)
  const wants = [wantOf(device, 1, 333n), wantOf(device, 2, 333n)]
  await purse.buy([{ device, wants, ahead: 0n }])
  const [first] = wants as [(typeof wants)[0]]
  assert.equal(purse.leaf(device)?.spent, due(666n, price))
  purse.release(device, first)
  assert.equal(purse.leaf(device)?.spent, due(333n, price))
  assert.equal(books.bought.coveredMs(first.meter), 333n)
  // What it had cost buys another, without a unit more.
  assert.ok(purse.meter(device, wantOf(device, 3, 333n)))
  assert.deepEqual([purse.leaf(device)?.spent, purse.total()], [due(666n, price), due(666n, price)])
  await books.close()
})

test('the place of a device in the tree is given once', async (t) => {
  const { books, purse, device } = await openTestPurse(await folderFor(t), 1n)
  purse.seat(device, 0)
  assert.throws(() => purse.seat(device, 1), { code: 'SEAT_MOVED' })
  assert.equal(purse.leaf(device)?.index, 0)
  await books.close()
})

test('nothing is promised above what the gateway granted, and more as soon as it grants more', async (t) => {
  const { books, purse } = await openTestPurse(await folderFor(t), 1_000_000n, 0)
  const device = deviceAt(9)
  const buy = async (number: number, ahead = 0n) => {
    const wants = [wantOf(device, number, 1_000n)]
    const [one] = await purse.buy([{ device, wants, ahead }])
    return typeof one === 'object' ? one.payment.leaf.amount : one
  }
  assert.equal(await buy(1), 'no grant')
  purse.seat(device, 0)
  assert.equal(await buy(1), 'no grant')
  purse.grant(device, 2_500n)
  assert.deepEqual([await buy(1), await buy(2), await buy(3)], [1_000n, 2_000n, 'over the cap'])
  purse.grant(device, 1_000n)
  assert.equal(await buy(3), 'over the cap')
  purse.grant(device, 4_500n)
  // What is paid ahead stops at the cap too.
  assert.equal(await buy(3, 9_000n), 4_500n)
  await books.close()
})
