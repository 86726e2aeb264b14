import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Channel, join } from '../../runtime/operator/channel.ts'
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
    untilMs: 1_000,
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

function over(
  some: Channel[],
  seen: (config: Channel['config']) => Promise<{ balance: bigint; totalClaimed: bigint }>,
) {
  const notes: Note[] = []
  const note = (one: Note) => void notes.push(one)
  const ledger = { channels: () => some, save: () => {} } as Partial<Ledger> as Ledger
  const keeper = openKeeper({ ledger, wallMs: () => 0, changed: () => {}, note })
  return { keeper, notes, watch: openWatch({ keeper, seen: ({ config }) => seen(config), note }) }
}
