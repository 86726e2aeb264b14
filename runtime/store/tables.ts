/**
 * The device's database: every table, and what the rooms may do with them. One file a table; the halves of
 * the product meet here and nowhere else.
 */
import {
  type Database,
  type DiskTrouble,
  diskTrouble,
  holdWrites,
  openDatabase,
  writeAnew,
} from '../disk/sqlite.ts'
import { fault } from '../faults.ts'
import { auditTable } from './audit.ts'
import { chainTable } from './chain.ts'
import { commits } from './commit.ts'
import { epochTable } from './epoch.ts'
import { evictions } from './evict.ts'
import { lostTables } from './lost.ts'
import { markTable } from './mark.ts'
import { openTable } from './open.ts'
import { outboxTable } from './outbox.ts'
import { pinTable } from './pin.ts'
import { reservations } from './reserved.ts'
import { retainedTable } from './retained.ts'
import { bytesOf, roomOf } from './room.ts'
import { salesTables } from './sales.ts'
import { emptyGenerations, shelfOf } from './shelf.ts'
import { tombstoneTable } from './tombstone.ts'
import { versionTable } from './version.ts'

/** The version of all tables together; a larger one was written by a later product. */
export const schema = 1

export type Tables = ReturnType<typeof tables>

export type TablesOptions = {
  readonly commitHoldMs: number
  /** For tests: the file holds no more pages of 1 KiB than this. */
  readonly pagesMax?: number
}

function tables(db: Database, path: string, commitHoldMs: number) {
  const chain = chainTable(db)
  const open = openTable(db)
  const epoch = epochTable(db)
  const audit = auditTable(db)
  const retained = retainedTable(db)
  const outbox = outboxTable(db)
  const version = versionTable(db)
  const tombstone = tombstoneTable(db)
  const pin = pinTable(db)
  const mark = markTable(db, () => performance.now())
  const reserved = reservations()
  const sales = salesTables(db, { outbox, pin, tombstone, reserved })
  const { saleTimeMs: timeMs, ...selling } = sales
  const room = () => roomOf(db, path)
  const lost = lostTables(db, { chain, epoch, outbox, tombstone })
  const { isUnproven } = lost
  const keep = evictions(db, { pin, mark, tombstone, reserved, room, timeMs, isUnproven })
  return {
    // sensing: what was taken, and the epochs made of it
    ...commits(db, { chain, open, epoch, audit, outbox, evict: keep.evict }, commitHoldMs),
    epochMessage: epoch.message,
    headersSince: epoch.since,
    shelf: () => shelfOf({ chain, epoch, tombstone }),
    auditBytes: audit.get,
    // streaming: what is on its way to the broker
    outgoing: outbox.outgoing,
    sent: outbox.sent,
    setRetained: outbox.setRetained,
    sendRetainedAgain: outbox.sendRetainedAgain,
    retained: retained.get,
    retainedTopics: retained.topics,
    /** Takes away what is retained there; a document of which only the version is remembered. */
    takeDown: db.transaction((topic: string, last = 0) => {
      if (last > 0) version.put(topic, last)
      outbox.addRetained(topic, new Uint8Array(0))
    }),
    versionTakenDown: version.get,
    // selling: orders, books, sessions
    ...selling,
    // lost books: what is unproven, what was heard, and the mending
    ...lost,
    // keeping: what is to go, and what nothing opens any more
    evictable: keep.evictable,
    emptyGenerations: () => emptyGenerations({ chain, epoch, tombstone }, open.all()),
    // health
    counts: () => ({
      waiting: open.waiting(),
      epochs: chain.count() - tombstone.evicted(),
      ...outbox.size(),
      ...room(),
      databaseBytes: bytesOf(path),
      pinnedBytes: pin.bytes(timeMs() ?? 0),
      walBytes: bytesOf(`${path}-wal`),
    }),
  }
}

/** Opens the file, makes what tables it lacks, and keeps its WAL short until `close`. */
export function openTables(path: string, { commitHoldMs, pagesMax }: TablesOptions) {
  const db = openDatabase(path)
  if (pagesMax !== undefined) db.pragma(`max_page_count = ${pagesMax}`)
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > schema) {
    db.close()
    throw fault('STORE_NEWER', { path, found, known: schema })
  }
  const methods = tables(db, path, commitHoldMs)
  db.pragma(`user_version = ${schema}`)
  let held = false
  /** A checkpoint that the disk refuses leaves all as it is; the commit that it refuses says so. */
  const shorten = (): void => {
    try {
      writeAnew(db)
      held = false
    } catch (cause) {
      const trouble = diskTrouble(path, cause)
      if (trouble === undefined) throw cause
      if (trouble === 'failing') hold()
    }
  }
  const hold = (): void => {
    held = true
    holdWrites(db)
  }
  const timer = setInterval(shorten, truncateEveryMs)
  timer.unref()
  return {
    tables: methods,
    /**
     * What ails the disk, when a call threw this. What the WAL holds may fit into the file, and free the WAL;
     * and on a disk that fails nothing is written before all of it stands in another place.
     */
    ails(cause: unknown): DiskTrouble | undefined {
      const code = (cause as { code?: unknown } | null)?.code
      const trouble = held && code === 'SQLITE_READONLY' ? 'failing' : diskTrouble(path, cause)
      if (trouble === 'failing') hold()
      if (trouble !== undefined) shorten()
      return trouble
    },
    close() {
      clearInterval(timer)
      shorten()
      db.close()
    },
  }
}

const truncateEveryMs = 10 * 60_000
