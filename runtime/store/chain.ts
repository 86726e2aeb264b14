import type { Database } from '../disk/sqlite.ts'

/** How far a stream's chain of headers has come. */
export type ChainRow = {
  readonly stream: string
  readonly generation: number
  /** Of the newest header; the next epoch takes the next number. */
  readonly number: number
  /** SHA-256 of the newest header without its signature. */
  readonly hash: Uint8Array
  /** When it closed, and in which boot. */
  readonly boot: string
  readonly closedMonotonicMs: number
}

/**
 * One row a stream: where its chain stands. The commit of a header owns every number here; nothing else
 * writes them, and a number only grows.
 */
export function chainTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS chain (
    stream TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    boot TEXT NOT NULL,
    closed_monotonic_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (stream) DO UPDATE SET generation = excluded.generation, number = excluded.number,
      hash = excluded.hash, boot = excluded.boot, closed_monotonic_ms = excluded.closed_monotonic_ms`)
  const all = db.prepare(`SELECT stream, generation, number, hash, boot,
    closed_monotonic_ms AS closedMonotonicMs FROM chain ORDER BY stream`)

  return {
    set(row: ChainRow): void {
      const { stream, generation, number, hash, boot, closedMonotonicMs } = row
      put.run(stream, generation, number, hash, boot, closedMonotonicMs)
    },
    all: () => all.all() as ChainRow[],
  }
}
