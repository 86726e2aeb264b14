import type { Database } from '../disk/sqlite.ts'
import type { Meter } from './bought.ts'

type Stream = Pick<Meter, 'device' | 'stream'>

/**
 * Sealed messages of epochs that were paid for and are not handed out: a crash of the buyer leaves them in
 * hand, whatever the device does meanwhile. Written lazily and within a bound: what is lost here is fetched
 * again.
 */
export function bodyTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS body (
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (device, stream, number)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare('INSERT OR REPLACE INTO body VALUES (?, ?, ?, ?)')
  const held = db
    .prepare('SELECT message FROM body WHERE device = ? AND stream = ? ORDER BY number')
    .pluck()
  const drop = db.prepare('DELETE FROM body WHERE device = ? AND stream = ? AND number <= ?')
  const forget = db.prepare('DELETE FROM body WHERE device = ?')

  return {
    put({ device, stream }: Stream, number: number, message: Uint8Array): void {
      put.run(device, stream, number, message)
    },
    /** Oldest first. */
    held: ({ device, stream }: Stream): Uint8Array[] =>
      (held.all(device, stream) as Uint8Array[]).map((message) => new Uint8Array(message)),
    /** Everything up to that number was handed out. */
    drop({ device, stream }: Stream, upTo: number): void {
      drop.run(device, stream, upTo)
    },
    /** Nothing of that device is waited for any more. */
    forget(device: Stream['device']): void {
      forget.run(device)
    },
  }
}
