import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackAgain, type Channel, join, type Seen } from '../../runtime/operator/channel.ts'
import { openKeeper } from '../../runtime/operator/keeper.ts'
import type { Ledger } from '../../runtime/operator/ledger.ts'
import type { Note } from '../../runtime/operator/note.ts'
import { openWatch, perLookMax } from '../../runtime/operator/watch.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { device, funded } from './fixture.ts'

const count = perLookMax + 10
const channels = Array.from({ length: count }, (_, i) =>
  join(funded(100n, { salt: new Uint8Array(32).fill(i) }), [device(0)], {
    alone: true,
    untilMs: 10 ** 12,
  }),
)

test('many channels are read in turns, and none is passed over', async () => {
  const asked: string[] = []
  const { watch } = over(channels, async (config) => {
    asked.push(hex(config.salt))
    return { balance: 100n, totalClaimed: 0n }
  })
  await watch.look()
  assert.equal(asked.length, perLookMax)
  await watch.look()
  assert.equal(new Set(asked).size, count)
})

test('a channel that cannot be read keeps none of the others from its turn', async () => {
  const asked = new Set<string>()
  const bad = hex(channels[0]?.config.salt ?? new Uint8Array())
  const { watch } = over(channels.slice(0, 20), async (config) => {
    asked.add(hex(config.salt))
    if (hex(config.salt) === bad) throw new Error('reverted')
    return { balance: 100n, totalClaimed: 0n }
  })
  await watch.look()
  await watch.look()
  assert.equal(asked.size, 20)
})

test('a chain that does not answer changes nothing, and is asked again', async () => {
  let down = true
  const { watch, keeper, notes } = over(channels.slice(0, 1), async () => {
    if (down) throw new Error('no endpoint answers')
    return { balance: 100n, totalClaimed: 0n, withdrawal: { amount: 100n } }
  })
  await watch.look()
  assert.equal(notes[0]?.event, 'trouble')
  assert.equal([...keeper.all()][0]?.ended, undefined)
  down = false
  await watch.look()
  assert.equal([...keeper.all()][0]?.ended, 'withdrawal')
})

test('a withdrawal that one endpoint shows holds the channel up, and only all together end it', async () => {
  const funds = { balance: 100n, totalClaimed: 0n }
  let now: Seen = funds
  const { watch, keeper } = over(channels.slice(0, 1), async () => now)
  const channel = () => [...keeper.all()][0] as Channel
  const acked = () => ackAgain(channel(), 5).acked.timeMs
  await watch.look()
  assert.equal(acked(), 5)
  now = { ...funds, withdrawal: { amount: 60n, atS: 9, agreed: false } }
  await watch.look()
  assert.deepEqual([channel().withdrawing, channel().ended, acked()], [60n, undefined, 0])
  now = { ...funds, balance: 7n, doubt: new Error('one of them does not answer') }
  await watch.look()
  assert.deepEqual([channel().balance, channel().ended, acked()], [100n, undefined, 0])
  now = funds
  await watch.look()
  assert.deepEqual([channel().withdrawing, acked()], [0n, 5])
  now = { ...funds, withdrawal: { amount: 60n, atS: 9, agreed: true } }
  await watch.look()
  assert.equal(channel().ended, 'withdrawal')
})

test('while one endpoint is down, the others are heard about every channel', async () => {
  const last = hex(channels[19]?.config.salt ?? new Uint8Array())
  const { watch, keeper } = over(channels.slice(0, 20), async ({ salt }) => ({
    ...{ balance: 100n, totalClaimed: 0n, doubt: new Error('one of them does not answer') },
    ...(hex(salt) === last ? { withdrawal: { amount: 3n, atS: 9, agreed: true } } : {}),
  }))
  await watch.look()
  const found = [...keeper.all()].filter(({ withdrawing }) => withdrawing > 0n)
  assert.deepEqual(
    found.map(({ config, ended }) => [hex(config.salt), ended]),
    [[last, undefined]],
  )
})

test('one endpoint alone fills no channel', async () => {
  const doubt = new Error('the other says 100')
  const { watch, keeper } = over(channels.slice(0, 1), async () => ({
    balance: 5_000n,
    totalClaimed: 0n,
    doubt,
  }))
  await watch.look()
  assert.equal([...keeper.all()][0]?.balance, 100n)
})

test('a channel that was not read for a quarter of its delay gets no acks until it is', async () => {
  let down = false
  const { watch, keeper, clock, notes } = over(channels.slice(0, 1), async () => {
    if (down) throw new Error('no endpoint answers')
    return { balance: 100n, totalClaimed: 0n }
  })
  const channel = () => [...keeper.all()][0] as Channel
  assert.equal(ackAgain(channel(), 1).acked.timeMs, 0, 'not read yet since the start')
  await watch.look()
  down = true
  const quarterMs = (7 * 86_400 * 1000) / 4
  clock.ms = quarterMs
  await watch.look()
  assert.equal(channel().unseen, undefined)
  clock.ms += 1
  await watch.look()
  assert.equal(ackAgain(channel(), clock.ms).acked.timeMs, 0)
  assert.ok(notes.some(({ event }) => event === 'unseen'))
  down = false
  await watch.look()
  assert.equal(ackAgain(channel(), clock.ms).acked.timeMs, clock.ms)
})

function over(some: Channel[], seen: (config: Channel['config']) => Promise<Seen>) {
  const notes: Note[] = []
  const clock = { ms: 0 }
  const note = (one: Note) => void notes.push(one)
  const ledger = { channels: () => some, claims: () => [], save: () => {} }
  const keeper = openKeeper({
    ledger: ledger as Partial<Ledger> as Ledger,
    wallMs: () => clock.ms,
    changed: () => {},
    note,
  })
  return {
    keeper,
    notes,
    clock,
    watch: openWatch({ keeper, seen: ({ config }) => seen(config), note }),
  }
}
