import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPayment, type Payment, type PaymentGround } from '../../runtime/wire/payment.ts'
import { paymentTree } from '../../runtime/wire/paymenttree.ts'
import type { Signer } from '../../runtime/wire/signer.ts'
import { signSplit } from '../../runtime/wire/split.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'
import { buyer, channel, device, leaves, operator, rail } from '../vectors/money/sample.ts'

const ground: PaymentGround = {
  channelId: channel,
  rail,
  payerAuthorizer: buyer.address,
  device: device.address,
  index: 2,
}

test('a first payment is news, the same again is not, and an older one is not', async () => {
  const [first, second] = [await pay(1n, 100n), await pay(2n, 100n)]
  assert.deepEqual(checkPayment(first, ground, undefined), { ok: true, news: true })
  assert.deepEqual(checkPayment(first, ground, first), { ok: true, news: false })
  assert.deepEqual(checkPayment(second, ground, first), { ok: true, news: true })
  assert.deepEqual(checkPayment(first, ground, second), { ok: true, news: false })
})

test('each rule refuses by its own name', async () => {
  const last = await pay(5n, 1_000n)
  const no = (code: string, payment: Payment, before: Payment | undefined = last) => {
    const checked = checkPayment(payment, ground, before)
    assert.equal(checked.ok ? 'ok' : checked.refusal.code, code)
  }
  const next = await pay(6n, 2_000n)
  const { voucher, split, leaf, path } = next
  const elsewhere = new Uint8Array(32)
  no('promise-channel', { ...next, voucher: { ...voucher, channelId: elsewhere } })
  no('promise-channel', { ...next, split: { ...split, channelId: elsewhere } })
  no('promise-total', { ...next, voucher: { ...voucher, maxClaimableAmount: 1n } })
  no('promise-leaf', { ...next, leaf: { ...leaf, index: 3 } })
  no('promise-leaf', { ...next, leaf: { ...leaf, device: buyer.address } })
  no('promise-path', { ...next, leaf: { ...leaf, amount: leaf.amount + 1n } })
  no('promise-path', { ...next, path: path.slice(1) })
  no('promise-lower', await pay(6n, 999n))
  no('promise-two-trees', await pay(5n, 1_001n))
  no('promise-signature', await pay(6n, 2_000n, operator))
  no('promise-signature', { ...next, voucher: { ...voucher, signature: split.signature } })
  no('promise-signature', { ...next, split: { ...split, signature: voucher.signature } })
  no('promise-signature', { ...next, split: { ...split, period: 7n } })
})

test('a fleet total may not go down either, though this leaf stays', async () => {
  const last = await pay(1n, 500n, buyer, 10n)
  const checked = checkPayment(await pay(2n, 500n, buyer, 9n), ground, last)
  assert.equal(checked.ok ? 'ok' : checked.refusal.code, 'promise-lower')
})

async function pay(
  period: bigint,
  amount: bigint,
  signer: Signer = buyer,
  other = 7n,
): Promise<Payment> {
  const tree = paymentTree()
  for (const leaf of leaves) tree.set({ ...leaf, amount: other })
  const leaf = { index: 2, device: device.address, amount }
  tree.set(leaf)
  const { root, total } = tree.root()
  const voucher = await signVoucher({ channelId: channel, maxClaimableAmount: total }, rail, signer)
  const split = await signSplit({ channelId: channel, period, total, root }, rail, signer)
  return { voucher, split, leaf, path: tree.path(2) }
}
