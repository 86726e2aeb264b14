/**
 * The one door to SQLite. Every database of the product is in WAL mode and durable at COMMIT
 * (synchronous FULL), so a commit that has returned survives a power cut. Every one is its owner's alone:
 * they hold keys of sessions, and readings that are not sealed yet.
 */
import { chmodSync, closeSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { fault } from '../faults.ts'

export type Database = Sqlite.Database

export type DatabaseOptions = {
  /** The WAL is cut back to this many bytes whenever a checkpoint has emptied it. */
  readonly walBytesMax?: number
}

/**
 * Opens or makes the database. 1 KiB pages write a third less than 4 KiB ones for rows of a few hundred
 * bytes, which is what a card can bear. Throws the fault STORE_UNREADABLE.
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): Database {
  const walBytesMax = options.walBytesMax ?? 8 * 1024 * 1024
  let db: Database | undefined
  try {
    if (path !== ':memory:') makePrivate(path)
    db = new Sqlite(path, { timeout: busyMs })
    db.pragma(`page_size = ${pageBytes}`)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    db.pragma(`journal_size_limit = ${walBytesMax}`)
    db.pragma(`wal_autocheckpoint = ${Math.floor(walBytesMax / 2 / pageBytes)}`)
    return db
  } catch (cause) {
    db?.close()
    throw fault('STORE_UNREADABLE', { path, why: why(cause) }, cause)
  }
}

/** Mode 0600 before SQLite sees the file: it gives the same to the WAL beside it. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', ownerOnly))
  chmodSync(path, ownerOnly)
}

/**
 * Runs `work` in a transaction that a power cut may take back: it is appended to the WAL without waiting
 * for the disk, and the next ordinary commit makes it durable. For what can be done twice without harm.
 */
export function lazily<T>(db: Database, work: () => T): T {
  db.pragma('synchronous = NORMAL')
  try {
    return db.transaction(work)()
  } finally {
    db.pragma('synchronous = FULL')
  }
}

/**
 * An exclusive lock on a file that the operating system drops when the holder dies, however it dies. No
 * byte is written. Undefined when somebody else holds it.
 */
export function tryLock(path: string): { release(): void } | undefined {
  const db = new Sqlite(path, { timeout: 0 })
  try {
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    if ((cause as { code?: string }).code === 'SQLITE_BUSY') return undefined
    throw cause
  }
  return { release: () => void db.close() }
}

const pageBytes = 1024
const ownerOnly = 0o600
const busyMs = 5_000

function why(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
