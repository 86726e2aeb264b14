import type { Database } from '../disk/sqlite.ts'

/** Epochs of one stream, both ends included. */
type Numbers = { readonly stream: string; readonly from: number; readonly to: number }

/**
 * Epochs that somebody paid for a short while ago: they are not evicted before `until_ms`, gateway time,
 * whether they were fetched or not, since nobody tells whether the bytes arrived. The commit that sells
 * owns the rows. Expects the table `epoch`.
 */
export function pinTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS pin (
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (stream, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS pin_until ON pin (until_ms)`)
  const add = db.prepare(`INSERT INTO pin SELECT stream, number, @untilMs, bytes FROM epoch
    WHERE stream = @stream AND number BETWEEN @from AND @to
    ON CONFLICT DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`)
  const forget = db.prepare('DELETE FROM pin WHERE until_ms <= ?')
  const drop = db.prepare('DELETE FROM pin WHERE stream = ? AND number BETWEEN ? AND ?')
  const bytes = db.prepare('SELECT coalesce(sum(bytes), 0) FROM pin WHERE until_ms > ?').pluck()
  const newest = db.prepare(
    'SELECT until_ms AS untilMs, bytes FROM pin WHERE until_ms > ? ORDER BY until_ms DESC',
  )

  return {
    /** For a commit: pins what is stored of these. */
    add: (numbers: Numbers, untilMs: number) => void add.run({ ...numbers, untilMs }),
    /** For a commit: forgets what lapsed. */
    lapse: (nowMs: number) => void forget.run(nowMs),
    /** For a commit: these are gone. */
    drop: ({ stream, from, to }: Numbers) => void drop.run(stream, from, to),
    bytes: (nowMs: number) => bytes.get(nowMs) as number,
    /**
     * From which `until_ms` on a pin counts, now that so many bytes may be pinned: a buyer must not hold
     * the whole disk, and the oldest purchases give way first.
     */
    since(nowMs: number, bytesMax: number): number {
      if ((bytes.get(nowMs) as number) <= bytesMax) return nowMs + 1
      let held = 0
      for (const row of newest.iterate(nowMs) as IterableIterator<Pin>) {
        held += row.bytes
        if (held > bytesMax) return row.untilMs + 1
      }
      return nowMs + 1
    },
  }
}

type Pin = { readonly untilMs: number; readonly bytes: number }
