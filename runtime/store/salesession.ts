import type { Database } from '../disk/sqlite.ts'
import type { SaleRange } from './saleepoch.ts'

/** A session with a buyer, so that it outlives a restart. */
export type SaleSessionRow = {
  /** 32 hex digits. */
  readonly session: string
  readonly channel: string
  /** SHA-256 of the order message as it came, to know it again; hex. */
  readonly message: string
  /** Number of its order, in decimal digits. */
  readonly orderNumber: string
  readonly untilMs: number
  /** The three keys of its HPKE context. */
  readonly ask: Uint8Array
  readonly answer: Uint8Array
  readonly keys: Uint8Array
  /** Newest request counter that was taken, in decimal digits; the buyer owns it. */
  readonly counter: string
  /** No answer has had a higher counter; the device owns it, and `keysVersion`. */
  readonly answers: number
  readonly keysVersion: number
  /** 1 once it is over. */
  readonly ended: number
  /** What the buyer confirmed to hold, so that the keys need not repeat it. */
  readonly held: readonly SaleRange[]
}

export function saleSessionTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS sale_session (
    session TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    order_number TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    ask BLOB NOT NULL,
    answer BLOB NOT NULL,
    keys BLOB NOT NULL,
    counter TEXT NOT NULL,
    answers INTEGER NOT NULL,
    keys_version INTEGER NOT NULL,
    ended INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sale_held (
    session TEXT NOT NULL,
    stream TEXT NOT NULL,
    generation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (session, stream, generation, first)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT OR REPLACE INTO sale_session VALUES (@session, @channel, @message,
    @orderNumber, @untilMs, @ask, @answer, @keys, @counter, @answers, @keysVersion, @ended)`)
  const all = db.prepare(`SELECT session, channel, message, order_number AS orderNumber,
    until_ms AS untilMs, ask, answer, keys, counter, answers, keys_version AS keysVersion, ended
    FROM sale_session ORDER BY session`)
  const drop = db.prepare('DELETE FROM sale_session WHERE session = ?')
  const dropHeld = db.prepare('DELETE FROM sale_held WHERE session = ?')
  const addHeld = db.prepare('INSERT INTO sale_held VALUES (?, ?, ?, ?, ?)')
  const held = db.prepare(`SELECT stream, generation, first AS "from", last AS "to" FROM sale_held
    WHERE session = ? ORDER BY stream, generation, first`)

  return {
    put(row: SaleSessionRow): void {
      put.run(row)
      dropHeld.run(row.session)
      for (const { stream, generation, from, to } of row.held)
        addHeld.run(row.session, stream, generation, from, to)
    },
    drop(session: string): void {
      drop.run(session)
      dropHeld.run(session)
    },
    all(): SaleSessionRow[] {
      return (all.all() as Omit<SaleSessionRow, 'held'>[]).map((row) => ({
        ...row,
        held: held.all(row.session) as SaleRange[],
      }))
    },
  }
}
