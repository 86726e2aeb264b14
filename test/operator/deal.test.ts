import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Channel,
  capsTotal,
  isOpen,
  join,
  joinFleet,
  observe,
  reorganisedMs,
} from '../../runtime/operator/channel.ts'
import { deal } from '../../runtime/operator/deal.ts'
import { device, funded } from './fixture.ts'

const until = { untilMs: 1_000 }

test('a device ordered alone gets everything that is free', () => {
  const channel = deal(join(funded(100n), [device(0)], { alone: true, ...until }))
  assert.deepEqual(
    channel.members.map(({ cap }) => cap),
    [100n],
  )
})

test('a fleet gets even shares of half the balance, and who sells more gets another', () => {
  const fleet = [device(0), device(1), device(2), device(3)]
  let channel = deal(join(funded(800n), fleet, { alone: false, ...until }))
  assert.deepEqual(caps(channel), [100n, 100n, 100n, 100n])
  assert.equal(deal(channel).members[0]?.cap, 100n, 'dealing again raises nothing')
  channel = deal(withPaid(channel, [49n, 50n, 0n, 100n]))
  assert.deepEqual(caps(channel), [100n, 200n, 100n, 200n])
  assert.deepEqual(caps(deal(channel)), [100n, 200n, 100n, 300n], 'paid 100 of 200 is half again')
})

test('a top-up of the deposit is dealt', () => {
  const channel = deal(join(funded(100n), [device(0)], { alone: true, ...until }))
  const more = deal(observe(channel, { balance: 250n, totalClaimed: 0n }, 0))
  assert.deepEqual(caps(more), [250n])
})

test('a withdrawal stops the dealing for good', () => {
  const channel = join(funded(100n), [device(0)], { alone: true, ...until })
  const seen = { balance: 100n, totalClaimed: 0n }
  const pending = observe(channel, { ...seen, withdrawal: { amount: 1n } }, 0)
  assert.equal(pending.ended, 'withdrawal')
  assert.deepEqual(caps(deal(pending)), [0n])
  assert.deepEqual(caps(deal(observe(pending, { ...seen, balance: 900n }, 0))), [0n])
})

test('a reorganised deposit comes back with all its rights; one that was withdrawn does not', () => {
  const channel = deal(join(funded(100n), [device(0)], { alone: true, ...until }))
  const low = { balance: 40n, totalClaimed: 0n }
  const gone = observe(channel, low, 1_000)
  assert.deepEqual([gone.ended, isOpen(gone)], [undefined, false], 'nothing meanwhile')
  const back = observe(gone, { balance: 250n, totalClaimed: 0n }, 2_000)
  assert.deepEqual([isOpen(back), ...caps(deal(back))], [true, 250n])
  assert.equal(observe(gone, low, 1_000 + reorganisedMs).ended, 'withdrawal')
})

test('devices new to the register join the channels of who ordered the fleet, behind the others', () => {
  const fleet = join(funded(100n), [device(5), device(3)], { alone: false, untilMs: 900 })
  const grown = joinFleet(fleet, [device(3), device(4), device(5)], 100)
  assert.deepEqual(
    grown.members.map(({ device: id, untilMs }) => [id, untilMs]),
    [5, 3, 4].map((n) => [device(n), 900]),
  )
  assert.equal(joinFleet(fleet, [device(4)], 900), fleet, 'an order that ended takes nobody in')
  const single = join(funded(100n), [device(5)], { alone: true, ...until })
  assert.equal(joinFleet(single, [device(4)], 0), single)
})

test('whatever happens: Σ caps ≤ balance − withdrawing, caps rise, devices keep their places', () => {
  const step = fc.oneof(
    fc.record({ deposit: fc.bigInt({ min: 0n, max: 1_000n }) }),
    fc.record({ order: fc.array(fc.nat(9), { maxLength: 10 }), alone: fc.boolean() }),
    fc.record({ pay: fc.nat(9), part: fc.nat(100) }),
    fc.record({ withdraw: fc.bigInt({ min: 0n, max: 500n }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let channel = funded(0n)
      for (const one of steps) {
        const before = channel
        channel = deal(apply(channel, one))
        assert.ok(one !== undefined && sound(before, channel))
      }
    }),
  )
})

type Step =
  | { deposit: bigint }
  | { order: number[]; alone: boolean }
  | { pay: number; part: number }
  | { withdraw: bigint }

function apply(channel: Channel, step: Step): Channel {
  const { balance, claimed: totalClaimed } = channel
  if ('deposit' in step)
    return observe(channel, { balance: balance + step.deposit, totalClaimed }, 0)
  if ('order' in step) return join(channel, step.order.map(device), { alone: step.alone, ...until })
  if ('withdraw' in step) {
    return observe(channel, { balance, totalClaimed, withdrawal: { amount: step.withdraw } }, 0)
  }
  const paid = channel.members.map(({ cap, paid: known = 0n }, index) => {
    const amount = (cap * BigInt(step.part)) / 100n
    return index === step.pay && amount > known ? amount : known
  })
  return withPaid(channel, paid)
}

function sound(before: Channel, after: Channel): boolean {
  const within =
    after.ended === 'withdrawal'
      ? capsTotal(after) === capsTotal(before)
      : capsTotal(after) <= after.balance - after.withdrawing
  const kept = before.members.every(({ device: id, cap }, index) => {
    const now = after.members[index]
    return now !== undefined && now.device === id && now.cap >= cap
  })
  return within && kept
}

function withPaid(channel: Channel, paid: readonly bigint[]): Channel {
  const members = channel.members.map((one, index) => ({ ...one, paid: paid[index] ?? 0n }))
  return { ...channel, members }
}

function caps(channel: Channel): bigint[] {
  return channel.members.map(({ cap }) => cap)
}
