import type { Database } from '../disk/sqlite.ts'

/**
 * The ledger of every topic that this device has left something retained on, and what. Without it a
 * renamed stream or an ended session would haunt the broker for ever. The outbox owns the rows.
 */
export function retainedTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS retained (
    topic TEXT PRIMARY KEY,
    payload BLOB NOT NULL
  ) STRICT`)
  const get = db.prepare('SELECT payload FROM retained WHERE topic = ?').pluck()
  const topics = db.prepare('SELECT topic FROM retained ORDER BY topic').pluck()
  return {
    topics: () => topics.all() as string[],
    get: (topic: string) => get.get(topic) as Uint8Array | undefined,
  }
}
