import type { Database } from '../disk/sqlite.ts'
import type { SaleRange } from './saleepoch.ts'

/** The books of one channel at this device; amounts are decimal digits, documents their wire bytes. */
export type SaleChannelRow = {
  /** Channel id as hex; zeros for own data. */
  readonly channel: string
  /** The newest order: the buyer owns it. */
  readonly order: Uint8Array
  /** The newest grant, which owns `cap`; null before there is one. */
  readonly grant: Uint8Array | null
  /** 1 while the gateway still lists the grant. */
  readonly live: number
  readonly cap: string
  /** The newest payment, which owns `promised`. */
  readonly payment: Uint8Array | null
  readonly promised: string
  /** This device owns it. */
  readonly delivered: string
  /** The newest ack, which owns `acknowledged` and `heardMs`. */
  readonly ack: Uint8Array | null
  readonly acknowledged: string
  readonly heardMs: number
  /** Bytes of the sealed epochs that were bought, and of those that were fetched again. */
  readonly bytesPaid: number
  readonly bytesFetched: number
  /** Promises whose ack has not come. */
  readonly pending: readonly SalePendingRow[]
  /** Time charged so far, by stream and terms. */
  readonly covered: readonly SaleCoveredRow[]
  readonly bought: readonly SaleRange[]
  readonly wanted: readonly SaleRange[]
}

export type SalePendingRow = {
  readonly period: string
  readonly root: Uint8Array
  readonly amount: string
}

export type SaleCoveredRow = {
  readonly stream: string
  readonly terms: string
  readonly coveredMs: number
}

/** One row a channel, with its lists beside it; selling writes them, each in the commit of a sale. */
export function saleChannelTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS sale_channel (
    channel TEXT PRIMARY KEY,
    order_document BLOB NOT NULL,
    grant_document BLOB,
    live INTEGER NOT NULL,
    cap TEXT NOT NULL,
    payment BLOB,
    promised TEXT NOT NULL,
    delivered TEXT NOT NULL,
    ack BLOB,
    acknowledged TEXT NOT NULL,
    heard_ms INTEGER NOT NULL,
    bytes_paid INTEGER NOT NULL,
    bytes_fetched INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sale_pending (
    channel TEXT NOT NULL,
    period TEXT NOT NULL,
    root BLOB NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (channel, period)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sale_covered (
    channel TEXT NOT NULL,
    stream TEXT NOT NULL,
    terms TEXT NOT NULL,
    covered_ms INTEGER NOT NULL,
    PRIMARY KEY (channel, stream, terms)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sale_run (
    channel TEXT NOT NULL,
    list TEXT NOT NULL CHECK (list IN ('bought', 'wanted')),
    stream TEXT NOT NULL,
    generation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (channel, list, stream, generation, first)
  ) STRICT, WITHOUT ROWID`)
  const put =
    db.prepare(`INSERT OR REPLACE INTO sale_channel VALUES (@channel, @order, @grant, @live,
    @cap, @payment, @promised, @delivered, @ack, @acknowledged, @heardMs, @bytesPaid, @bytesFetched)`)
  const all =
    db.prepare(`SELECT channel, order_document AS "order", grant_document AS "grant", live,
    cap, payment, promised, delivered, ack, acknowledged, heard_ms AS heardMs,
    bytes_paid AS bytesPaid, bytes_fetched AS bytesFetched FROM sale_channel ORDER BY channel`)
  const dropPending = db.prepare('DELETE FROM sale_pending WHERE channel = ?')
  const addPending = db.prepare('INSERT INTO sale_pending VALUES (?, ?, ?, ?)')
  const pending = db.prepare('SELECT period, root, amount FROM sale_pending WHERE channel = ?')
  const setCovered = db.prepare('INSERT OR REPLACE INTO sale_covered VALUES (?, ?, ?, ?)')
  const covered = db.prepare(`SELECT stream, terms, covered_ms AS coveredMs FROM sale_covered
    WHERE channel = ?`)
  const dropRuns = db.prepare('DELETE FROM sale_run WHERE channel = ?')
  const addRun = db.prepare('INSERT INTO sale_run VALUES (?, ?, ?, ?, ?, ?)')
  const runs = db.prepare(`SELECT stream, generation, first AS "from", last AS "to" FROM sale_run
    WHERE channel = ? AND list = ? ORDER BY stream, generation, first`)

  return {
    put(row: SaleChannelRow): void {
      const { channel } = row
      put.run(row)
      dropPending.run(channel)
      for (const one of row.pending) addPending.run(channel, one.period, one.root, one.amount)
      for (const one of row.covered) setCovered.run(channel, one.stream, one.terms, one.coveredMs)
      dropRuns.run(channel)
      for (const list of ['bought', 'wanted'] as const)
        for (const { stream, generation, from, to } of row[list])
          addRun.run(channel, list, stream, generation, from, to)
    },
    all(): SaleChannelRow[] {
      return (all.all() as ChannelColumns[]).map((row) => ({
        ...row,
        pending: pending.all(row.channel) as SalePendingRow[],
        covered: covered.all(row.channel) as SaleCoveredRow[],
        bought: runs.all(row.channel, 'bought') as SaleRange[],
        wanted: runs.all(row.channel, 'wanted') as SaleRange[],
      }))
    },
  }
}

type ChannelColumns = Omit<SaleChannelRow, 'pending' | 'covered' | 'bought' | 'wanted'>
