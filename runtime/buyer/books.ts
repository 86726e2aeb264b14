/**
 * A buyer's books: one database that only one process may write (an exclusive lock on its folder).
 * Everything that costs money is on the disk here before it is said to anyone.
 */
import { join } from 'node:path'
import { lockFolder } from '../disk/lock.ts'
import { lazily, openDatabase } from '../disk/sqlite.ts'
import { fault } from '../faults.ts'
import { bodyTable } from './bodies.ts'
import { boughtTable } from './bought.ts'
import { channelTable } from './channels.ts'
import { cursorTable } from './cursors.ts'
import { keyTable } from './keyring.ts'
import { sessionTable } from './sessions.ts'
import { setupTable } from './setups.ts'
import { versionTable } from './versions.ts'

export type Books = ReturnType<typeof tables> & {
  /** Runs `work` in one transaction, durable when it returns. */
  together<T>(work: () => T): T
  /**
   * The same, but a power cut may take it back: for what can be done again without harm. Inside another
   * one it is a part of that.
   */
  soon<T>(work: () => T): T
  /** All that was done soon is durable from here on. */
  settle(): void
  close(): Promise<void>
}

/** The version of all tables together; a larger one was written by a later product. */
export const booksSchema = 1

/**
 * Opens or makes the books in `folder`. Throws FOLDER_LOCKED, STORE_UNREADABLE, STORE_NEWER; what it opens
 * throws STORE_FAILED.
 */
export async function openBooks(folder: string): Promise<Books> {
  const lock = await lockFolder(folder)
  const path = join(folder, 'buyer.db')
  try {
    const db = openDatabase(path)
    const found = Number(db.pragma('user_version', { simple: true }))
    if (found > booksSchema) {
      db.close()
      throw fault('STORE_NEWER', { path, found, known: booksSchema })
    }
    const all = tables(db)
    db.pragma(`user_version = ${booksSchema}`)
    const held = holder(path)
    return {
      ...(Object.fromEntries(
        Object.entries(all).map(([name, table]) => [name, held.each(table)]),
      ) as typeof all),
      together: (work) => held.by(() => db.transaction(work)()),
      soon: (work) => held.by(() => (db.inTransaction ? work() : lazily(db, work))),
      // A checkpoint begins with a sync of the WAL.
      settle: () => held.by(() => void db.pragma('wal_checkpoint(PASSIVE)')),
      async close() {
        db.close()
        await lock.release()
      },
    }
  } catch (cause) {
    await lock.release()
    throw cause
  }
}

/** What SQLite throws, when the disk gives out, is the fault STORE_FAILED: nothing may go on behind it. */
function holder(path: string) {
  const by = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      if (!String((cause as { code?: unknown } | null)?.code).startsWith('SQLITE_')) throw cause
      throw fault('STORE_FAILED', { path, why: (cause as Error).message }, cause)
    }
  }
  const each = <Table extends object>(table: Table): Table => {
    const methods = Object.entries(table) as [string, (...args: unknown[]) => unknown][]
    return Object.fromEntries(
      methods.map(([name, method]) => [name, (...args: unknown[]) => by(() => method(...args))]),
    ) as Table
  }
  return { by, each }
}

function tables(db: Parameters<typeof channelTable>[0]) {
  return {
    channels: channelTable(db),
    bought: boughtTable(db),
    bodies: bodyTable(db),
    cursors: cursorTable(db),
    sessions: sessionTable(db),
    keys: keyTable(db),
    versions: versionTable(db),
    setups: setupTable(db),
  }
}
