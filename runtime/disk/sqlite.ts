/**
 * The one door to SQLite. Every database of the product is in WAL mode and durable at COMMIT
 * (synchronous FULL), so a commit that has returned survives a power cut. Every one is its owner's alone:
 * they hold keys of sessions, and readings that are not sealed yet.
 *
 * A failed fsync is no delay: what was to be synced may be gone from the disk, stands in memory as if it were
 * clean, and the next fsync will not tell (Rebello et al., ATC 2020). A commit that failed is written anew
 * by the next one, and pages of a failed checkpoint by the next; what remains is what stands in the WAL
 * without a sync of its own, by `lazily` or from a process that ended. `writeAnew` puts that on the disk by
 * another way.
 */
import { chmodSync, closeSync, openSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { fault, whyOf } from '../faults.ts'

export type Database = Sqlite.Database

/**
 * Opens or makes the database. 1 KiB pages write a third less than 4 KiB ones for rows of a few hundred
 * bytes, which is what a card can bear. Throws the fault STORE_UNREADABLE.
 */
export function openDatabase(path: string): Database {
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
    unlessFull(path, () => checkpoint(db as Database, 'PASSIVE'))
    return db
  } catch (cause) {
    db?.close()
    throw fault('STORE_UNREADABLE', { path, why: whyOf(cause) }, cause)
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
  const pages = db.pragma('wal_autocheckpoint', { simple: true })
  db.pragma('synchronous = NORMAL')
  // A checkpoint of SQLite's own begins with a sync, and keeps to itself that it failed.
  db.pragma('wal_autocheckpoint = 0')
  try {
    return db.transaction(work)()
  } finally {
    db.pragma('synchronous = FULL')
    db.pragma(`wal_autocheckpoint = ${pages}`)
  }
}

/**
 * From here on the database takes no write: each fails with SQLITE_READONLY, until `writeAnew` succeeds. For
 * after a write that the disk refused.
 */
export function holdWrites(db: Database): void {
  db.pragma('query_only = ON')
}

/**
 * Writes all that was ever committed from the WAL into the file, syncs that, and empties the WAL; then
 * the database takes writes again. Throws what SQLite throws.
 */
export function writeAnew(db: Database): void {
  checkpoint(db, 'TRUNCATE')
  db.pragma('query_only = OFF')
}

/**
 * What ails the disk at `path` when SQLite throws this: it has no room, or it does not take what is written.
 * Undefined for everything else; what cannot be read does not come back by waiting.
 */
export function diskTrouble(path: string, cause: unknown): DiskTrouble | undefined {
  const code = String((cause as { code?: unknown } | null)?.code)
  if (code === 'SQLITE_FULL') return 'full'
  if (!code.startsWith('SQLITE_IOERR') || unreadable.has(code)) return undefined
  // Several calls have one code for both: to cut or to map a file needs room too.
  return freeOn(path) < roomMin ? 'full' : 'failing'
}

export type DiskTrouble = 'full' | 'failing'

/** Bytes free for this user on the disk under the file. */
export function freeOn(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize
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

function checkpoint(db: Database, how: 'PASSIVE' | 'TRUNCATE'): void {
  db.pragma(`wal_checkpoint(${how})`)
}

function unlessFull(path: string, work: () => void): void {
  try {
    work()
  } catch (cause) {
    if (diskTrouble(path, cause) !== 'full') throw cause
  }
}

const unreadable: ReadonlySet<string> = new Set([
  'SQLITE_IOERR_READ',
  'SQLITE_IOERR_SHORT_READ',
  'SQLITE_IOERR_DATA',
  'SQLITE_IOERR_CORRUPTFS',
])
/** Less is no room: the smallest piece that a file system hands out, some times over. */
const roomMin = 64 << 10
const pageBytes = 1024
/** The WAL is cut back to this whenever a checkpoint has emptied it; one begins when it is half as long. */
const walBytesMax = 8 << 20
const ownerOnly = 0o600
const busyMs = 5_000
