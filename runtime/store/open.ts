import type { Database } from '../disk/sqlite.ts'
import type { ClockQuality } from '../wire/clock.ts'

/** Where an open epoch stands and when it opened. */
export type Opening = {
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
}

/** Its newest signed tree head; all but the wall time is under the signature. */
export type Head = {
  readonly count: number
  readonly root: Uint8Array
  readonly headMonotonicMs: number
  readonly headWallMs?: number | null
  readonly signature: Uint8Array
}

export type OpenRow = Opening & Head

/** An open epoch with the packs of all its commits, one behind the other. */
export type OpenEpoch = OpenRow & { readonly packs: Uint8Array }

/**
 * Epochs that are not sealed yet, at most one a stream. Its opening is written once; every commit adds one
 * row with its packs and the tree head that signs them and all before, and the newest row's head is the one
 * that counts. The commit owns all of it, and drops it with the header.
 */
export function openTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS opening (
    stream TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    previous BLOB NOT NULL,
    clock TEXT NOT NULL,
    boot TEXT NOT NULL,
    opened_monotonic_ms INTEGER NOT NULL,
    opened_wall_ms INTEGER,
    terms BLOB NOT NULL,
    setup BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS gain (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    packs BLOB NOT NULL,
    count INTEGER NOT NULL,
    root BLOB NOT NULL,
    head_monotonic_ms INTEGER NOT NULL,
    head_wall_ms INTEGER,
    signature BLOB NOT NULL
  ) STRICT`)
  const { begin, add, dropOpening, dropGains, openings, head, packs, waiting } = statements(db)

  return {
    /** The newest head, and the packs that came since the one before. */
    gain(row: OpenRow, since: Uint8Array): void {
      const { openedWallMs = null, headWallMs = null } = row
      const named = { ...row, openedWallMs, headWallMs, packs: since }
      begin.run(named)
      add.run(named)
    },
    drop(stream: string): void {
      dropOpening.run(stream)
      dropGains.run(stream)
    },
    all(): OpenEpoch[] {
      return (openings.all() as Opening[]).map((row) => {
        const whole = Buffer.concat(packs.all(row.stream) as Uint8Array[])
        return { ...row, ...(head.get(row.stream) as Head), packs: new Uint8Array(whole) }
      })
    },
    /** Readings that are acknowledged and not sealed. */
    waiting: () => waiting.get() as number,
  }
}

function statements(db: Database) {
  const begin = db.prepare(`INSERT OR IGNORE INTO opening VALUES (@stream, @generation, @number,
    @previous, @clock, @boot, @openedMonotonicMs, @openedWallMs, @terms, @setup)`)
  const add = db.prepare(`INSERT INTO gain (stream, packs, count, root, head_monotonic_ms,
    head_wall_ms, signature) VALUES (@stream, @packs, @count, @root, @headMonotonicMs, @headWallMs,
    @signature)`)
  const dropOpening = db.prepare('DELETE FROM opening WHERE stream = ?')
  const dropGains = db.prepare('DELETE FROM gain WHERE stream = ?')
  const openings = db.prepare(`SELECT stream, generation, number, previous, clock, boot,
    opened_monotonic_ms AS openedMonotonicMs, opened_wall_ms AS openedWallMs, terms, setup
    FROM opening ORDER BY stream`)
  const head = db.prepare(`SELECT count, root, head_monotonic_ms AS headMonotonicMs,
    head_wall_ms AS headWallMs, signature FROM gain WHERE stream = ? ORDER BY id DESC LIMIT 1`)
  const packs = db.prepare('SELECT packs FROM gain WHERE stream = ? ORDER BY id').pluck()
  const waiting = db
    .prepare(
      'SELECT coalesce(sum(newest), 0) FROM (SELECT max(count) AS newest FROM gain GROUP BY stream)',
    )
    .pluck()
  return { begin, add, dropOpening, dropGains, openings, head, packs, waiting }
}
