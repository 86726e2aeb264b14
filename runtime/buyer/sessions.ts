import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import type { SessionKeys } from '../wire/session.ts'

/** One session with one seller: the sealed order, and the keys that its HPKE context gave. */
export type SessionRow = {
  readonly seller: Address
  /** Empty for own data. */
  readonly channel: Hex | ''
  /** What the order says, to see whether it still is what we want. */
  readonly terms: string
  readonly untilMs: number
  /** The order message, byte for byte: sealing it again would give other keys. */
  readonly message: Uint8Array
  readonly keys: SessionKeys
}

/**
 * Sessions that may still be open at their sellers, so that a restart goes on in the same one and hears
 * the keys that were released meanwhile. An orderly end drops the row.
 */
export function sessionTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS session (
    seller TEXT NOT NULL,
    channel TEXT NOT NULL,
    terms TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    message BLOB NOT NULL,
    id BLOB NOT NULL,
    ask BLOB NOT NULL,
    answer BLOB NOT NULL,
    keys BLOB NOT NULL,
    counter INTEGER NOT NULL,
    PRIMARY KEY (seller, channel)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)')
  const get = db.prepare('SELECT * FROM session WHERE seller = ? AND channel = ?')
  const reserve = db
    .prepare(`UPDATE session SET counter = counter + ? WHERE seller = ? AND channel = ?
      RETURNING counter`)
    .pluck()
  const drop = db.prepare('DELETE FROM session WHERE seller = ? AND channel = ?')

  return {
    put({ seller, channel, terms, untilMs, message, keys }: SessionRow): void {
      put.run(seller, channel, terms, untilMs, message, keys.id, keys.ask, keys.answer, keys.keys)
    },
    get(seller: Address, channel: Hex | ''): SessionRow | undefined {
      const row = get.get(seller, channel) as Stored | undefined
      if (row === undefined) return undefined
      const { terms, until_ms: untilMs, message, id, ask, answer, keys } = row
      const bytes = { id: copy(id), ask: copy(ask), answer: copy(answer), keys: copy(keys) }
      return { seller, channel, terms, untilMs, message: copy(message), keys: bytes }
    },
    /** Takes the next `count` request counters of a session, durably; returns the last of them. */
    reserve(seller: Address, channel: Hex | '', count: number): bigint {
      const last = reserve.get(count, seller, channel) as number | undefined
      if (last === undefined) throw new RangeError('no such session')
      return BigInt(last)
    },
    drop(seller: Address, channel: Hex | ''): void {
      drop.run(seller, channel)
    },
  }
}

type Stored = { readonly terms: string; readonly until_ms: number } & Readonly<
  Record<'message' | 'id' | 'ask' | 'answer' | 'keys', Uint8Array>
>

/** A plain Uint8Array: SQLite hands out Buffers. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
