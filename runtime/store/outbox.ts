import { type Database, lazily } from '../disk/sqlite.ts'

/** A message on its way to the broker. */
export type Outgoing = {
  /** Grows in the order of sending; never used twice while the store is open. */
  readonly id: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

/**
 * What the broker has not acknowledged yet, oldest first; a row leaves on PUBACK and on nothing else. An
 * epoch's row names its header, a retained topic's row its ledger entry, so no payload is stored twice.
 * Expects the tables `epoch` and `retained`.
 */
export function outboxTable(db: Database) {
  db.exec(table)
  const { add, next, remove, coalesce, keep, forget, ledger, size, newest } = statements(db)
  let lastId = newest.get() as number

  const put = (topic: string, row: { epoch?: number; payload?: Uint8Array; bytes: number }) => {
    lastId += 1
    const retain = row.epoch === undefined && row.payload === undefined ? 1 : 0
    add.run(lastId, topic, retain, row.epoch ?? null, row.payload ?? null, row.bytes)
  }
  const putRetained = (topic: string, bytes: number) => {
    coalesce.run(topic)
    put(topic, { bytes })
  }
  const leave = (topic: string, payload: Uint8Array): void => {
    keep.run(topic, payload)
    putRetained(topic, payload.length)
  }

  return {
    /** For a commit: the header with this seq is to be sent. */
    addEpoch: (topic: string, seq: number, bytes: number) => put(topic, { epoch: seq, bytes }),
    /** For a commit: a message that is not retained. */
    addMessage: (topic: string, payload: Uint8Array) =>
      put(topic, { payload, bytes: payload.length }),
    /** For a commit: as `setRetained`, within a transaction of the caller's. */
    addRetained: leave,
    /** The oldest messages behind id `after`: at most `rowsMax`, and one or as many as `bytesMax` hold. */
    outgoing(after: number, rowsMax: number, bytesMax: number): Outgoing[] {
      const found: Outgoing[] = []
      let bytes = 0
      for (const row of next.iterate(after, rowsMax) as IterableIterator<Row>) {
        bytes += row.bytes
        if (found.length > 0 && bytes > bytesMax) break
        found.push({ id: row.id, topic: row.topic, payload: row.payload, retain: row.retain === 1 })
      }
      return found
    },
    /** The broker has these. Lost in a power cut, they are sent twice, which harms nobody. */
    sent(ids: readonly number[]): void {
      lazily(db, () => {
        for (const id of ids) {
          const row = remove.get(id) as { topic: string; retain: number } | undefined
          if (row?.retain === 1) forget.run(row.topic)
        }
      })
    },
    /**
     * Leaves `payload` retained on `topic`; an empty one takes away what is there. Only the newest payload
     * of a topic is ever on its way.
     */
    setRetained: db.transaction(leave),
    /** Sends all that is retained once more, or one topic of it: a broker may have forgotten. */
    sendRetainedAgain(only?: string): void {
      lazily(db, () => {
        const rows = ledger.all() as { topic: string; bytes: number }[]
        for (const { topic, bytes } of rows) {
          if (only === undefined || topic === only) putRetained(topic, bytes)
        }
      })
    },
    size: () => size.get() as { outboxRows: number; outboxBytes: number },
  }
}

const table = `CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  retain INTEGER NOT NULL,
  epoch INTEGER REFERENCES epoch (seq),
  payload BLOB,
  bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_retained ON outbox (topic) WHERE retain = 1;
CREATE INDEX IF NOT EXISTS outbox_epoch ON outbox (epoch) WHERE epoch IS NOT NULL`

function statements(db: Database) {
  const add = db.prepare('INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)')
  const next = db.prepare(`SELECT o.id, o.topic, o.retain, o.bytes,
    coalesce(o.payload, e.message, r.payload) AS payload
    FROM outbox o LEFT JOIN epoch e ON e.seq = o.epoch
    LEFT JOIN retained r ON o.retain = 1 AND r.topic = o.topic
    WHERE o.id > ? ORDER BY o.id LIMIT ?`)
  const remove = db.prepare('DELETE FROM outbox WHERE id = ? RETURNING topic, retain')
  const coalesce = db.prepare('DELETE FROM outbox WHERE topic = ? AND retain = 1')
  const keep = db.prepare(`INSERT INTO retained VALUES (?, ?)
    ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload`)
  const forget = db.prepare('DELETE FROM retained WHERE topic = ? AND length(payload) = 0')
  const ledger = db.prepare('SELECT topic, length(payload) AS bytes FROM retained ORDER BY topic')
  const size = db.prepare(`SELECT count(*) AS outboxRows, coalesce(sum(bytes), 0) AS outboxBytes
    FROM outbox`)
  const newest = db.prepare('SELECT coalesce(max(id), 0) FROM outbox').pluck()
  return { add, next, remove, coalesce, keep, forget, ledger, size, newest }
}

type Row = {
  readonly id: number
  readonly topic: string
  readonly retain: number
  readonly bytes: number
  readonly payload: Uint8Array
}
