import type { chainTable, Run } from './chain.ts'
import type { Ends, epochTable } from './epoch.ts'
import type { tombstoneTable } from './tombstone.ts'

/** One end of what a stream has on the shelf: a number, and when it opened or closed. */
export type Mark = {
  readonly number: number
  readonly monotonicMs: number
  readonly wallMs: number | null
}

export type ShelfRow = {
  readonly stream: string
  /** Those of which something is kept, and the first of their numbers that is. */
  readonly generations: readonly {
    readonly generation: number
    readonly first: number
    readonly last: number
  }[]
  readonly first: Mark
  readonly last: Mark
  readonly lastHash: Uint8Array
  /** Numbers that are gone. */
  readonly tombstones: readonly { readonly from: number; readonly to: number }[]
}

type Parts = {
  readonly chain: ReturnType<typeof chainTable>
  readonly epoch: ReturnType<typeof epochTable>
  readonly tombstone: ReturnType<typeof tombstoneTable>
}

/** What every stream has to offer, for the index; it costs the same however much that is. */
export function shelfOf({ chain, epoch, tombstone }: Parts): ShelfRow[] {
  const streams = Map.groupBy(chain.runs(), ({ stream }) => stream)
  return [...streams].map(([stream, runs]) => {
    const generations = runs.flatMap(({ generation, first: from, last }) => {
      const first = epoch.firstOf(stream, from, last)
      return first === undefined ? [] : [{ generation, first, last }]
    })
    const first = epoch.ends(stream, Math.min(...generations.map((one) => one.first))) as Ends
    // The newest header is never evicted.
    const last = epoch.ends(stream, Math.max(...generations.map((one) => one.last))) as Ends
    const { openedMonotonicMs, openedWallMs } = first
    const { closedMonotonicMs, closedWallMs } = last
    return {
      stream,
      generations,
      first: { number: first.number, monotonicMs: openedMonotonicMs, wallMs: openedWallMs },
      last: { number: last.number, monotonicMs: closedMonotonicMs, wallMs: closedWallMs },
      lastHash: last.hash,
      tombstones: tombstone.of(stream).map(({ from, to }) => ({ from, to })),
    }
  })
}

/**
 * Generations of which no readings are kept any more, and none are open: their secrets open nothing that
 * is here.
 */
export function emptyGenerations(
  { chain, epoch }: Parts,
  open: readonly { readonly generation: number }[],
): number[] {
  const runs = Map.groupBy(chain.runs(), ({ generation }) => generation)
  const kept = ({ stream, first, last }: Run) => epoch.hasReadings(stream, first, last)
  return [...runs]
    .filter(([generation]) => !open.some((one) => one.generation === generation))
    .filter(([, ofIt]) => !ofIt.some(kept))
    .map(([generation]) => generation)
}
