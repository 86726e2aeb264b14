/** A deposit that is gone when the gateway comes back: what it was is known later, that it is gone at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Channel, observe, reorganisedMs } from '../../runtime/operator/channel.ts'
import { openKeeper } from '../../runtime/operator/keeper.ts'
import type { Ledger } from '../../runtime/operator/ledger.ts'
import type { Note } from '../../runtime/operator/note.ts'
import { sentenceOf } from '../../runtime/operator/words.ts'
import { books, device, funded } from './fixture.ts'

/** A gateway that comes back with these books. */
function keeperOf(channel: Channel) {
  const notes: Note[] = []
  const ledger = { channels: () => [channel], claims: () => [], save() {} } as unknown as Ledger
  const parts = {
    ledger,
    wallMs: () => 0,
    changed() {},
    note: (note: Note) => void notes.push(note),
  }
  return { notes, keeper: openKeeper(parts) }
}

async function promising(total: bigint): Promise<Channel> {
  const channel = funded(100n)
  const { voucher } = await books(channel, 1n, [{ index: 0, device: device(0), amount: total }])
  const paid = { device: device(0), cap: 100n, paid: total, alone: true, untilMs: 1 }
  return { ...channel, voucher, members: [paid] }
}

test('what was withdrawn while nobody looked is said at the first look, with what was owed', async () => {
  const channel = await promising(60n)
  const { id } = channel
  const { notes, keeper } = keeperOf(channel)
  const look = (nowMs: number) => {
    keeper.put(observe(keeper.get(id) ?? channel, { balance: 20n, totalClaimed: 20n }, nowMs))
  }
  look(1_000)
  assert.deepEqual(notes, [{ event: 'short', channel: id, amount: 80n, owed: 40n }])
  const sentence = sentenceOf(notes[0] as Note, String)
  assert.match(sentence, /80 of its deposit is gone: withdrawn, or reorganised, and owes 40 more/)
  look(2_000)
  assert.equal(notes.length, 1, 'once')
  look(1_000 + reorganisedMs)
  assert.deepEqual(
    notes.slice(1).map(({ event }) => event),
    ['ended', 'lost'],
  )
})

test('a deposit that is there again is no news, and what is left of enough owes nothing', async () => {
  const channel = await promising(10n)
  const { id } = channel
  const { notes, keeper } = keeperOf(channel)
  for (const [at, balance] of [50n, 100n, 50n].entries()) {
    keeper.put(observe(keeper.get(id) ?? channel, { balance, totalClaimed: 0n }, at))
  }
  assert.deepEqual(
    notes.filter(({ event }) => event === 'short'),
    [
      { event: 'short', channel: id, amount: 50n, owed: 0n },
      { event: 'short', channel: id, amount: 50n, owed: 0n },
    ],
  )
})
