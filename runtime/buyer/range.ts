/**
 * A range of history: from when on, or from which epoch on, to where. Times are found by halving: headers
 * carry the wall time of their opening and closing when the device's clock was set; those of a boot whose
 * clock was set later are dated by its monotonic time; the rest count by what comes behind them.
 */
import type { Header } from '../wire/header.ts'
import type { Shelf, Span } from './feed.ts'

/** A point of a stream: a moment, ms since 1970, or the number of an epoch. */
export type Point = { readonly wallMs: number } | { readonly number: number }

/** Without `to`: from there, and on into what comes. */
export type BuyRange = { readonly from: Point; readonly to?: Point }

/** When an epoch opened and closed, ms since 1970. */
export type Dated = { readonly openedMs: number; readonly closedMs: number }

/** Dates headers. Within one boot the two clocks run side by side, so one set moment dates all of it. */
export function dates() {
  const offsets = new Map<string, number>()
  return {
    of(header: Header): Dated | undefined {
      const { boot, openedMonotonicMs, closedMonotonicMs, openedWallMs, closedWallMs } = header
      const set =
        openedWallMs === undefined
          ? closedWallMs === undefined
            ? undefined
            : closedWallMs - closedMonotonicMs
          : openedWallMs - openedMonotonicMs
      if (set !== undefined) offsets.set(boot, set)
      const offset = set ?? offsets.get(boot)
      if (offset === undefined) return undefined
      return {
        openedMs: openedWallMs ?? openedMonotonicMs + offset,
        closedMs: closedWallMs ?? closedMonotonicMs + offset,
      }
    },
  }
}

export type DateOf = (number: number) => Promise<Dated | undefined>

/**
 * Which numbers a range names, of what lies on the shelf. `from` past `to` is nothing. What lay before the
 * shelf's first epoch and was evicted is in the range of whoever asks for a time before it: how much of it,
 * nobody knows any more.
 */
export async function spanOf(
  { from, to }: BuyRange,
  shelf: Shelf,
  nowMs: number,
  dateOf: DateOf,
): Promise<Span> {
  const first = await firstOf(from, shelf, dateOf)
  if (to === undefined) return { from: first }
  return { from: first, to: await lastOf(to, shelf, nowMs, dateOf) }
}

async function firstOf(point: Point, shelf: Shelf, dateOf: DateOf): Promise<number> {
  if ('number' in point) return point.number
  const { first, last, tombstones } = shelf
  const { wallMs } = point
  if (first.wallMs !== undefined && wallMs < first.wallMs) {
    const buried = tombstones.filter((grave) => grave.from < first.number)
    return Math.min(first.number, ...buried.map((grave) => grave.from))
  }
  return firstPast(first.number, last.number, dateOf, ({ closedMs }) => closedMs > wallMs)
}

async function lastOf(point: Point, shelf: Shelf, nowMs: number, dateOf: DateOf): Promise<number> {
  const { first, last } = shelf
  if ('number' in point) return Math.min(point.number, last.number)
  const { wallMs } = point
  if (wallMs >= Math.min(nowMs, last.wallMs ?? nowMs)) return last.number
  const isPast = ({ openedMs }: Dated) => openedMs >= wallMs
  return (await firstPast(first.number, last.number, dateOf, isPast)) - 1
}

/** The first number of first..last that is past, where time rises with the numbers; last + 1 when none is. */
async function firstPast(
  first: number,
  last: number,
  dateOf: DateOf,
  isPast: (dated: Dated) => boolean,
): Promise<number> {
  let [low, high] = [first, last + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const found = await nextDated(middle, high, dateOf)
    // Without a date it counts by what comes behind it.
    if (found === undefined) high = middle
    else if (isPast(found.dated)) high = found.number
    else low = found.number + 1
  }
  return low
}

/**
 * An epoch with a date. A clock is unset for a stretch at a time: far from the end of the search one is
 * looked for in growing steps and then in steps that halve what is left, near it one by one.
 */
async function nextDated(from: number, below: number, dateOf: DateOf) {
  for (const number of looksFrom(from, below)) {
    const dated = await dateOf(number)
    if (dated !== undefined) return { number, dated }
  }
  return undefined
}

function* looksFrom(from: number, below: number) {
  const isNear = below - from <= nearMax
  for (let step = 0; from + step < below; step = isNear ? step + 1 : 2 * step + 1) yield from + step
  for (let left = (below - from) >> 1; left > 0 && !isNear; left >>= 1) yield below - left
}

const nearMax = 32
