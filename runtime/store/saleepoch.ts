import type { Database } from '../disk/sqlite.ts'
import type { Reserved } from './reserved.ts'
import type { tombstoneTable } from './tombstone.ts'

/** Epochs of one stream and generation, both ends included. */
export type SaleRange = {
  readonly stream: string
  readonly generation: number
  readonly from: number
  readonly to: number
}

/** A header as selling sees it. */
export type SaleEpoch = {
  readonly seq: number
  readonly stream: string
  readonly generation: number
  readonly number: number
  readonly kind: string
  readonly coveredMs: number
  readonly terms: Uint8Array
  readonly bytes: number
}

export type SaleEpochs = {
  /** Oldest first. */
  readonly epochs: readonly SaleEpoch[]
  /** True when nothing more lies in the ranges now. */
  readonly complete: boolean
  /** The newest number of each stream that has one. */
  readonly tips: readonly { readonly stream: string; readonly number: number }[]
}

export type SaleEpochsParts = {
  readonly tombstone: ReturnType<typeof tombstoneTable>
  readonly reserved: Reserved
}

/** What selling reads of the table `epoch`; it writes nothing there. */
export function saleEpochs(db: Database, { tombstone, reserved }: SaleEpochsParts) {
  const { within, tips, sizes, message, stored } = statements(db)

  return {
    /** The oldest epochs in these ranges, at most `rowsMax`; what is about to go is gone. */
    within(ranges: readonly SaleRange[], rowsMax: number): SaleEpochs {
      const found = ranges
        .flatMap(reserved.outside)
        .flatMap(
          ({ stream, generation, from, to }) =>
            within.all(stream, generation, from, to, rowsMax + 1) as SaleEpoch[],
        )
      found.sort((a, b) => a.seq - b.seq)
      const last = tips.all() as { stream: string; number: number }[]
      return {
        epochs: found.slice(0, rowsMax),
        complete: found.length <= rowsMax,
        tips: last,
      }
    },
    /** Whether all of these are stored, and none is about to go. */
    has(ranges: readonly SaleRange[]): boolean {
      return ranges.every((range) => {
        const { stream, generation, from, to } = range
        if (reserved.outside(range)[0] !== range) return false
        return stored.get(stream, generation, from, to) === to - from + 1
      })
    },
    /**
     * Stored messages from..to, oldest first: at most `rowsMax`, and one or as many as `bytesMax` hold. For
     * numbers that are gone stands the tombstone that accounts for them, once. `next` is where to go on,
     * when there is more.
     */
    messages(range: FetchRange, rowsMax: number, bytesMax: number): Fetched {
      const { stream, generation, from, to } = range
      const rows = sizes.all(stream, from, to, rowsMax + 1) as SizeRow[]
      const end = rows.length > rowsMax ? (rows.at(-1) as SizeRow).number : to
      const gone = tombstone
        .within(stream, from, end)
        .map((one) => ({ at: Math.max(from, one.from), number: one.number }))
      const found = rows
        .filter((row) => generation === undefined || row.generation === generation)
        .map(({ number }) => ({ at: number, number }))
        .concat(gone)
        .sort((a, b) => a.at - b.at)
      const messages: Uint8Array[] = []
      let bytes = 0
      for (const { at, number } of found) {
        if (messages.length === rowsMax) return { messages, next: at }
        const next = message.get(stream, number) as Uint8Array
        bytes += next.length
        if (messages.length > 0 && bytes > bytesMax) return { messages, next: at }
        messages.push(next)
      }
      return rows.length > rowsMax ? { messages, next: end } : { messages }
    },
  }
}

export type FetchRange = Omit<SaleRange, 'generation'> & { readonly generation?: number }
export type Fetched = { readonly messages: readonly Uint8Array[]; readonly next?: number }

function statements(db: Database) {
  const range = 'stream = ? AND generation = ? AND number BETWEEN ? AND ?'
  const within = db.prepare(`SELECT seq, stream, generation, number, kind, covered_ms AS coveredMs,
    terms, bytes FROM epoch WHERE ${range} ORDER BY number LIMIT ?`)
  const tips = db.prepare('SELECT stream, max(number) AS number FROM chain GROUP BY stream')
  const sizes = db.prepare(`SELECT number, generation FROM epoch
    WHERE stream = ? AND number BETWEEN ? AND ? ORDER BY number LIMIT ?`)
  const message = db.prepare('SELECT message FROM epoch WHERE stream = ? AND number = ?').pluck()
  const stored = db.prepare(`SELECT count(*) FROM epoch WHERE ${range}`).pluck()
  return { within, tips, sizes, message, stored }
}

type SizeRow = { readonly number: number; readonly generation: number }
