import type { Database } from '../disk/sqlite.ts'

/**
 * The last version of every signed document that was taken down. Buyers keep the highest that they have
 * seen, so one that comes back goes on behind it. The shelf owns the rows; a version only grows.
 */
export function versionTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS version (
    topic TEXT PRIMARY KEY,
    version INTEGER NOT NULL
  ) STRICT`)
  const put = db.prepare(`INSERT INTO version VALUES (?, ?)
    ON CONFLICT (topic) DO UPDATE SET version = max(version, excluded.version)`)
  const get = db.prepare('SELECT version FROM version WHERE topic = ?').pluck()
  return {
    put: (topic: string, version: number) => void put.run(topic, version),
    /** 0 for a document that never was taken down. */
    get: (topic: string) => (get.get(topic) as number | undefined) ?? 0,
  }
}
