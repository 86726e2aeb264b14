import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Channel, observe } from '../../runtime/operator/channel.ts'
import { openKeeper } from '../../runtime/operator/keeper.ts'
import { openLedger } from '../../runtime/operator/ledger.ts'
import type { Note } from '../../runtime/operator/note.ts'
import { onTheWayMax } from '../../runtime/operator/queue.ts'
import { isSchedule, openSettler } from '../../runtime/operator/settler.ts'
import { type FakeChain, fakeChain } from './fakechain.ts'
import { device, funded } from './fixture.ts'

const promised = (amount: bigint, salt = 0): Channel => ({
  ...funded(1_000n, { salt: new Uint8Array(32).fill(salt) }),
  members: [{ device: device(0), cap: amount, paid: amount, alone: true, untilMs: 0 }],
  voucher: {
    channelId: new Uint8Array(32),
    maxClaimableAmount: amount,
    signature: new Uint8Array(65),
  },
})
const withdrawing = (channel: Channel, atS: number) =>
  observe(channel, { balance: 1_000n, totalClaimed: 0n, withdrawal: { amount: 1_000n, atS } }, 0)

test('the end claims everything worth its gas, in one transaction', async (t) => {
  const { settler, chain, notes } = await world(t, [
    promised(300n, 1),
    promised(200n, 2),
    promised(0n, 3),
  ])
  await settler().settleAll()
  assert.deepEqual(totals(chain), [[300n, 200n]])
  assert.deepEqual(events(notes), ['claiming', 'claimed', 'settled'])
})

test('at the end a chain that comes back a moment later is asked again, and told of once when it does not', async (t) => {
  const { settler, chain, notes } = await world(t, [promised(300n)], { silentFor: 3 })
  await settler().settleAll()
  assert.deepEqual(totals(chain), [[300n]])
  assert.ok(!events(notes).includes('trouble'))
  const gone = await world(t, [promised(300n)], { silentFor: 1_000_000 })
  await gone.settler({ endMs: 30 }).settleAll()
  assert.deepEqual(events(gone.notes), ['trouble'])
})

test('whoever is in a hurry at the end waits for nothing, and the next start sees to the rest', async (t) => {
  const { settler, chain, notes } = await world(t, [promised(300n)], { mines: false })
  const hurry = new AbortController()
  const ended = settler({ endMs: 600_000 }).settleAll(hurry.signal)
  for (let i = 0; i < 2_000 && totals(chain).length === 0; i += 1)
    await new Promise((done) => setTimeout(done, 5))
  hurry.abort()
  await ended
  assert.deepEqual(totals(chain), [[300n]])
  assert.match(JSON.stringify(notes.at(-1)), /the next start sees to them/)
})

test('what is on its way is not claimed again, but more is', async (t) => {
  const { settler, chain, keeper } = await world(t, [promised(300n)], { mines: false })
  const end = { endMs: 0 }
  await settler(end).settleAll()
  await settler(end).settleAll()
  assert.deepEqual(totals(chain), [[300n]])
  keeper().put(promised(500n))
  await settler(end).settleAll()
  assert.deepEqual(totals(chain), [[300n], [500n]])
})

test('only so many claims are on their way at once, and the next one waits', async (t) => {
  const { settler, chain, keeper, notes } = await world(t, [], { mines: false })
  for (let i = 0; i <= onTheWayMax; i += 1) {
    keeper().put(promised(100n + 50n * BigInt(i)))
    await settler({ endMs: 0 }).settleAll()
  }
  assert.equal(chain.calls.length, onTheWayMax)
  assert.match(
    JSON.stringify(notes.map((note) => ('why' in note ? note.why : ''))),
    /16 claims are on/,
  )
})

test('a claim that arrived counts as claimed at once, though nobody has read the chain since', async (t) => {
  const { settler, chain, keeper } = await world(t, [promised(300n)])
  await settler().settleAll()
  const [channel] = keeper().all()
  assert.equal(channel?.claimed, 300n)
  await settler().settleAll()
  assert.equal(chain.calls.length, 1)
})

test('a pending withdrawal is rescued at once, and only that', async (t) => {
  const { settler, chain } = await world(t, [
    withdrawing(promised(300n, 1), 9_000_000),
    promised(900n, 2),
  ])
  await settler().rescue()
  assert.deepEqual(totals(chain), [[300n]])
})

test('a voucher past the balance claims what is there', async (t) => {
  const { settler, chain } = await world(t, [promised(5_000n)])
  await settler().settleAll()
  const [claim] = chain.calls[0] ?? []
  assert.deepEqual([claim?.totalClaimed, claim?.voucher.maxClaimableAmount], [1_000n, 5_000n])
})

test('a claim that nobody heard is handed over again, the same bytes', async (t) => {
  const { settler, chain, notes } = await world(t, [promised(300n)], { deaf: true })
  await settler({ endMs: 0 }).settleAll()
  assert.ok(events(notes).includes('trouble'))
  chain.state.deaf = false
  await settler().rescue()
  await settler().rescue()
  assert.equal(new Set(chain.posts.map(({ raw }) => raw)).size, 1)
  assert.deepEqual(events(notes).slice(-2), ['claimed', 'settled'])
})

test('a channel that the contract refuses keeps no other waiting', async (t) => {
  const channels = [100n, 200n, 13n, 400n].map((amount, i) => promised(amount, i))
  const { settler, chain } = await world(t, channels, {
    refuses: (claims) =>
      claims.some(({ voucher }) => voucher.maxClaimableAmount === 13n) ? 'bad' : undefined,
  })
  await settler().settleAll()
  assert.deepEqual(totals(chain).flat(), [400n, 200n, 100n])
})

test('more than a hundred channels make several transactions, under nonces in a row', async (t) => {
  const { voucher } = promised(300n)
  const channels = Array.from({ length: 250 }, (_, i) => {
    const salt = new Uint8Array(32)
    new DataView(salt.buffer).setUint16(0, i)
    return { ...funded(1_000n, { salt }), ...(voucher === undefined ? {} : { voucher }) }
  })
  const { settler, chain, keeper } = await world(t, channels, { mines: false })
  await settler({ endMs: 0 }).settleAll()
  assert.deepEqual(
    chain.calls.map(({ length }) => length),
    [100, 100, 50],
  )
  assert.deepEqual([...new Set(chain.posts.map(({ nonce }) => nonce))], [0, 1, 2])
  chain.mine()
  await settler().rescue()
  assert.deepEqual([keeper().claims().length, chain.calls.length], [0, 3])
})

test('a claim that waits in vain is offered again under its nonce, dearer each time, up to the limit', async (t) => {
  const { settler, chain, notes, clock } = await world(t, [promised(300n)], { mines: false })
  await settler({ endMs: 0 }).settleAll()
  for (let i = 0; i < 40; i += 1) {
    clock.ms += 1_000
    await settler().rescue()
  }
  const fees = [...new Set(chain.posts.map(({ price }) => price.maxFee))]
  assert.ok(fees.length > 5, `${fees}`)
  for (const [i, fee] of fees.entries()) {
    assert.ok(fee <= 10n ** 11n)
    if (i > 0) assert.ok(fee * 1000n >= (fees[i - 1] ?? 0n) * 1125n, `${fees}`)
  }
  assert.deepEqual([...new Set(chain.posts.map(({ nonce }) => nonce))], [0])
  assert.ok(notes.some((note) => note.event === 'trouble' && /the limit is/.test(note.why)))
  chain.mine()
  await settler().rescue()
  assert.equal(events(notes).filter((event) => event === 'claimed').length, 1)
})

test('what a reorganisation took back is handed over again, and counted once', async (t) => {
  const { settler, chain, notes, keeper } = await world(t, [promised(300n)], {
    mines: false,
    confirmations: 3,
  })
  await settler({ endMs: 0 }).settleAll()
  chain.mine()
  await settler().rescue()
  assert.ok(!events(notes).includes('claimed'), 'one block is not believed')
  chain.takeBack()
  const posted = chain.posts.length
  await settler().rescue()
  assert.equal(chain.posts.length, posted + 1)
  for (let i = 0; i < 3; i += 1) chain.mine()
  await settler().rescue()
  assert.equal(events(notes).filter((event) => event === 'claimed').length, 1)
  assert.deepEqual([[...keeper().all()][0]?.claimed, chain.calls.length], [300n, 1])
})

test('while gas is dearer than the limit claims wait, but not in the last half of a withdraw delay', async (t) => {
  const delayS = 7 * 86_400
  const { settler, chain, notes } = await world(t, [withdrawing(promised(300n), delayS)])
  chain.state.fees = { baseFee: 10n ** 12n, tip: 1n, timeS: delayS / 2 - 1 }
  await settler().rescue()
  assert.deepEqual([chain.calls.length, notes.at(-1)?.event], [0, 'trouble'])
  chain.state.fees = { ...chain.state.fees, timeS: delayS / 2 }
  await settler().rescue()
  assert.deepEqual(totals(chain), [[300n]])
})

test('a claim behind a gap of nonces is signed anew for the gap', async (t) => {
  const { settler, chain, notes, keeper } = await world(t, [promised(300n)], { mines: false })
  await settler({ endMs: 0 }).settleAll()
  const [claim] = keeper().claims()
  assert.ok(claim)
  // As if an endpoint had lied about the nonce.
  const versions = claim.outgoing.versions.map((version) => ({ ...version, nonce: 5 }))
  keeper().finish(claim, false)
  keeper().send({ ...claim, outgoing: { ...claim.outgoing, versions } })
  chain.forget()
  await settler().rescue()
  chain.mine()
  await settler().rescue()
  assert.equal(chain.posts.at(-1)?.nonce, 0)
  assert.deepEqual(events(notes).slice(-3), ['replaced', 'claimed', 'settled'])
})

test('the schedule is a cron line of five fields, and ends with the signal', async (t) => {
  for (const good of ['0 3 * * *', '*/15 * * * *']) assert.ok(isSchedule(good), good)
  for (const bad of ['', 'daily', '* * * * * *', '61 * * * *']) assert.ok(!isSchedule(bad), bad)
  const { settler } = await world(t, [promised(1n, Number(device(0).at(-1)))])
  await settler().start(AbortSignal.timeout(20))
})

/** A settler over a real ledger and a chain in memory; `reopen` is a restart. */
async function world(
  t: { after(fn: () => Promise<void>): void },
  channels: Channel[],
  changes: Parameters<typeof fakeChain>[0] = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-settler-'))
  const notes: Note[] = []
  const clock = { ms: 1_000_000 }
  const chain = fakeChain(changes)
  const ledger = openLedger(join(folder, 'gateway.sqlite'))
  t.after(async () => {
    ledger.close()
    await rm(folder, { recursive: true })
  })
  ledger.save({ channels: channels.map((now) => ({ now })) })
  const keeper = openKeeper({
    ledger,
    wallMs: () => clock.ms,
    changed: () => {},
    note: () => {},
  })
  const settler = (more: { endMs?: number } = {}) =>
    openSettler({
      ...{ keeper, chain, ...more },
      policy: { perCoin: () => 0n, gasPermille: 100n },
      schedule: '* * * * *',
      note: (note) => notes.push(note),
    })
  return { settler, chain, notes, clock, keeper: () => keeper }
}

function totals({ calls }: FakeChain) {
  return calls.map((claims) => claims.map(({ totalClaimed }) => totalClaimed))
}

function events(notes: readonly Note[]) {
  return notes.map(({ event }) => event)
}
