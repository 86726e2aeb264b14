import type { chainTable } from './chain.ts'
import type { Ends, epochTable } from './epoch.ts'

/** One end of what a stream has on the shelf: a number, and when it opened or closed. */
export type Mark = {
  readonly number: number
  readonly monotonicMs: number
  readonly wallMs: number | null
}

export type ShelfRow = {
  readonly stream: string
  readonly generations: readonly {
    readonly generation: number
    readonly first: number
    readonly last: number
  }[]
  readonly first: Mark
  readonly last: Mark
  readonly lastHash: Uint8Array
}

/** What every stream has to offer, for the index; it costs the same however much that is. */
export function shelfOf(
  chain: ReturnType<typeof chainTable>,
  epoch: ReturnType<typeof epochTable>,
): ShelfRow[] {
  const streams = Map.groupBy(chain.runs(), ({ stream }) => stream)
  return [...streams].map(([stream, runs]) => {
    const first = epoch.ends(stream, Math.min(...runs.map((run) => run.first))) as Ends
    const last = epoch.ends(stream, Math.max(...runs.map((run) => run.last))) as Ends
    const { openedMonotonicMs, openedWallMs } = first
    const { closedMonotonicMs, closedWallMs } = last
    return {
      stream,
      generations: runs.map((run) => ({
        generation: run.generation,
        first: run.first,
        last: run.last,
      })),
      first: { number: first.number, monotonicMs: openedMonotonicMs, wallMs: openedWallMs },
      last: { number: last.number, monotonicMs: closedMonotonicMs, wallMs: closedWallMs },
      lastHash: last.hash,
    }
  })
}
