import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault } from '../../runtime/faults.ts'
import type { Claim } from '../../runtime/link/chain.ts'
import { type Channel, observe } from '../../runtime/operator/channel.ts'
import type { Note } from '../../runtime/operator/note.ts'
import { isSchedule, openSettler } from '../../runtime/operator/settler.ts'
import { device, funded } from './fixture.ts'

const promised = (amount: bigint, salt = 0): Channel => ({
  ...funded(1_000n, { salt: new Uint8Array(32).fill(salt) }),
  voucher: {
    channelId: new Uint8Array(32),
    maxClaimableAmount: amount,
    signature: new Uint8Array(65),
  },
})

function world(channels: Channel[]) {
  const sent: Claim[][] = []
  const notes: Note[] = []
  const state = { channels, sent, notes, atMs: 0, fails: false }
  const settler = openSettler({
    channels: () => state.channels,
    chain: {
      fees: async () => ({ tip: 10n ** 9n, timeS: 0 }),
      async claim(claims) {
        const poisoned = claims.some(({ voucher }) => voucher.maxClaimableAmount === 13n)
        if (poisoned) throw fault('CHAIN_REFUSED', { action: 'claim', why: 'ClaimOverVoucher' })
        if (state.fails) throw new Error('nonce too low')
        sent.push([...claims])
        return { hash: '0x01', gas: 80_000n, action: 'claim', settled: 1n }
      },
    },
    policy: { perCoin: () => 10n ** 6n, gasPermille: 100n },
    schedule: '* * * * *',
    note: (note) => notes.push(note),
    monotonicMs: () => state.atMs,
  })
  return { ...state, state, settler }
}

test('the end claims everything worth its gas, in one transaction', async () => {
  const { settler, sent, notes } = world([promised(300n, 1), promised(200n, 2), promised(0n, 3)])
  await settler.settleAll()
  assert.deepEqual(
    sent.map((claims) => claims.map(({ totalClaimed }) => totalClaimed)),
    [[300n, 200n]],
  )
  assert.deepEqual(
    notes.map(({ event }) => event),
    ['claimed', 'settled'],
  )
})

test('a claim that the chain does not show yet is not sent again, unless it is lost', async () => {
  const { settler, sent, state } = world([promised(300n)])
  await settler.settleAll()
  await settler.settleAll()
  assert.equal(sent.length, 1)
  state.channels = [promised(500n)]
  await settler.settleAll()
  assert.equal(sent[1]?.[0]?.totalClaimed, 500n, 'but more is claimed')
  state.atMs += 3_600_001
  await settler.settleAll()
  assert.equal(sent.length, 3)
  state.channels = [observe(promised(500n), { balance: 1_000n, totalClaimed: 500n }, 0)]
  await settler.settleAll()
  assert.equal(sent.length, 3)
})

test('a pending withdrawal is rescued at once, and only that', async () => {
  const pending = observe(
    promised(300n, 1),
    {
      balance: 1_000n,
      totalClaimed: 0n,
      withdrawal: { amount: 1_000n },
    },
    0,
  )
  const { settler, sent } = world([pending, promised(900n, 2)])
  await settler.rescue()
  assert.deepEqual(
    sent.map((claims) => claims.map(({ totalClaimed }) => totalClaimed)),
    [[300n]],
  )
})

test('a voucher past the balance claims what is there', async () => {
  const { settler, sent } = world([promised(5_000n)])
  await settler.settleAll()
  const [claim] = sent[0] ?? []
  assert.deepEqual([claim?.totalClaimed, claim?.voucher.maxClaimableAmount], [1_000n, 5_000n])
})

test('a claim that fails is told and tried again', async () => {
  const { settler, sent, state, notes } = world([promised(300n)])
  state.fails = true
  await settler.settleAll()
  assert.deepEqual([sent.length, notes.at(-1)?.event], [0, 'trouble'])
  state.fails = false
  await settler.settleAll()
  assert.equal(sent.length, 1)
})

test('a channel that the contract refuses keeps no other waiting', async () => {
  const { settler, sent } = world([100n, 200n, 13n, 400n].map((amount, i) => promised(amount, i)))
  await settler.settleAll()
  const claimed = sent.flat().map(({ totalClaimed }) => totalClaimed)
  assert.deepEqual(claimed, [400n, 200n, 100n])
})

test('the schedule is a cron line of five fields, and ends with the signal', async () => {
  for (const good of ['0 3 * * *', '*/15 * * * *']) assert.ok(isSchedule(good), good)
  for (const bad of ['', 'daily', '* * * * * *', '61 * * * *']) assert.ok(!isSchedule(bad), bad)
  const { settler } = world([promised(1n, Number(device(0).at(-1)))])
  await settler.start(AbortSignal.timeout(20))
})
