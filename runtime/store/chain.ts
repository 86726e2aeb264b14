import type { Database } from '../disk/sqlite.ts'

/** How far a stream's chain of headers has come in one generation. */
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

/** The numbers that a generation gave to a stream. */
export type Run = {
  readonly stream: string
  readonly generation: number
  readonly first: number
  readonly last: number
}

/**
 * One row a stream and generation: which numbers it gave out, and where the chain stands. The commit of a
 * header owns every number here; nothing else writes them, and a number only grows, on through generations.
 */
export function chainTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS chain (
    stream TEXT NOT NULL,
    generation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    boot TEXT NOT NULL,
    closed_monotonic_ms INTEGER NOT NULL,
    PRIMARY KEY (stream, generation)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (stream, generation) DO UPDATE SET number = excluded.number, hash = excluded.hash,
      boot = excluded.boot, closed_monotonic_ms = excluded.closed_monotonic_ms`)
  const newest = db.prepare(`SELECT stream, generation, number, hash, boot,
    closed_monotonic_ms AS closedMonotonicMs FROM chain
    WHERE number = (SELECT max(number) FROM chain AS all_of WHERE all_of.stream = chain.stream)
    ORDER BY stream`)
  const runs = db.prepare(`SELECT stream, generation, first, number AS last FROM chain
    ORDER BY stream, generation`)
  const count = db.prepare('SELECT coalesce(sum(number - first + 1), 0) FROM chain').pluck()

  return {
    set(row: ChainRow): void {
      const { stream, generation, number, hash, boot, closedMonotonicMs } = row
      put.run(stream, generation, number, number, hash, boot, closedMonotonicMs)
    },
    /** Where every stream's chain stands. */
    newest: () => newest.all() as ChainRow[],
    runs: () => runs.all() as Run[],
    /** Headers of all chains, whether they are still kept or not. */
    count: () => count.get() as number,
  }
}
