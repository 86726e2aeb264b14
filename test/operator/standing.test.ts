import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Channel, end } from '../../runtime/operator/channel.ts'
import type { SentClaim } from '../../runtime/operator/claimtable.ts'
import { openStanding } from '../../runtime/operator/standing.ts'
import { books, device, funded, token } from './fixture.ts'

/** Channels and claims as they would stand in the books, and a clock. */
function deskOf() {
  const channels: Channel[] = []
  const claims: SentClaim[] = []
  const clock = { nowMs: 1_000_000 }
  const keeper = { all: () => channels, claims: () => claims, nowMs: () => clock.nowMs }
  return { channels, claims, clock, read: openStanding(keeper, () => clock.nowMs) }
}

/** A channel whose buyer promised so much, of which so much is claimed. */
async function owing(promised: bigint, claimed = 0n): Promise<Channel> {
  const channel = funded(100n, { salt: new Uint8Array(32).fill(Number(promised)) })
  const leaf = { index: 0, device: device(0), amount: promised }
  const { voucher } = await books(channel, 1n, [leaf])
  const member = { device: device(0), cap: 100n, alone: true, untilMs: 2_000_000 }
  return { ...channel, claimed, voucher, members: [member] }
}

test('channels are counted by what keeps them from being served', async () => {
  const { channels, read } = deskOf()
  const channel = await owing(10n)
  channels.push(
    channel,
    { ...channel, withdrawing: 5n },
    { ...channel, shortSinceMs: 1 },
    { ...channel, unseen: 'long' },
    end(channel, 'two trees'),
    { ...channel, members: [] },
  )
  const { channels: counted } = read()
  assert.deepEqual(counted, { live: 1, withdrawing: 1, short: 1, unseen: 1, ended: 1 })
})

test('what is unclaimed is summed, and as old as its oldest part since the last claim', async () => {
  const { channels, clock, read } = deskOf()
  assert.deepEqual([read().unclaimed, read().unclaimedOldestS], [{}, 0])
  channels.push(await owing(10n), await owing(30n))
  assert.deepEqual(read().unclaimed, { [token]: 40n })
  clock.nowMs += 60_000
  channels[0] = await owing(25n)
  assert.deepEqual([read().unclaimed[token], read().unclaimedOldestS], [55n, 60])
  channels[0] = await owing(25n, 25n)
  clock.nowMs += 30_000
  assert.deepEqual([read().unclaimed[token], read().unclaimedOldestS], [30n, 90])
  channels[1] = await owing(30n, 12n)
  assert.deepEqual([read().unclaimed[token], read().unclaimedOldestS], [18n, 0])
})

test('claims on their way are counted, with the age of the oldest', () => {
  const { claims, clock, read } = deskOf()
  assert.deepEqual(read().claims, { onTheWay: 0, oldestS: 0 })
  claims.push({ sinceMs: clock.nowMs - 7_000 } as SentClaim, { sinceMs: clock.nowMs } as SentClaim)
  assert.deepEqual(read().claims, { onTheWay: 2, oldestS: 7 })
})
