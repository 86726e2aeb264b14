import type { Database } from '../disk/sqlite.ts'

/** Numbers of a stream that are gone, and the header of the chain that stands for them. */
export type TombstoneRow = {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Its own number; its message lies in the table `epoch`. */
  readonly number: number
  /** Hash of header `to`. */
  readonly last: Uint8Array
}

/**
 * The live tombstones: every number of a stream is either in the table `epoch` or under exactly one of them.
 * The commit that evicts owns them; a newer one takes the place of those whose numbers it covers.
 * Expects the table `chain`.
 */
export function tombstoneTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS tombstone (
    stream TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    number INTEGER NOT NULL,
    last_hash BLOB NOT NULL,
    PRIMARY KEY (stream, first)
  ) STRICT, WITHOUT ROWID`)
  const drop = db.prepare('DELETE FROM tombstone WHERE stream = ? AND first BETWEEN ? AND ?')
  const add = db.prepare('INSERT INTO tombstone VALUES (@stream, @from, @to, @number, @last)')
  const columns = 'stream, first AS "from", last AS "to", number, last_hash AS "last"'
  const within = db.prepare(`SELECT ${columns} FROM tombstone
    WHERE stream = ? AND first <= ? AND last >= ? ORDER BY first`)
  // Numbers that were left out were never given to a header.
  const evicted = db
    .prepare(`SELECT coalesce(sum(min(t.last, c.number) - max(t.first, c.first) + 1), 0)
      FROM tombstone t JOIN chain c ON c.stream = t.stream AND c.first <= t.last AND c.number >= t.first`)
    .pluck()

  return {
    put(row: TombstoneRow): void {
      const { stream, from, to, number, last } = row
      drop.run(stream, from, to)
      add.run({ stream, from, to, number, last })
    },
    /** Those that stand for any of these numbers, in their order. */
    within: (stream: string, from: number, to: number) =>
      within.all(stream, to, from) as TombstoneRow[],
    of: (stream: string) => within.all(stream, 2 ** 32, 0) as TombstoneRow[],
    /** Headers that are gone, of all streams. */
    evicted: () => evicted.get() as number,
  }
}
