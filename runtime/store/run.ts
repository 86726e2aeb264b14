/** Which of a stream's evictable headers go together under one tombstone. Pure. */
import type { TombstoneRow } from './tombstone.ts'

/** A header that may go. */
export type Candidate = {
  readonly stream: string
  readonly number: number
  readonly bytes: number
  /** 1 when it holds readings: the other kinds are small, and go only along. */
  readonly readings: number
  readonly unsent: number
}

export type Run = {
  /** Numbers of the tombstone: those that go, and those that are gone already beside and between them. */
  readonly from: number
  readonly to: number
  /** Hash of header `to`, where that is gone already. */
  readonly last?: Uint8Array
  readonly rows: readonly Candidate[]
}

/**
 * The first run of consecutive numbers, joined with the live tombstones beside it. The header of a live
 * tombstone goes only together with the numbers that it stands for, since the new one then stands for them.
 */
export function firstRun(
  candidates: readonly Candidate[],
  live: readonly TombstoneRow[],
): Run | undefined {
  const byNumber = new Map(candidates.map((row) => [row.number, row]))
  const byOwn = new Map(live.map((one) => [one.number, one]))
  const byFirst = new Map(live.map((one) => [one.from, one]))
  const byLast = new Map(live.map((one) => [one.to, one]))
  const joined = new Set<TombstoneRow>()
  const mayGo = ({ number }: Candidate) => {
    const own = byOwn.get(number)
    return own === undefined || joined.has(own)
  }
  for (const start of [...byNumber.keys()].sort((a, b) => a - b)) {
    joined.clear()
    let from = start
    for (let left = byLast.get(from - 1); left !== undefined; left = byLast.get(from - 1)) {
      joined.add(left)
      from = left.from
    }
    const rows: Candidate[] = []
    let to = start - 1
    let last: Uint8Array | undefined
    for (;;) {
      const gone = byFirst.get(to + 1)
      const row = byNumber.get(to + 1)
      if (gone !== undefined) {
        joined.add(gone)
        last = gone.last
        to = gone.to
      } else if (row !== undefined && mayGo(row)) {
        rows.push(row)
        last = undefined
        to = row.number
      } else break
    }
    // Without readings among them nothing is won: the new tombstone takes as much as the old ones gave.
    if (rows.some(({ readings }) => readings === 1)) {
      return { from, to, rows, ...(last === undefined ? {} : { last }) }
    }
  }
  return undefined
}
