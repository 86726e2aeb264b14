/**
 * Sets of epochs as runs: lists of ranges, sorted, none touching another. Pure.
 */
import type { Range } from '../wire/request.ts'

export type Runs = readonly Range[]

/** Both sets together. */
export function union(a: Runs, b: readonly Range[]): Runs {
  const joined: Range[] = []
  for (const next of [...a, ...b].sort(inOrder)) {
    const last = joined.at(-1)
    if (last === undefined || !sameChain(last, next) || next.from > last.to + 1) joined.push(next)
    else if (next.to > last.to) joined[joined.length - 1] = { ...last, to: next.to }
  }
  return joined
}

/** What of `a` is not in `b`. */
export function without(a: Runs, b: readonly Range[]): Runs {
  return b.reduce<Runs>(
    (left, cut) =>
      left.flatMap((run) => {
        if (!sameChain(run, cut) || cut.from > run.to || cut.to < run.from) return [run]
        const before = { ...run, to: cut.from - 1 }
        const after = { ...run, from: cut.to + 1 }
        return [before, after].filter(({ from, to }) => from <= to)
      }),
    a,
  )
}

export function has(runs: Runs, at: Chain & { readonly number: number }): boolean {
  return runs.some((run) => sameChain(run, at) && run.from <= at.number && at.number <= run.to)
}

/** What is in both. */
export function common(a: Runs, b: Runs): Runs {
  return without(a, without(a, b))
}

/** Epochs in all. */
export function size(runs: Runs): number {
  return runs.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

type Chain = { readonly stream: string; readonly generation: number }

function sameChain(a: Chain, b: Chain): boolean {
  return a.stream === b.stream && a.generation === b.generation
}

function inOrder(a: Range, b: Range): number {
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1
  return a.generation - b.generation || a.from - b.from
}
