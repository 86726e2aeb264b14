/**
 * The device's database: every table, and what the rooms may do with them. One file a table; the halves of
 * the product meet here and nowhere else.
 */
import { statSync } from 'node:fs'
import { type Database, openDatabase } from '../disk/sqlite.ts'
import { fault } from '../faults.ts'
import { auditTable } from './audit.ts'
import { chainTable } from './chain.ts'
import { commits } from './commit.ts'
import { epochTable } from './epoch.ts'
import { lostTables } from './lost.ts'
import { openTable } from './open.ts'
import { outboxTable } from './outbox.ts'
import { retainedTable } from './retained.ts'
import { salesTables } from './sales.ts'
import { shelfOf } from './shelf.ts'

/** The version of all tables together; a larger one was written by a later product. */
export const schema = 1

export type Tables = ReturnType<typeof tables>

function tables(db: Database, path: string, commitHoldMs: number) {
  const chain = chainTable(db)
  const open = openTable(db)
  const epoch = epochTable(db)
  const audit = auditTable(db)
  const retained = retainedTable(db)
  const outbox = outboxTable(db)
  return {
    // sensing: what was taken, and the epochs made of it
    ...commits(db, { chain, open, epoch, audit, outbox }, commitHoldMs),
    epochMessage: epoch.message,
    headersSince: epoch.since,
    shelf: () => shelfOf(chain, epoch),
    auditBytes: audit.get,
    // streaming: what is on its way to the broker
    outgoing: outbox.outgoing,
    sent: outbox.sent,
    setRetained: outbox.setRetained,
    sendRetainedAgain: outbox.sendRetainedAgain,
    retained: retained.get,
    retainedTopics: retained.topics,
    // selling: orders, books, sessions
    ...salesTables(db, outbox),
    // lost books: what is unproven, what was heard, and the mending
    ...lostTables(db, { chain, epoch, outbox }),
    // health
    counts: () => ({
      waiting: open.waiting(),
      epochs: chain.count(),
      ...outbox.size(),
      walBytes: bytesOf(`${path}-wal`),
      databaseBytes: bytesOf(path),
    }),
  }
}

/** Opens the file, makes what tables it lacks, and keeps its WAL short until `close`. */
export function openTables(path: string, { commitHoldMs }: { readonly commitHoldMs: number }) {
  const db = openDatabase(path)
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > schema) {
    db.close()
    throw fault('STORE_NEWER', { path, found, known: schema })
  }
  const methods = tables(db, path, commitHoldMs)
  db.pragma(`user_version = ${schema}`)
  const truncate = () => db.pragma('wal_checkpoint(TRUNCATE)')
  const timer = setInterval(truncate, truncateEveryMs)
  timer.unref()
  return {
    tables: methods,
    close() {
      clearInterval(timer)
      truncate()
      db.close()
    },
  }
}

const truncateEveryMs = 10 * 60_000

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
