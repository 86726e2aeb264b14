import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { charge, coveredMs, due, isWithin } from '../../runtime/wire/price.ts'

const price = fc.record({
  amount: fc.bigInt({ min: 0n, max: 10n ** 20n }),
  perMs: fc.bigInt({ min: 1n, max: 10n ** 9n }),
})
const ms = fc.bigInt({ min: 0n, max: 10n ** 12n })

test('cutting time into more epochs earns nothing', () => {
  fc.assert(
    fc.property(price, fc.array(ms, { maxLength: 30 }), (price, pieces) => {
      let before = 0n
      let charged = 0n
      for (const piece of pieces) {
        const more = charge(before, piece, price)
        assert.ok(more >= 0n)
        charged += more
        before += piece
      }
      assert.equal(charged, due(before, price))
    }),
  )
})

test('due is never above the exact price, and less than one unit below it', () => {
  fc.assert(
    fc.property(price, ms, (price, covered) => {
      const exact = covered * price.amount
      const total = due(covered, price) * price.perMs
      assert.ok(total <= exact && exact - total < price.perMs)
    }),
  )
})

test('an epoch covers opening to closing, never above nominal', () => {
  const span = { openedMonotonicMs: 5_000, closedMonotonicMs: 12_500, nominalMs: 10_000 }
  assert.equal(coveredMs(span), 7_500n)
  assert.equal(coveredMs({ ...span, closedMonotonicMs: 40_000 }), 10_000n)
  assert.equal(coveredMs({ ...span, closedMonotonicMs: 5_000 }), 0n)
  assert.equal(coveredMs({ ...span, closedMonotonicMs: 4_000 }), 0n)
})

test('a ceiling is kept whatever the two are counted per', () => {
  const ceiling = { amount: 36n, perMs: 3_600_000n }
  assert.ok(isWithin({ amount: 1n, perMs: 100_000n }, ceiling))
  assert.ok(!isWithin({ amount: 1n, perMs: 99_999n }, ceiling))
  assert.ok(isWithin({ amount: 0n, perMs: 1n }, { amount: 0n, perMs: 1n }))
  assert.ok(!isWithin({ amount: 1n, perMs: 1_000_000n }, { amount: 0n, perMs: 1n }))
})

test('a price per no time at all is no price', () => {
  assert.throws(() => due(1n, { amount: 1n, perMs: 0n }), RangeError)
  assert.ok(!isWithin({ amount: 1n, perMs: 0n }, { amount: 1n, perMs: 1n }))
  assert.ok(!isWithin({ amount: 1n, perMs: 1n }, { amount: 1n, perMs: 0n }))
})
