import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'

/** A stream as it is bought: through this channel, from this device, under these terms. */
export type Meter = {
  /** Empty for own data. */
  readonly channel: Hex | ''
  readonly device: Address
  readonly stream: string
  /** Hash of the terms. */
  readonly terms: Hex
}

/** An epoch that was asked for. */
export type Asked = {
  readonly generation: number
  /** False while it is paid ahead and not seen: what it covers is not known yet. */
  readonly metered: boolean
}

/**
 * What was paid for: the time that each stream's epochs covered, as the device reckons it too, and which
 * epochs were asked for and are not handed out yet. The purse writes both in the commit of its promise.
 */
export function boughtTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS meter (
    channel TEXT NOT NULL,
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    terms TEXT NOT NULL,
    covered_ms INTEGER NOT NULL,
    PRIMARY KEY (channel, device, stream, terms)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bought (
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    metered INTEGER NOT NULL,
    PRIMARY KEY (device, stream, number)
  ) STRICT, WITHOUT ROWID`)
  const covered = db
    .prepare(`SELECT covered_ms FROM meter
      WHERE channel = ? AND device = ? AND stream = ? AND terms = ?`)
    .pluck()
  const cover = db.prepare(`INSERT INTO meter VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET covered_ms = covered_ms + excluded.covered_ms`)
  const add = db.prepare(`INSERT INTO bought VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET generation = excluded.generation,
      metered = max(metered, excluded.metered)`)
  const open =
    db.prepare(`SELECT number, generation, metered FROM bought WHERE device = ? AND stream = ?
    ORDER BY number`)
  const owed = db.prepare(`SELECT device, count(*) AS epochs FROM bought WHERE metered = 1
    GROUP BY device ORDER BY device`)
  const unseen = db.prepare('SELECT 1 FROM bought WHERE device = ? AND metered = 0 LIMIT 1')
  const remove = db.prepare('DELETE FROM bought WHERE device = ? AND stream = ? AND number = ?')
  const forget = db.prepare('DELETE FROM bought WHERE device = ?')
  const drop = db.prepare('DELETE FROM bought WHERE device = ? AND stream = ? AND number <= ?')

  return {
    /** Milliseconds paid for so far. */
    coveredMs: ({ channel, device, stream, terms }: Meter): bigint =>
      BigInt((covered.get(channel, device, stream, terms) as number | undefined) ?? 0),
    /** Adds so much, or takes it back. */
    cover({ channel, device, stream, terms }: Meter, moreMs: bigint): void {
      cover.run(channel, device, stream, terms, moreMs)
    },
    add({ device, stream }: Meter, number: number, { generation, metered }: Asked): void {
      add.run(device, stream, number, generation, metered ? 1 : 0)
    },
    /** Epochs asked for and not handed out, by number. */
    open: ({ device, stream }: Pick<Meter, 'device' | 'stream'>): Map<number, Asked> =>
      new Map(
        (open.all(device, stream) as Stored[]).map(({ number, generation, metered }) => [
          number,
          { generation, metered: metered === 1 },
        ]),
      ),
    /** How many epochs each device was asked for that are paid for and not handed out. */
    owed: (): { readonly device: Address; readonly epochs: number }[] =>
      owed.all() as { device: Address; epochs: number }[],
    /** True while an epoch that was asked for ahead is not metered. */
    isAhead: (device: Address): boolean => unseen.get(device) !== undefined,
    /** That epoch is not waited for any more. */
    remove({ device, stream }: Pick<Meter, 'device' | 'stream'>, number: number): void {
      remove.run(device, stream, number)
    },
    /** Nothing of that device is waited for any more. */
    forget(device: Address): void {
      forget.run(device)
    },
    /** Everything up to that number was handed out. */
    drop({ device, stream }: Pick<Meter, 'device' | 'stream'>, upTo: number): void {
      drop.run(device, stream, upTo)
    },
  }
}

type Stored = { readonly number: number; readonly generation: number; readonly metered: number }
