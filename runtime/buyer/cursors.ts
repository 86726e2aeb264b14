import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import type { Head } from './follow.ts'

/** Where reading goes on: behind this head, and behind the first `taken` readings of the epoch after it. */
export type Cursor = {
  readonly device: Address
  readonly stream: string
  readonly head: Head
  readonly taken: number
}

/**
 * One row a stream. Only handing out moves it, after the consumer came back for more; a kill between the
 * two repeats one reading, which its epoch number and index show, and never loses one.
 */
export function cursorTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS cursor (
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    boot TEXT,
    closed_monotonic_ms INTEGER,
    taken INTEGER NOT NULL,
    PRIMARY KEY (device, stream)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare('INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const get = db.prepare('SELECT * FROM cursor WHERE device = ? AND stream = ?')

  return {
    put({ device, stream, head, taken }: Cursor): void {
      const { generation, number, hash, boot = null, closedMonotonicMs = null } = head
      put.run(device, stream, generation, number, hash, boot, closedMonotonicMs, taken)
    },
    get(device: Address, stream: string): Cursor | undefined {
      const row = get.get(device, stream) as Stored | undefined
      if (row === undefined) return undefined
      const { generation, number, hash, boot, closed_monotonic_ms: closed, taken } = row
      const time = boot === null || closed === null ? {} : { boot, closedMonotonicMs: closed }
      const head = { generation, number, hash: new Uint8Array(hash), ...time }
      return { device, stream, head, taken }
    },
  }
}

type Stored = {
  readonly generation: number
  readonly number: number
  readonly hash: Uint8Array
  readonly boot: string | null
  readonly closed_monotonic_ms: number | null
  readonly taken: number
}
