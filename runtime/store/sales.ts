/**
 * The selling half's tables. What a sale changes, it changes in one commit: promised, delivered, bought
 * ranges, and the sealed keys that go out for them.
 */
import { failpoint } from '../disk/failpoint.ts'
import type { Database } from '../disk/sqlite.ts'
import type { pinTable } from './pin.ts'
import { type SaleChannelRow, saleChannelTable } from './salechannel.ts'
import { type SaleEpochs, type SaleEpochsParts, type SaleRange, saleEpochs } from './saleepoch.ts'
import { type SaleSessionRow, saleSessionTable } from './salesession.ts'

/** Everything that selling keeps, as it is read at the start. */
export type SavedSales = {
  readonly channels: readonly SaleChannelRow[]
  readonly sessions: readonly SaleSessionRow[]
  readonly terms: readonly SaleTermsRow[]
  /** Gateway time as it was last kept, ms since 1970; null when there never was one. */
  readonly timeMs: number | null
  /** Whose books were lost; `spent` is what was acknowledged, null where nobody knows. */
  readonly lostChannels: readonly LostChannel[]
  readonly lostSessions: readonly string[]
}

export type LostChannel = { readonly channel: string; readonly spent: string | null }

/** Terms that were offered once: an order may go on under them when the offer has others. */
export type SaleTermsRow = { readonly hash: string; readonly json: string }

export type SaleChange = {
  readonly channels: readonly SaleChannelRow[]
  readonly sessions: readonly SaleSessionRow[]
  /** Ids of sessions that are over and need not be remembered. */
  readonly forgotten: readonly string[]
  readonly timeMs: number | null
  /** Channels whose promise is known again. */
  readonly found?: readonly string[]
  /** What is to stand on these topics from now on; an empty payload takes away what is there. */
  readonly retained: readonly { readonly topic: string; readonly payload: Uint8Array }[]
  /** Epochs that this sells; they must be stored still. */
  readonly fresh?: readonly SaleRange[]
  /** They are not evicted before this gateway time; absent: nobody paid for them. */
  readonly pinUntilMs?: number
}

type Parts = SaleEpochsParts & {
  readonly outbox: { addRetained(topic: string, payload: Uint8Array): void }
  readonly pin: ReturnType<typeof pinTable>
}

/** Expects the tables `epoch`, `outbox` and `retained`. */
export function salesTables(db: Database, parts: Parts) {
  db.exec(`CREATE TABLE IF NOT EXISTS sale_terms (
    hash TEXT PRIMARY KEY,
    json TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- One row: gateway time for money. The gateway's acks own it, it only grows, time off counts as nothing.
  CREATE TABLE IF NOT EXISTS sale_time (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    time_ms INTEGER NOT NULL
  ) STRICT;
  -- Recovery of lost books writes it; a channel leaves it with its next payment.
  CREATE TABLE IF NOT EXISTS sale_lost_channel (
    channel TEXT PRIMARY KEY,
    spent TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sale_lost_session (
    session TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID`)
  const channel = saleChannelTable(db)
  const session = saleSessionTable(db)
  const epochs = saleEpochs(db, parts)
  const addTerms = db.prepare('INSERT OR IGNORE INTO sale_terms VALUES (?, ?)')
  const allTerms = db.prepare('SELECT hash, json FROM sale_terms ORDER BY hash')
  const lostChannels = db.prepare('SELECT channel, spent FROM sale_lost_channel ORDER BY channel')
  const lostSessions = db.prepare('SELECT session FROM sale_lost_session ORDER BY session').pluck()
  const find = db.prepare('DELETE FROM sale_lost_channel WHERE channel = ?')
  const time = db.prepare('SELECT time_ms FROM sale_time').pluck()
  const setTime = db.prepare(`INSERT INTO sale_time VALUES (1, ?)
    ON CONFLICT DO UPDATE SET time_ms = max(time_ms, excluded.time_ms)`)

  const write = (change: SaleChange): void => {
    for (const row of change.channels) channel.put(row)
    for (const row of change.sessions) session.put(row)
    for (const id of change.forgotten) session.drop(id)
    for (const name of change.found ?? []) find.run(name)
    if (change.timeMs !== null) setTime.run(Math.floor(change.timeMs))
    for (const { topic, payload } of change.retained) parts.outbox.addRetained(topic, payload)
    if (change.pinUntilMs !== undefined) {
      if (change.timeMs !== null) parts.pin.lapse(change.timeMs)
      for (const range of change.fresh ?? []) parts.pin.add(range, change.pinUntilMs)
    }
  }
  const writeAll = db.transaction((changes: readonly SaleChange[]) => {
    for (const change of changes) write(change)
    failpoint('sale.inside')
  })

  return {
    sales: (): SavedSales => ({
      channels: channel.all(),
      sessions: session.all(),
      terms: allTerms.all() as SaleTermsRow[],
      timeMs: (time.get() as number | undefined) ?? null,
      lostChannels: lostChannels.all() as LostChannel[],
      lostSessions: lostSessions.all() as string[],
    }),
    /**
     * Durable when it returns, all in one transaction: an fsync costs the same for one as for forty. Takes
     * no waiting readings along. For each whether it was done: false, and nothing of it is changed, when an
     * epoch that it sells was evicted meanwhile, or is about to be.
     */
    saleCommit(...changes: SaleChange[]): boolean[] {
      const done = changes.map(({ fresh = [] }) => epochs.has(fresh))
      const rest = changes.filter((_, i) => done[i])
      if (rest.length === 0) return done
      failpoint('sale.before')
      writeAll(rest)
      failpoint('sale.after')
      return done
    },
    /** Gateway time as it was last kept. */
    saleTimeMs: () => time.get() as number | undefined,
    keepTerms: db.transaction((rows: readonly SaleTermsRow[]): void => {
      for (const { hash, json } of rows) addTerms.run(hash, json)
    }),
    saleEpochs: (ranges: readonly SaleRange[], rowsMax: number): SaleEpochs =>
      epochs.within(ranges, rowsMax),
    saleMessages: epochs.messages,
  }
}
