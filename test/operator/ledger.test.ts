import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../runtime/disk/sqlite.ts'
import { takeBooks } from '../../runtime/operator/books.ts'
import { type Channel, end, join, observe } from '../../runtime/operator/channel.ts'
import type { SentClaim } from '../../runtime/operator/claimtable.ts'
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

test('a claim on its way comes back with every version of it, until it is done', async (t) => {
  const reopen = await scratch(t)
  const price = { maxFee: 2n ** 70n, tip: 3n }
  const version = { hash: '0xaa', raw: '0xbb', nonce: 7, price } as const
  const claim: SentClaim = {
    ...{ number: 4, sender: device(1), receiver: device(2), token: device(3), value: 2n ** 80n },
    totals: new Map([
      ['0x01', 5n],
      ['0x02', 2n ** 90n],
    ]),
    outgoing: { to: device(4), data: '0xcc', gasLimit: 9n, versions: [version] },
    ...{ sinceMs: 1, versionMs: 2 },
  }
  reopen().save({ claim })
  assert.deepEqual(reopen().claims(), [claim])
  const dearer = { ...version, hash: '0xdd', price: { maxFee: 2n ** 71n } } as const
  const outgoing = { ...claim.outgoing, versions: [version, dearer] }
  const renewed = { ...claim, outgoing, versionMs: 3 }
  reopen().save({ claim: renewed })
  reopen().save({ claim: { ...claim, number: 5 } })
  assert.deepEqual(reopen().claims(), [renewed, { ...claim, number: 5 }])
  reopen().save({ done: 4 })
  assert.deepEqual(
    reopen()
      .claims()
      .map(({ number }) => number),
    [5],
  )
})

test('a ledger of the first schema is read, and learns the rest', async (t) => {
  const reopen = await scratch(t)
  const member = { device: device(0), cap: 9n, alone: true, untilMs: 5 }
  const channel = { ...funded(1_000n), members: [member] }
  reopen().save({ channels: [{ now: channel }] })
  const old = openDatabase(reopen.close())
  old.exec(`ALTER TABLE channel DROP COLUMN withdrawable; ALTER TABLE member DROP COLUMN taken;
    DROP TABLE claim; DROP TABLE claim_total`)
  old.pragma('user_version = 1')
  old.close()
  assert.deepEqual(reopen().channels(), [channel])
  const now = { ...channel, withdrawableS: 99, members: [{ ...member, paid: 3n, taken: 4n }] }
  reopen().save({ channels: [{ before: channel, now }] })
  assert.deepEqual([reopen().channels(), reopen().claims()], [[now], []])
})

/** Closes and opens the same file at every call. */
async function scratch(t: { after(fn: () => Promise<void>): void }) {
  const folder = await mkdtemp(path(tmpdir(), 'wayside-ledger-'))
  let ledger: Ledger | undefined
  t.after(async () => {
    ledger?.close()
    await rm(folder, { recursive: true })
  })
  const file = path(folder, 'gateway.sqlite')
  const reopen = () => {
    ledger?.close()
    ledger = openLedger(file)
    return ledger
  }
  const close = () => {
    ledger?.close()
    ledger = undefined
    return file
  }
  return Object.assign(reopen, { close })
}

function hexed(keys: Readonly<Record<string, Uint8Array>> = {}) {
  return Object.entries(keys).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])
}
