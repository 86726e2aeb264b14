import type { Database } from '../disk/sqlite.ts'

/** A sealed epoch, or another header of a chain, as it is kept and sent. */
export type EpochRow = {
  readonly stream: string
  readonly generation: number
  readonly number: number
  /** `readings`, `interrupted`, `tombstone`, `clock map` or `generation`. */
  readonly kind: string
  readonly count: number
  /** From opening to closing, never above nominal; what a buyer pays for. */
  readonly coveredMs: number
  readonly openedMonotonicMs: number
  readonly openedWallMs?: number | null
  readonly closedMonotonicMs: number
  readonly closedWallMs?: number | null
  readonly terms: Uint8Array
  /** SHA-256 of the header without its signature. */
  readonly hash: Uint8Array
  /** Header, signature and body: what travels, byte for byte. */
  readonly message: Uint8Array
}

/** What selling needs to know of a header, in the order of their commits. */
export type HeaderRow = {
  readonly seq: number
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly kind: string
  readonly count: number
  readonly coveredMs: number
  readonly terms: Uint8Array
  readonly bytes: number
}

/** When an epoch opened and closed, and its header's hash. */
export type Ends = {
  readonly number: number
  readonly openedMonotonicMs: number
  readonly openedWallMs: number | null
  readonly closedMonotonicMs: number
  readonly closedWallMs: number | null
  readonly hash: Uint8Array
}

/**
 * Every header of every chain, with its body, until it is evicted. Written once by the commit that seals it
 * and never changed; the UNIQUE rule is the last guard against a number used twice.
 */
export function epochTable(db: Database) {
  db.exec(table)
  const { add, message, since, ends, firstOf, hasReadings } = statements(db)

  return {
    /** Returns the row's seq. */
    add(row: EpochRow): number {
      const { lastInsertRowid } = add.run({
        ...row,
        openedWallMs: row.openedWallMs ?? null,
        closedWallMs: row.closedWallMs ?? null,
        bytes: row.message.length,
      })
      return Number(lastInsertRowid)
    },
    message(stream: string, generation: number, number: number): Uint8Array | undefined {
      return message.get(stream, number, generation) as Uint8Array | undefined
    },
    /** The headers committed after `seq`, oldest first, at most `rowsMax`. */
    since: (seq: number, rowsMax: number) => since.all(seq, rowsMax) as HeaderRow[],
    ends: (stream: string, number: number) => ends.get(stream, number) as Ends | undefined,
    /** The lowest of these numbers that is stored, if any is. */
    firstOf: (stream: string, from: number, to: number) =>
      (firstOf.get(stream, from, to) as number | null) ?? undefined,
    /** Whether readings are kept under one of these numbers. */
    hasReadings: (stream: string, from: number, to: number) =>
      hasReadings.get(stream, from, to) === 1,
  }
}

const table = `CREATE TABLE IF NOT EXISTS epoch (
  seq INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  generation INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  count INTEGER NOT NULL,
  covered_ms INTEGER NOT NULL,
  opened_monotonic_ms INTEGER NOT NULL,
  opened_wall_ms INTEGER,
  closed_monotonic_ms INTEGER NOT NULL,
  closed_wall_ms INTEGER,
  terms BLOB NOT NULL,
  hash BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  message BLOB NOT NULL,
  UNIQUE (stream, number)
) STRICT`

function statements(db: Database) {
  const add = db.prepare(`INSERT INTO epoch (stream, generation, number, kind, count, covered_ms,
    opened_monotonic_ms, opened_wall_ms, closed_monotonic_ms, closed_wall_ms, terms, hash, bytes, message)
    VALUES (@stream, @generation, @number, @kind, @count, @coveredMs, @openedMonotonicMs, @openedWallMs,
      @closedMonotonicMs, @closedWallMs, @terms, @hash, @bytes, @message)`)
  const message = db
    .prepare('SELECT message FROM epoch WHERE stream = ? AND number = ? AND generation = ?')
    .pluck()
  const since = db.prepare(`SELECT seq, stream, generation, number, kind, count,
    covered_ms AS coveredMs, terms, bytes FROM epoch WHERE seq > ? ORDER BY seq LIMIT ?`)
  const ends = db.prepare(`SELECT number, opened_monotonic_ms AS openedMonotonicMs,
    opened_wall_ms AS openedWallMs, closed_monotonic_ms AS closedMonotonicMs,
    closed_wall_ms AS closedWallMs, hash FROM epoch WHERE stream = ? AND number = ?`)
  const range = 'stream = ? AND number BETWEEN ? AND ?'
  const firstOf = db.prepare(`SELECT min(number) FROM epoch WHERE ${range}`).pluck()
  const hasReadings = db
    .prepare(`SELECT EXISTS (SELECT 1 FROM epoch WHERE ${range}
      AND kind IN ('readings', 'interrupted'))`)
    .pluck()
  return { add, message, since, ends, firstOf, hasReadings }
}
