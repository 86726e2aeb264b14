import type { Database } from '../disk/sqlite.ts'

/** The random bytes behind an inference's input digest, kept for whoever may audit it. */
export type AuditRow = {
  readonly stream: string
  readonly number: number
  readonly index: number
  readonly bytes: Uint8Array
}

/** One row an inference; written with its reading, by the same commit, and never sent. */
export function auditTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS audit (
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (stream, number, place)
  ) STRICT, WITHOUT ROWID`)
  const add = db.prepare('INSERT INTO audit VALUES (?, ?, ?, ?)')
  const get = db
    .prepare('SELECT bytes FROM audit WHERE stream = ? AND number = ? AND place = ?')
    .pluck()

  return {
    add({ stream, number, index, bytes }: AuditRow): void {
      add.run(stream, number, index, bytes)
    },
    get(stream: string, number: number, index: number): Uint8Array | undefined {
      return get.get(stream, number, index) as Uint8Array | undefined
    },
  }
}
