import type { Database } from '../disk/sqlite.ts'
import type { ClockQuality } from '../wire/clock.ts'

/** An open epoch as far as it is committed: its place, its opening, and its newest signed tree head. */
export type OpenRow = {
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly previous: Uint8Array
  readonly clock: ClockQuality
  readonly boot: string
  readonly openedMonotonicMs: number
  readonly openedWallMs?: number | null
  readonly terms: Uint8Array
  readonly setup: Uint8Array
  /** The tree head: everything below is under its signature, but for the wall time. */
  readonly count: number
  readonly root: Uint8Array
  readonly headMonotonicMs: number
  readonly headWallMs?: number | null
  readonly signature: Uint8Array
}

/** An open epoch with the packs of all its commits, one behind the other. */
export type OpenEpoch = OpenRow & { readonly packs: Uint8Array }

/**
 * Epochs that are not sealed yet: at most one a stream, and its packs as they were committed. The commit
 * owns all of it: it overwrites the head, adds packs, and drops both with the header.
 */
export function openTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS open_epoch (
    stream TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    previous BLOB NOT NULL,
    clock TEXT NOT NULL,
    boot TEXT NOT NULL,
    opened_monotonic_ms INTEGER NOT NULL,
    opened_wall_ms INTEGER,
    terms BLOB NOT NULL,
    setup BLOB NOT NULL,
    count INTEGER NOT NULL,
    root BLOB NOT NULL,
    head_monotonic_ms INTEGER NOT NULL,
    head_wall_ms INTEGER,
    signature BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pack (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    packs BLOB NOT NULL
  ) STRICT`)
  const put = db.prepare(`INSERT OR REPLACE INTO open_epoch VALUES (@stream, @generation, @number,
    @previous, @clock, @boot, @openedMonotonicMs, @openedWallMs, @terms, @setup,
    @count, @root, @headMonotonicMs, @headWallMs, @signature)`)
  const addPacks = db.prepare('INSERT INTO pack (stream, packs) VALUES (?, ?)')
  const dropOpen = db.prepare('DELETE FROM open_epoch WHERE stream = ?')
  const dropPacks = db.prepare('DELETE FROM pack WHERE stream = ?')
  const all = db.prepare(`SELECT stream, generation, number, previous, clock, boot,
    opened_monotonic_ms AS openedMonotonicMs, opened_wall_ms AS openedWallMs, terms, setup,
    count, root, head_monotonic_ms AS headMonotonicMs, head_wall_ms AS headWallMs, signature
    FROM open_epoch ORDER BY stream`)
  const packsOf = db.prepare('SELECT packs FROM pack WHERE stream = ? ORDER BY id').pluck()
  const waiting = db.prepare('SELECT coalesce(sum(count), 0) FROM open_epoch').pluck()

  return {
    /** The newest head, and the packs that came since the one before. */
    gain(row: OpenRow, packs: Uint8Array): void {
      put.run({
        ...row,
        openedWallMs: row.openedWallMs ?? null,
        headWallMs: row.headWallMs ?? null,
      })
      addPacks.run(row.stream, packs)
    },
    drop(stream: string): void {
      dropOpen.run(stream)
      dropPacks.run(stream)
    },
    all(): OpenEpoch[] {
      const rows = all.all() as OpenRow[]
      return rows.map((row) => {
        const packs = Buffer.concat(packsOf.all(row.stream) as Uint8Array[])
        return { ...row, packs: new Uint8Array(packs) }
      })
    },
    /** Readings that are acknowledged and not sealed. */
    waiting: () => waiting.get() as number,
  }
}
