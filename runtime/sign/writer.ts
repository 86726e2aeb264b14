/**
 * The commits of the maker, one after the other. A batch that the disk refuses, full or failing, is kept
 * and tried again, until it is in the store; meanwhile readings wait, and past their bound `take` says no.
 * What makes room goes into the same commit, before what waits for it.
 */
import { failpoint } from '../disk/failpoint.ts'
import { Fault } from '../faults.ts'
import type { Bell } from '../time/bell.ts'
import { never } from '../time/pause.ts'
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

/** Once the signal aborted, a commit that is refused is tried so often again: eviction may still make room. */
const lastTries = 3

/** Commits, and only then tells. Throws STORE_FULL, DISK_FAILING only some tries after the signal aborted. */
export function writer(options: WriterOptions) {
  const { store, evictions, room, retryMs, tell } = options
  return async (due: Due, signal: AbortSignal): Promise<void> => {
    const owed = [due]
    for (let last = lastTries; ; ) {
      const why = await attempt(owed)
      if (why === undefined) return
      if (signal.aborted && last === 0) throw why
      if (signal.aborted) last -= 1
      await room.wait(retryMs, signal.aborted ? never : signal)
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
      if (isRefused(cause)) return cause
      throw cause
    }
    const ms = performance.now() - began
    for (const one of owed) tell(one, ms)
    return undefined
  }
}

/** The disk refused it, and may take it later. */
function isRefused(cause: unknown): cause is Fault {
  return cause instanceof Fault && (cause.code === 'STORE_FULL' || cause.code === 'DISK_FAILING')
}
