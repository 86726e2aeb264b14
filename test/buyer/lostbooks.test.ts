/** A device of a fleet that lost its books: what its buyer had promised counts as spent, and nothing beyond. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../runtime/disk/sqlite.ts'
import { handClock } from './past.ts'
import { openStreet, type Street, terms } from './street.ts'

test('who comes back to a fleet’s device that lost its books shows what was promised before it promises more', async (t) => {
  const clock = handClock(1_790_000_000_000)
  const sold = { ...terms, epochMs: 1_000 }
  const street = await openStreet(t, { devices: 2, clock, terms: sold })
  const [one, other] = street.devices as [Street['devices'][0], Street['devices'][0]]
  const first = await reader(street)
  await one.make(5)
  await other.make(3)
  await first.opened(8)
  await first.close()
  const before = one.counts().promised
  assert.ok(before > 0n)
  await one.stop()
  forget(join(street.folder, 'device0', 'store.db'))
  const again = await street.reopen({ terms: sold })
  assert.equal(again.counts().promised, 0n)
  const second = await reader(street)
  await again.make(20)
  await other.make(2)
  await second.opened(22)
  await second.close()
  const { money, findings } = second.summary()
  assert.deepEqual(findings, {})
  assert.ok(!second.notes.some(({ event }) => event === 'paid again'), 'nothing is bought twice')
  assert.equal(money?.promised, money?.price, 'and nothing is paid for in vain')
  const { promised, delivered } = again.counts()
  assert.deepEqual([promised, delivered], [5n * before, 5n * before])
})

/** A run that goes on where the last one ended. */
async function reader(street: Street) {
  const buyer = await street.buy({ resume: true })
  const ended = (async () => {
    for await (const { reading } of buyer.readings()) void reading
  })()
  return {
    ...buyer,
    async opened(count: number) {
      const now = () => buyer.summary().counts.opened
      for (let i = 0; i < 1_500 && now() < count; i += 1)
        await new Promise((r) => setTimeout(r, 20))
      assert.equal(now(), count)
    },
    async close() {
      buyer.stop()
      await buyer.close()
      await ended
    },
  }
}

/** As recovery leaves it in a channel of several devices: nobody knows what was spent in it. */
function forget(path: string): void {
  const db = openDatabase(path)
  db.exec(`INSERT INTO sale_lost_channel SELECT channel, NULL FROM sale_channel;
    INSERT INTO sale_lost_session SELECT session FROM sale_session;
    DELETE FROM sale_channel; DELETE FROM sale_pending; DELETE FROM sale_covered;
    DELETE FROM sale_run; DELETE FROM sale_session; DELETE FROM sale_held`)
  db.close()
}
