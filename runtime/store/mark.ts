import type { Database } from '../disk/sqlite.ts'

/**
 * How old headers are at least, without a wall clock: a mark says which header was the newest when the
 * store had been open for so long, and when the gateway said it was so late. Time off counts as nothing
 * where only the first is known. The keeping of the store owns it; both times only grow.
 */
export function markTable(db: Database, monotonicMs: () => number) {
  db.exec(`CREATE TABLE IF NOT EXISTS mark (
    seq INTEGER PRIMARY KEY,
    uptime_ms INTEGER NOT NULL,
    gateway_ms INTEGER
  ) STRICT`)
  const newest = db.prepare('SELECT seq, uptime_ms AS uptimeMs FROM mark ORDER BY seq DESC LIMIT 1')
  const last = newest.get() as Newest | undefined
  const beganMs = monotonicMs() - (last?.uptimeMs ?? 0)
  const uptimeMs = () => Math.floor(monotonicMs() - beganMs)
  const add = db.prepare('INSERT INTO mark VALUES (?, ?, ?)')
  const older = db
    .prepare('SELECT max(seq) FROM mark WHERE uptime_ms <= ? OR gateway_ms <= ?')
    .pluck()
  const forget = db.prepare('DELETE FROM mark WHERE seq < ?')

  return {
    /** Marks the newest header, when the last mark is `everyMs` old or there is none. */
    set(seq: number, everyMs: number, gatewayMs: number | undefined): void {
      const before = newest.get() as Newest | undefined
      const now = uptimeMs()
      if (before !== undefined && now - before.uptimeMs < everyMs) return
      if (before !== undefined && before.seq >= seq) return
      add.run(seq, now, gatewayMs === undefined ? null : Math.floor(gatewayMs))
    },
    /** The newest header that is surely older than that. */
    olderThan(ageMs: number, gatewayMs: number | undefined): number | undefined {
      const gateway = gatewayMs === undefined ? -1 : Math.floor(gatewayMs - ageMs)
      const found = older.get(uptimeMs() - ageMs, gateway) as number | null
      return found ?? undefined
    },
    /** For a commit: all before this one are evicted. */
    forgetBefore: (seq: number) => void forget.run(seq),
  }
}

type Newest = { readonly seq: number; readonly uptimeMs: number }
