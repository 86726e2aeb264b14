/**
 * A look into a database that this process may have open besides. It takes the product's own SQLite: a
 * second copy of the library in one process (node:sqlite) drops the first one's locks when it closes the
 * file, and truncates the memory that both share, which ends the process with SIGBUS
 * (sqlite.org/howtocorrupt.html, 2.2.1).
 */
import { type Database, openDatabase } from '../../runtime/disk/sqlite.ts'

export function lookInto<T>(path: string, look: (db: Database) => T): T {
  const db = openDatabase(path)
  try {
    return look(db)
  } finally {
    db.close()
  }
}
