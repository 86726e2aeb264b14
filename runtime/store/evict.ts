/**
 * What is to be forgotten when the store is full, and the forgetting. The oldest headers go first, of all
 * streams alike; in their place the maker puts a tombstone into the chain, by the same commit.
 *
 * Kept are: the device's own chain, which dates all others and is small; what the broker does not have yet,
 * until the disk is really full; what was paid for within a day, as far as pins go; live tombstones.
 */
import type { Database } from '../disk/sqlite.ts'
import { ownStream } from '../wire/clearbody.ts'
import type { markTable } from './mark.ts'
import type { pinTable } from './pin.ts'
import type { Reserved } from './reserved.ts'
import type { Room } from './room.ts'
import { type Candidate, firstRun } from './run.ts'
import type { tombstoneTable } from './tombstone.ts'

export type KeepRule = {
  /** The store's own bytes at most. */
  readonly bytesMax: number
  /** Bytes of the disk that are left free. */
  readonly freeMin: number
  /** Nothing that is surely older is kept; null: age is no reason. */
  readonly ageMs: number | null
  /** A commit found no room. */
  readonly full: boolean
}

/** Numbers of a stream that are to go, with those that are gone already beside them. */
export type Eviction = {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Hash of header `to`. */
  readonly last: Uint8Array
  readonly reason: 'quota' | 'age' | 'disk'
  /** Headers and bytes that go, and how many of them the broker never had. */
  readonly epochs: number
  readonly bytes: number
  readonly unsent: number
}

/** An eviction as it is committed: `number` is that of its tombstone. */
export type Evicted = Pick<Eviction, 'stream' | 'from' | 'to' | 'last'> & {
  readonly number: number
}

type Parts = {
  readonly pin: ReturnType<typeof pinTable>
  readonly mark: ReturnType<typeof markTable>
  readonly tombstone: ReturnType<typeof tombstoneTable>
  readonly reserved: Reserved
  readonly room: () => Room
  /** Gateway time, ms since 1970, as it was last kept. */
  readonly timeMs: () => number | undefined
  /** Headers may have to be cut anew: then none may go, and no tombstone may come among them. */
  readonly isUnproven: () => boolean
}

export function evictions(db: Database, parts: Parts) {
  const { pin, mark, tombstone, reserved, timeMs } = parts
  const { candidates, newest, hash, oldest, drop, dropAudits, unsend } = statements(db)

  /** The oldest that may go, until so many bytes of them are found, or all up to header `seqMax`. */
  function find(goal: Goal, rule: KeepRule, withUnsent: boolean): Candidate[] {
    const nowMs = timeMs() ?? 0
    const pinnedFrom = pin.since(nowMs, rule.bytesMax * pinnedShare)
    const crowded = new Map<string, boolean>()
    const isCrowded = (stream: string) => {
      const known = crowded.get(stream) ?? tombstone.of(stream).length >= tombstonesMax
      crowded.set(stream, known)
      return known
    }
    const found: Candidate[] = []
    let bytes = 0
    for (const row of candidates.iterate(pinnedFrom, goal.seqMax) as IterableIterator<Row>) {
      if (row.unsent === 1 && !withUnsent) continue
      if (row.pinned === 1 && !isCrowded(row.stream)) continue
      if (reserved.has(row.stream, row.number)) continue
      found.push(row)
      bytes += row.bytes
      const enough = Math.min(goal.bytes, stepBytesMax)
      if (bytes >= enough || found.length >= stepRowsMax) break
    }
    return found
  }

  function evictable(rule: KeepRule): Eviction[] {
    if (rule.ageMs !== null && !rule.full) {
      const seq = newest.get() as number | null
      if (seq !== null) mark.set(seq, rule.ageMs / marksPerAge, timeMs())
    }
    const goal = parts.isUnproven() ? undefined : goalOf(rule, parts)
    if (goal === undefined) return []
    const found = find(goal, rule, false)
    const rows = found.length === 0 && rule.full ? find(goal, rule, true) : found
    const streams = Map.groupBy(rows, ({ stream }) => stream)
    const chosen = [...streams].flatMap(([stream, candidates]) => {
      const run = firstRun(candidates, tombstone.of(stream))
      if (run === undefined) return []
      const { from, to, rows } = run
      const last = run.last ?? (hash.get(stream, to) as Uint8Array)
      const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
      const unsent = rows.filter((row) => row.unsent === 1).length
      return [{ stream, from, to, last, reason: goal.reason, epochs: rows.length, bytes, unsent }]
    })
    reserved.set(chosen)
    return chosen
  }

  return {
    /**
     * What is to go now: at most one run of numbers a stream, reserved from here on, so that nobody buys
     * what is about to go. None when the rule is kept, or nothing may go.
     */
    evictable,
    /** For a commit: they are gone, and their tombstones stand. */
    evict(evicted: readonly Evicted[]): void {
      for (const row of evicted) {
        const { stream, from, to } = row
        unsend.run(stream, from, to)
        drop.run(stream, from, to)
        dropAudits.run(stream, from, to)
        pin.drop(row)
        tombstone.put(row)
        reserved.release(row)
      }
      const seq = oldest.get() as number | null
      if (evicted.length > 0 && seq !== null) mark.forgetBefore(seq)
    },
  }
}

/** Of the quota, what buyers may pin. */
const pinnedShare = 0.5
/** One go takes this much at most: a commit of readings must not wait for seconds behind it. */
const stepRowsMax = 2_048
const stepBytesMax = 16 << 20
/** Room that is made when a disk has none, at least. */
const roomBytesMin = 256 << 10
/** What is made beyond the bound, so that tombstones are few. */
const slack = 0.05
/** Live tombstones of a stream past which pins hold no more: between them lie only islands of pins. */
const tombstonesMax = 64
const marksPerAge = 64

type Goal = {
  readonly reason: Eviction['reason']
  readonly bytes: number
  /** No newer header goes. */
  readonly seqMax: number
}

function goalOf(rule: KeepRule, { room, mark, timeMs }: Parts): Goal | undefined {
  const { usedBytes, fileBytes, spareBytes, diskBytes } = room()
  const seqMax = Number.MAX_SAFE_INTEGER
  if (rule.full) {
    const bytes = Math.max(fileBytes * slack, roomBytesMin)
    // With room enough within the file it is the log beside it that has none: forgetting does not help.
    return spareBytes >= bytes ? undefined : { reason: 'disk', bytes, seqMax }
  }
  if (usedBytes > rule.bytesMax) {
    return { reason: 'quota', bytes: usedBytes - rule.bytesMax * (1 - slack), seqMax }
  }
  // The disk is nearly full, of whatever: the file grows no more, what is new takes the place of the old.
  if (diskBytes < rule.freeMin && spareBytes < (fileBytes * slack) / 2) {
    return { reason: 'disk', bytes: Math.max(fileBytes * slack - spareBytes, 1), seqMax }
  }
  const old = rule.ageMs === null ? undefined : mark.olderThan(rule.ageMs, timeMs())
  return old === undefined
    ? undefined
    : { reason: 'age', bytes: Number.POSITIVE_INFINITY, seqMax: old }
}

function statements(db: Database) {
  // The newest header stays: a seq must not be given out twice.
  const candidates = db.prepare(`SELECT seq, stream, number, bytes,
    kind IN ('readings', 'interrupted') AS readings,
    EXISTS (SELECT 1 FROM outbox o WHERE o.epoch = e.seq) AS unsent,
    EXISTS (SELECT 1 FROM pin p WHERE p.stream = e.stream AND p.number = e.number
      AND p.until_ms >= ?) AS pinned
    FROM epoch e WHERE stream <> '${ownStream}' AND seq <= ?
      AND seq < (SELECT max(seq) FROM epoch) ORDER BY seq`)
  const newest = db.prepare('SELECT max(seq) FROM epoch').pluck()
  const oldest = db.prepare(`SELECT min(seq) FROM epoch WHERE stream <> '${ownStream}'`).pluck()
  const hash = db.prepare('SELECT hash FROM epoch WHERE stream = ? AND number = ?').pluck()
  const range = 'stream = ? AND number BETWEEN ? AND ?'
  const drop = db.prepare(`DELETE FROM epoch WHERE ${range}`)
  const dropAudits = db.prepare(`DELETE FROM audit WHERE ${range}`)
  const unsend = db.prepare(
    `DELETE FROM outbox WHERE epoch IN (SELECT seq FROM epoch WHERE ${range})`,
  )
  return { candidates, newest, oldest, hash, drop, dropAudits, unsend }
}

type Row = Candidate & { readonly pinned: number }
