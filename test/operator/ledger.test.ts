import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { test } from 'node:test'
import { takeBooks } from '../../runtime/operator/books.ts'
import { type Channel, end, join, observe } from '../../runtime/operator/channel.ts'
import { deal } from '../../runtime/operator/deal.ts'
import { type Ledger, openLedger } from '../../runtime/operator/ledger.ts'
import { books, device, funded, secretOf } from './fixture.ts'

test('a channel comes back from the disk as it was saved, step by step', async (t) => {
  const reopen = await scratch(t)
  const steps: ((channel: Channel) => Channel | Promise<Channel>)[] = [
    (channel) => join(channel, [device(0), device(1)], { alone: false, untilMs: 5_000 }),
    deal,
    async (channel) => {
      const leaves = [0, 1].map((index) => ({ index, device: device(index), amount: 7n }))
      const early = takeBooks(channel, await books(channel, 2n, leaves, leaves.slice(1)), 6_000)
      return takeBooks(early.channel, await books(channel, 1n, leaves), 6_001).channel
    },
    (channel) => observe(channel, { balance: 2n ** 90n, totalClaimed: 2n ** 80n }, 0),
    (channel) => deal(join(channel, [device(2), device(0)], { alone: true, untilMs: 9_000 })),
    (channel) => end(channel, 'two trees'),
  ]
  let before: Channel | undefined
  let now = funded(1_000n)
  for (const step of [(channel: Channel) => channel, ...steps]) {
    now = await step(now)
    reopen().save({ channels: [{ before, now }] })
    assert.deepEqual(reopen().channels(), [now])
    before = now
  }
})

test('sessions, notices and the version of the offer last', async (t) => {
  const reopen = await scratch(t)
  const keys = {
    id: secretOf(1).slice(16),
    ask: secretOf(2),
    answer: secretOf(3),
    keys: secretOf(4),
  }
  const session = { name: '01'.repeat(16), channel: funded(1n).id, keys }
  const newer = { ...keys, answer: secretOf(5) }
  reopen().save({ session, offerVersion: 3, notice: 'a' })
  reopen().save({ session: { ...session, keys: newer }, notice: 'b' })
  reopen().save({ cleared: 'a' })
  const ledger = reopen()
  const [kept] = ledger.sessions()
  assert.deepEqual([kept?.channel, ledger.offerVersion()], [session.channel, 3])
  assert.deepEqual(hexed(kept?.keys), hexed(newer))
  assert.deepEqual(ledger.notices(), ['b'])
  ledger.save({ over: session.name })
  assert.deepEqual(reopen().sessions(), [])
})

/** Closes and opens the same file at every call. */
async function scratch(t: { after(fn: () => Promise<void>): void }): Promise<() => Ledger> {
  const folder = await mkdtemp(path(tmpdir(), 'wayside-ledger-'))
  let ledger: Ledger | undefined
  t.after(async () => {
    ledger?.close()
    await rm(folder, { recursive: true })
  })
  return () => {
    ledger?.close()
    ledger = openLedger(path(folder, 'gateway.sqlite'))
    return ledger
  }
}

function hexed(keys: Readonly<Record<string, Uint8Array>> = {}) {
  return Object.entries(keys).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])
}
