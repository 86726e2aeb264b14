/**
 * What the device must remember while it does not know whether its books are whole, and while it mends them.
 *
 *   unchecked       since which header the books are unproven: nobody was given these, they can be cut anew
 *   heard           what the device's own documents at the broker said when they were found to be ahead
 *   twin            that somebody else was heard to sign with our key, and what it said
 *   recovery        how far the mending has come: which generation it begins, up to which header it cuts anew
 */
import { failpoint } from '../disk/failpoint.ts'
import type { Database } from '../disk/sqlite.ts'
import { readClearBody } from '../wire/clearbody.ts'
import { decodeMessage } from '../wire/epoch.ts'
import type { chainTable } from './chain.ts'
import type { SealedRow } from './commit.ts'
import type { epochTable } from './epoch.ts'
import type { outboxTable } from './outbox.ts'
import type { LostChannel } from './sales.ts'
import type { tombstoneTable } from './tombstone.ts'

/** A retained topic, and what stands there. */
export type Standing = { readonly topic: string; readonly payload: Uint8Array }

/** How far a stream's chain is proven, and how far it has come in all. */
export type Held = {
  readonly stream: string
  readonly held: number
  /** Of header `held`; null when it is not kept. */
  readonly hash: Uint8Array | null
  readonly tip: number
}

export type LostBooks = {
  readonly heard: readonly Standing[]
  readonly held: readonly Held[]
  /** Generations that gave numbers here. */
  readonly generation: number
  readonly recovery?: { readonly generation: number; readonly adopted: boolean }
  /** Somebody else signs with our key: what it said that we never did. */
  readonly twin?: string
}

/** What the books become in one commit. */
export type Adoption = {
  /** The first headers of the new generation. */
  readonly sealed: readonly SealedRow[]
  /** What stands at the broker is what we say from now on. */
  readonly standing: readonly Standing[]
  /** Topics to be taken down: the keys of sessions. */
  readonly down: readonly string[]
  /** Channels that were paid on since, and sessions that nobody here knows any more. */
  readonly channels: readonly LostChannel[]
  readonly sessions: readonly string[]
}

/** A header that nobody was given. */
export type Uncut = {
  readonly seq: number
  readonly stream: string
  readonly number: number
  readonly kind: string
  readonly message: Uint8Array
  /** Its readings were acknowledged before the books became unproven: they went out under this number. */
  readonly older: boolean
}

export type Recut = {
  readonly seq: number
  /** Absent: its readings stand elsewhere, it is dropped. */
  readonly row?: SealedRow
  readonly messages: readonly Standing[]
}

type Parts = {
  readonly chain: ReturnType<typeof chainTable>
  readonly epoch: ReturnType<typeof epochTable>
  readonly outbox: ReturnType<typeof outboxTable>
  readonly tombstone: ReturnType<typeof tombstoneTable>
}

/** Expects all other tables. */
export function lostTables(db: Database, { chain, epoch, outbox, tombstone }: Parts) {
  db.exec(table)
  const own = statements(db)
  const { uncut, clear } = mending(db)
  const change = changes(db)
  const add = (row: SealedRow) => {
    const seq = epoch.add(row)
    chain.set(row)
    outbox.addEpoch(row.topic, seq, row.message.length)
    if (row.kind !== 'tombstone') return
    const said = readClearBody(decodeMessage(row.message))
    if (said.kind === 'tombstone') tombstone.put({ ...row, ...said })
  }

  return {
    /** From the next header on the books are unproven; changes nothing when they are already. */
    beginCheck: db.transaction((): void => {
      if (own.mark.run().changes > 0) own.markOpen.run()
    }),
    /** As `beginCheck`, and unproven is all that the broker has not acknowledged: a twin took its numbers. */
    beginDoubt: () => void own.markUnsent.run(),
    /** The books are whole: what was sealed meanwhile stands as it is. */
    endCheck: db.transaction((): void => {
      if (own.marked.get() !== undefined) clear()
    }),
    /** From `beginCheck` on, until all is whole or mended. */
    isUnproven: () => own.marked.get() !== undefined,
    /** Keeps what was heard, and nothing that was heard before; and that there is a twin, if one spoke. */
    noteLost: db.transaction((rows: readonly Standing[], what?: string): void => {
      db.exec('DELETE FROM heard')
      for (const { topic, payload } of rows) own.hear.run(topic, payload)
      if (what !== undefined) own.meet.run(what)
    }),
    /** Undefined while nothing is known to be lost. */
    lostBooks(): LostBooks | undefined {
      const rows = own.heard.all() as Standing[]
      if (rows.length === 0) return undefined
      const step = own.recovery.get() as { generation: number; upto: number | null } | undefined
      const other = own.twin.get() as string | undefined
      return {
        heard: rows,
        held: own.held.all() as Held[],
        generation: own.generation.get() as number,
        ...(other === undefined ? {} : { twin: other }),
        ...(step === undefined
          ? {}
          : { recovery: { generation: step.generation, adopted: step.upto !== null } }),
      }
    },
    /** Recovery begins that generation; it stays with the one that it began first. Returns which. */
    beginRecovery(wanted: number): number {
      own.begin.run(wanted)
      return (own.recovery.get() as { generation: number }).generation
    },
    /** The books go on above all that was published; in one commit, once. */
    adopt: db.transaction((adoption: Adoption): void => {
      change.rollBack()
      change.forgetSales()
      for (const row of adoption.sealed) add(row)
      for (const { topic, payload } of adoption.standing) change.stand(topic, payload)
      for (const topic of adoption.down) outbox.addRetained(topic, new Uint8Array(0))
      for (const { channel, spent } of adoption.channels) change.loseChannel(channel, spent)
      for (const session of adoption.sessions) change.loseSession(session)
      failpoint('recover.adopt')
    }),
    /** The oldest headers that are still to be cut anew. */
    uncut: (rowsMax: number) =>
      (uncut.all(rowsMax) as (Omit<Uncut, 'older'> & { older: number })[]).map((row) => ({
        ...row,
        older: row.older === 1,
      })),
    /** Puts new headers in the place of old ones. */
    recut: db.transaction((rows: readonly Recut[]): void => {
      for (const { seq, row, messages } of rows) {
        change.drop(seq, row?.number)
        if (row !== undefined) add(row)
        for (const { topic, payload } of messages) outbox.addMessage(topic, payload)
      }
      failpoint('recover.recut')
    }),
    /** All is mended. */
    endRecovery: db.transaction(clear),
  }
}

const table = `CREATE TABLE IF NOT EXISTS unchecked (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  outbox INTEGER NOT NULL
) STRICT;
-- Epochs that were open when the books became unproven.
CREATE TABLE IF NOT EXISTS unchecked_open (
  stream TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (
  topic TEXT PRIMARY KEY,
  payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS twin (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  said TEXT NOT NULL
) STRICT;
-- upto: the last header that is cut anew; null until the books have adopted what was heard.
CREATE TABLE IF NOT EXISTS recovery (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL,
  upto INTEGER
) STRICT`

function statements(db: Database) {
  return {
    mark: db.prepare(`INSERT OR IGNORE INTO unchecked SELECT 1,
      (SELECT coalesce(max(seq), 0) FROM epoch), (SELECT coalesce(max(id), 0) FROM outbox)`),
    // A tombstone stands where it is, and all before it.
    markUnsent: db.prepare(`INSERT OR IGNORE INTO unchecked SELECT 1, max(
      coalesce((SELECT min(epoch) - 1 FROM outbox), (SELECT max(seq) FROM epoch), 0),
      coalesce((SELECT max(seq) FROM epoch WHERE kind = 'tombstone'), 0)), 0`),
    markOpen: db.prepare('INSERT INTO unchecked_open SELECT stream, number FROM opening'),
    marked: db.prepare('SELECT seq FROM unchecked'),
    heard: db.prepare('SELECT topic, payload FROM heard ORDER BY topic'),
    hear: db.prepare('INSERT INTO heard VALUES (?, ?)'),
    twin: db.prepare('SELECT said FROM twin').pluck(),
    meet: db.prepare('INSERT OR IGNORE INTO twin VALUES (1, ?)'),
    held: db.prepare(`SELECT stream, held, tip,
        (SELECT hash FROM epoch WHERE epoch.stream = of.stream AND number = held) AS hash
      FROM (SELECT stream, max(number) AS tip, coalesce(
        (SELECT min(e.number) - 1 FROM epoch e, unchecked u WHERE e.stream = chain.stream AND e.seq > u.seq),
        max(number)) AS held FROM chain GROUP BY stream) AS of ORDER BY stream`),
    generation: db.prepare('SELECT coalesce(max(generation), 0) FROM chain').pluck(),
    recovery: db.prepare('SELECT generation, upto FROM recovery'),
    begin: db.prepare('INSERT OR IGNORE INTO recovery VALUES (1, ?, NULL)'),
  }
}

function mending(db: Database) {
  const uncut = db.prepare(`SELECT e.seq, e.stream, e.number, e.kind, e.message,
      EXISTS (SELECT 1 FROM unchecked_open o WHERE o.stream = e.stream AND o.number = e.number) AS older
    FROM epoch e, unchecked u, recovery r WHERE e.seq > u.seq AND e.seq <= r.upto
    ORDER BY e.seq LIMIT ?`)
  const clear = () =>
    void db.exec(`DELETE FROM unchecked; DELETE FROM unchecked_open; DELETE FROM heard;
      DELETE FROM twin; DELETE FROM recovery`)
  return { uncut, clear }
}

/** What recovery changes in the tables of others. */
function changes(db: Database) {
  const stand = db.prepare(`INSERT INTO retained VALUES (?, ?)
    ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload`)
  const unsend = db.prepare('DELETE FROM outbox WHERE topic = ? AND retain = 1')
  const loseChannel = db.prepare('INSERT OR REPLACE INTO sale_lost_channel VALUES (?, ?)')
  const loseSession = db.prepare('INSERT OR IGNORE INTO sale_lost_session VALUES (?)')
  const placeOf = db.prepare('SELECT stream, number FROM epoch WHERE seq = ?')
  const moveAudits = db.prepare('UPDATE audit SET number = ? WHERE stream = ? AND number = ?')
  const dropAudits = db.prepare('DELETE FROM audit WHERE stream = ? AND number = ?')
  const dropSent = db.prepare('DELETE FROM outbox WHERE epoch = ?')
  const drop = db.prepare('DELETE FROM epoch WHERE seq = ?')
  return {
    /** No chain has numbers that nobody was given, and nothing tells of them in the clear. */
    rollBack: () =>
      void db.exec(`UPDATE recovery SET upto = (SELECT coalesce(max(seq), 0) FROM epoch);
        DELETE FROM outbox WHERE payload IS NOT NULL AND id > (SELECT outbox FROM unchecked);
        ${chainsBack}`),
    /** Every session ends, and nothing that was promised until now buys anything more. */
    forgetSales: () =>
      void db.exec(`UPDATE sale_session SET ended = 1;
        UPDATE sale_channel SET delivered = promised;
        DELETE FROM sale_run WHERE list = 'wanted'`),
    stand(topic: string, payload: Uint8Array): void {
      unsend.run(topic)
      stand.run(topic, payload)
    },
    loseChannel: (channel: string, spent: string | null) => void loseChannel.run(channel, spent),
    loseSession: (session: string) => void loseSession.run(session),
    drop(seq: number, number: number | undefined): void {
      const { stream, number: before } = placeOf.get(seq) as { stream: string; number: number }
      if (number === undefined) dropAudits.run(stream, before)
      else moveAudits.run(number, stream, before)
      dropSent.run(seq)
      drop.run(seq)
    },
  }
}

const chainsBack = `CREATE TEMP TABLE back AS SELECT e.stream AS stream, min(e.number) - 1 AS number
    FROM main.epoch e, main.unchecked u WHERE e.seq > u.seq GROUP BY e.stream;
  DELETE FROM chain WHERE first > (SELECT number FROM back WHERE back.stream = chain.stream);
  UPDATE chain SET number = min(number,
    coalesce((SELECT number FROM back WHERE back.stream = chain.stream), number));
  DROP TABLE back`
