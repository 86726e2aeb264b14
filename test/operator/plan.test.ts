import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Channel, claimable, observe } from '../../runtime/operator/channel.ts'
import {
  channelsMax,
  costOf,
  gasEach,
  gasFirst,
  plan,
  urgent,
} from '../../runtime/operator/plan.ts'
import { device, funded } from './fixture.ts'

const gwei = 10n ** 9n
// One coin is worth 3000 tokens of 6 decimals; gas may cost a tenth of what it brings.
const perCoin = 3_000n * 10n ** 6n
const policy = { perCoin: () => perCoin, gasPermille: 100n }

const promised = (amount: bigint, salt = 0, token = device(1)): Channel => ({
  ...funded(1_000_000_000n, { salt: new Uint8Array(32).fill(salt), token }),
  members: [{ device: device(0), cap: amount, paid: amount, alone: true, untilMs: 0 }],
  voucher: {
    channelId: new Uint8Array(32),
    maxClaimableAmount: amount,
    signature: new Uint8Array(65),
  },
})

test('many small sales share one transaction once together they are worth its gas', () => {
  // 80k gas at 1 gwei cost 0.24 tokens here, and 20k cost 0.06.
  const small = Array.from({ length: 10 }, (_, i) => promised(800_000n, i))
  assert.deepEqual(plan(small.slice(0, 1), gwei, policy), [], '0.8 tokens alone are not')
  const [claim, ...more] = plan(small, gwei, policy)
  assert.equal(claim?.channels.length, 10)
  assert.equal(claim?.value, 8_000_000n)
  assert.deepEqual(more, [])
})

test('a channel that is not worth its own part of the gas waits', () => {
  const [claim] = plan([promised(500_000n, 1), promised(90_000_000n, 2)], gwei, policy)
  assert.deepEqual(claim?.channels.map(claimable), [90_000_000n])
})

test('at the end everything goes that brings more than its gas', () => {
  assert.equal(plan([promised(250_000n)], gwei, policy, true).length, 1)
  assert.equal(plan([promised(230_000n)], gwei, policy, true).length, 0)
  assert.equal(plan([promised(1n)], 0n, policy).length, 1, 'gas for nothing')
})

test('receivers and tokens are claimed apart, a hundred channels at a time', () => {
  const many = Array.from({ length: 150 }, (_, i) => promised(10_000_000n, i))
  const claims = plan([...many, promised(5_000_000n, 1, device(2))], gwei, policy)
  assert.deepEqual(
    claims.map(({ channels, token }) => [channels.length, token]),
    [
      [channelsMax, device(1)],
      [50, device(1)],
      [1, device(2)],
    ],
  )
})

test('only what the chain has not moved and still holds is claimable', () => {
  const channel = promised(700n)
  const claimed = observe(channel, { balance: 1_000_000_000n, totalClaimed: 600n }, 0)
  assert.equal(claimable(claimed), 100n)
  assert.equal(claimable(observe(channel, { balance: 300n, totalClaimed: 250n }, 0)), 50n)
  assert.equal(claimable(observe(channel, { balance: 300n, totalClaimed: 300n }, 0)), 0n)
})

test('a withdrawal makes a channel urgent while it has something to claim', () => {
  const channel = promised(700n)
  const seen = { balance: 1_000n, withdrawal: { amount: 1_000n } }
  assert.equal(urgent([observe(channel, { ...seen, totalClaimed: 0n }, 0)]).length, 1)
  assert.equal(urgent([observe(channel, { ...seen, totalClaimed: 700n }, 0), channel]).length, 0)
})

test('no plan costs more than its share, whatever the values and the price', () => {
  const values = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { maxLength: 120 })
  fc.assert(
    fc.property(values, fc.bigInt({ min: 0n, max: 500n * gwei }), (amounts, gasPrice) => {
      for (const { channels, value } of plan(
        amounts.map((amount) => promised(amount)),
        gasPrice,
        policy,
      )) {
        const gas = gasFirst + gasEach * BigInt(channels.length - 1)
        assert.ok(costOf(gas, gasPrice, perCoin) * 1000n <= value * policy.gasPermille)
      }
    }),
    { numRuns: 30 },
  )
})
