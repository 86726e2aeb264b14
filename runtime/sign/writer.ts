/**
 * The commits of the maker, one after the other. A batch that finds no room on the disk is kept and tried
 * again, until it is in the store; meanwhile readings wait, and past their bound `take` says no. What makes
 * room goes into the same commit, before what waits for it.
 */
import { failpoint } from '../disk/failpoint.ts'
import { Fault } from '../faults.ts'
import type { Bell } from '../time/bell.ts'
import type { Batch, SignStore } from './plan.ts'

export type Gain = { readonly stream: string; readonly count: number }

/** One commit, and what is told when it has returned. */
export type Due = {
  readonly batch: Batch
  /** The readings that it acknowledges. */
  readonly gains: readonly Gain[]
  readonly done?: readonly (() => void)[]
}

export type WriterOptions = {
  readonly store: Pick<SignStore, 'commit'>
  /** Evictions that were asked for meanwhile. */
  readonly evictions: () => Due | undefined
  /** Rings when there are some. */
  readonly room: Bell
  readonly retryMs: number
  readonly tell: (due: Due, ms: number) => void
}

/** Commits, and only then tells. Throws STORE_FULL only once the signal aborted. */
export function writer(options: WriterOptions) {
  const { store, evictions, room, retryMs, tell } = options
  return async (due: Due, signal: AbortSignal): Promise<void> => {
    const owed = [due]
    for (;;) {
      const why = await attempt(owed)
      if (why === undefined) return
      if (signal.aborted) throw why
      await room.wait(retryMs, signal)
      const more = evictions()
      if (more !== undefined) owed.push(more)
    }
  }

  async function attempt(owed: readonly Due[]): Promise<Fault | undefined> {
    failpoint('sign.commit')
    const began = performance.now()
    try {
      await store.commit(...owed.map(({ batch }) => batch))
    } catch (cause) {
      if (cause instanceof Fault && cause.code === 'STORE_FULL') return cause
      throw cause
    }
    const ms = performance.now() - began
    for (const one of owed) tell(one, ms)
    return undefined
  }
}
