import type { Database } from '../disk/sqlite.ts'

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

/** What selling reads of the table `epoch`; it writes nothing there. */
export function saleEpochs(db: Database) {
  const within = db.prepare(`SELECT seq, stream, generation, number, kind, covered_ms AS coveredMs,
    terms, bytes FROM epoch WHERE stream = ? AND generation = ? AND number BETWEEN ? AND ?
    ORDER BY number LIMIT ?`)
  const tips = db.prepare('SELECT stream, max(number) AS number FROM chain GROUP BY stream')
  const sizes = db.prepare(`SELECT number, generation, bytes FROM epoch
    WHERE stream = ? AND number BETWEEN ? AND ? ORDER BY number LIMIT ?`)
  const message = db.prepare('SELECT message FROM epoch WHERE stream = ? AND number = ?').pluck()

  return {
    /** The oldest epochs in these ranges, at most `rowsMax`. */
    within(ranges: readonly SaleRange[], rowsMax: number): SaleEpochs {
      const found = ranges.flatMap(
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
    /**
     * Stored messages from..to, oldest first: at most `rowsMax`, and one or as many as `bytesMax` hold.
     * `next` is where to go on, when there is more.
     */
    messages(range: FetchRange, rowsMax: number, bytesMax: number): Fetched {
      const { stream, generation, from, to } = range
      const rows = sizes.all(stream, from, to, rowsMax + 1) as SizeRow[]
      const wanted = rows.filter((row) => generation === undefined || row.generation === generation)
      const messages: Uint8Array[] = []
      let bytes = 0
      for (const [i, row] of wanted.entries()) {
        bytes += row.bytes
        if (i === rowsMax || (i > 0 && bytes > bytesMax)) return { messages, next: row.number }
        messages.push(message.get(stream, row.number) as Uint8Array)
      }
      const more = rows.length > rowsMax ? rows.at(-1) : undefined
      return more === undefined ? { messages } : { messages, next: more.number }
    },
  }
}

export type FetchRange = Omit<SaleRange, 'generation'> & { readonly generation?: number }
export type Fetched = { readonly messages: readonly Uint8Array[]; readonly next?: number }

type SizeRow = { readonly number: number; readonly generation: number; readonly bytes: number }
