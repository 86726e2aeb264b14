import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Fees, feesOf, firstPrice, raisedPrice } from '../../runtime/link/gasprice.ts'

const gwei = 10n ** 9n
const rules = { maxFee: 100n * gwei, bumpPercent: 25n }
const fees = (baseFee: bigint, tip = gwei): Fees => ({ baseFee, tip, timeS: 0 })
const amounts = fc.bigInt({ min: 0n, max: 10n ** 13n })

test('a first price stays enough for six full blocks, within the limit', () => {
  assert.deepEqual(firstPrice(fees(10n * gwei), rules), { maxFee: 21n * gwei, tip: gwei })
  assert.deepEqual(firstPrice(fees(80n * gwei), rules), { maxFee: 100n * gwei, tip: gwei })
  assert.equal(firstPrice(fees(100n * gwei), rules), undefined)
  assert.deepEqual(firstPrice(fees(100n * gwei), rules, true), { maxFee: 201n * gwei, tip: gwei })
})

test('a chain without a base fee has one price', () => {
  const old: Fees = { tip: 7n * gwei, timeS: 0 }
  assert.deepEqual(firstPrice(old, rules), { maxFee: 7n * gwei })
  const raised = raisedPrice({ maxFee: 7n * gwei }, old, rules)
  assert.deepEqual(raised, { maxFee: (7n * gwei * 125n) / 100n + 1n })
})

test('of what endpoints say the dearest base fee counts, and the cheapest tip', () => {
  const said = [fees(5n, 9n), fees(8n, 2n), { ...fees(1n, 4n), timeS: 60 }]
  assert.deepEqual(feesOf(said), { baseFee: 8n, tip: 2n, timeS: 60 })
  assert.throws(() => feesOf([]), RangeError)
})

test('a price that replaces another is an eighth higher in both parts, and within the limit', () => {
  fc.assert(
    fc.property(amounts, amounts, amounts, fc.boolean(), (base, tip, before, presses) => {
      const old = { maxFee: before + tip, tip }
      const raised = raisedPrice(old, fees(base, tip), rules, presses)
      if (raised === undefined) return
      assert.ok(raised.maxFee * 8n >= old.maxFee * 9n)
      assert.ok((raised.tip ?? 0n) * 8n >= old.tip * 9n)
      assert.ok((raised.tip ?? 0n) <= raised.maxFee)
      assert.ok(presses || raised.maxFee <= rules.maxFee)
    }),
  )
  assert.equal(raisedPrice({ maxFee: 99n * gwei, tip: 1n }, fees(1n), rules), undefined)
  assert.ok(raisedPrice({ maxFee: 99n * gwei, tip: 1n }, fees(1n), rules, true))
})
