import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Account,
  acknowledge,
  deliver,
  grant,
  openAccount,
  promise,
} from '../../runtime/wire/account.ts'
import { sentence } from '../../runtime/wire/refusal.ts'

const money = fc.bigInt({ min: 0n, max: 1000n })
const step = fc.record({
  verb: fc.constantFrom('grant', 'promise', 'deliver', 'acknowledge'),
  amount: money,
})

test('whatever happens in whatever order, the account holds', () => {
  fc.assert(
    fc.property(money, money, fc.array(step, { maxLength: 60 }), (cap, exposureMax, steps) => {
      let account = openAccount(cap, exposureMax)
      for (const { verb, amount } of steps) {
        const before = account
        account = take(account, verb, amount)
        const { delivered, promised, acknowledged } = account
        assert.ok(0n <= delivered && delivered <= promised && promised <= account.cap)
        assert.ok(acknowledged <= promised)
        assert.ok(delivered - acknowledged <= exposureMax)
        assert.ok(account.cap >= before.cap && acknowledged >= before.acknowledged)
        assert.ok(promised >= before.promised && delivered >= before.delivered)
      }
    }),
  )
})

test('the same promise, ack or grant twice changes nothing the second time', () => {
  fc.assert(
    fc.property(fc.constantFrom('grant', 'promise', 'acknowledge'), money, money, (verb, a, b) => {
      const account = {
        ...openAccount(500n, 100n),
        promised: 300n,
        delivered: 200n,
        acknowledged: 150n,
      }
      const once = take(account, verb, a)
      assert.deepEqual(take(once, verb, a), once)
      // What was refused is no news later either; what was taken outlives every smaller one.
      if (once !== account && b <= a) assert.deepEqual(take(once, verb, b), once)
    }),
  )
})

test('a promise over the cap is refused with the figures and the cure', () => {
  const outcome = promise(openAccount(100n, 10n), 120n)
  assert.ok(!outcome.ok)
  assert.equal(
    sentence(outcome.refusal),
    'promised total 120 is over the cap 100: ask the operator for a larger grant',
  )
})

test('delivery stops at the promise, and before that at the exposure limit', () => {
  const account = { ...openAccount(100n, 10n), promised: 50n }
  assert.deepEqual(deliver(account, 10n), { ok: true, account: { ...account, delivered: 10n } })
  const exposed = deliver(account, 11n)
  assert.ok(!exposed.ok && exposed.refusal.code === 'exposure-reached')
  const acked = acknowledge(account, 50n)
  assert.ok(deliver(acked, 50n).ok)
  const over = deliver(acked, 51n)
  assert.ok(!over.ok && over.refusal.code === 'promise-used-up')
})

test('a buyer that signs two trees costs at most the exposure limit', () => {
  fc.assert(
    fc.property(money, fc.array(money, { maxLength: 40 }), (exposureMax, prices) => {
      let account: Account = { ...openAccount(10_000n, exposureMax), promised: 10_000n }
      for (const price of prices) account = take(account, 'deliver', price)
      assert.ok(account.delivered <= exposureMax)
    }),
  )
})

test('own data costs nothing and passes on an account of zero', () => {
  const account = openAccount(0n, 0n)
  assert.deepEqual(deliver(account, 0n), { ok: true, account })
})

function take(account: Account, verb: string, amount: bigint): Account {
  if (verb === 'grant') return grant(account, amount)
  if (verb === 'acknowledge') return acknowledge(account, amount)
  const outcome = verb === 'promise' ? promise(account, amount) : deliver(account, amount)
  return outcome.ok ? outcome.account : account
}
