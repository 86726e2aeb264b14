import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import { type Cover, decodeKeysBody, encodeKeysBody, type Run } from '../wire/keysbody.ts'
import { leafKey } from '../wire/keytree.ts'

/**
 * The keys that we paid for, for epochs that are not handed out yet. A seller may drop from its own
 * message what we confirmed, and may sleep; so what it once released stays here until it is used.
 */
export function keyTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS key (
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    generation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    cover BLOB NOT NULL,
    PRIMARY KEY (device, stream, generation, first)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT INTO key VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET last = excluded.last, cover = excluded.cover WHERE excluded.last > last`)
  const has = db.prepare(
    'SELECT 1 FROM key WHERE device = ? AND stream = ? AND generation = ? AND first = ?',
  )
  const count = db.prepare('SELECT count(*) FROM key WHERE device = ?').pluck()
  const find = db.prepare(`SELECT cover FROM key
    WHERE device = ? AND stream = ? AND generation = ? AND first <= ? AND last >= ?`)
  const reach = db
    .prepare(`SELECT max(last) FROM key
    WHERE device = ? AND stream = ? AND first <= ? AND last >= ?`)
    .pluck()
  const drop = db.prepare('DELETE FROM key WHERE device = ? AND stream = ? AND last <= ?')

  return {
    /** Takes the runs of these covers; false when there is no room for all, at `max` of a device. */
    add(device: Address, covers: readonly Cover[], max: number): boolean {
      let room = max - (count.get(device) as number)
      for (const { stream, generation, runs } of covers) {
        for (const run of runs) {
          if (has.get(device, stream, generation, run.from) === undefined) room -= 1
          if (room < 0) return false
          put.run(device, stream, generation, run.from, run.to, one({ stream, generation }, run))
        }
      }
      return true
    },
    /** The key-tree leaf of that epoch, if a run that we hold covers it. */
    leaf(device: Address, stream: string, generation: number, number: number) {
      const rows = find.all(device, stream, generation, number, number) as { cover: Uint8Array }[]
      for (const { cover } of rows) {
        const [held] = decodeKeysBody(new Uint8Array(cover)).covers
        const leaf = leafKey(held?.runs[0]?.nodes ?? [], number)
        if (leaf !== undefined) return leaf
      }
      return undefined
    },
    /** Up to which number the run that we hold from this one on goes. */
    reach: (device: Address, stream: string, number: number) =>
      (reach.get(device, stream, number, number) as number | null) ?? undefined,
    /** Everything up to that number was handed out. */
    drop(device: Address, stream: string, upTo: number): void {
      drop.run(device, stream, upTo)
    },
  }
}

/** One run in the wire's own form, which is also how it is kept. */
function one(of: { readonly stream: string; readonly generation: number }, run: Run): Uint8Array {
  return encodeKeysBody({ version: 0n, covers: [{ ...of, runs: [run] }] })
}
