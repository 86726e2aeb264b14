/**
 * Keeping: looks now and then whether the store is over its bounds, and has the oldest epochs replaced by
 * tombstones until it is not. A generation of which nothing is left loses its secret: that is erasure.
 */
import { Fault, type FaultCode } from '../faults.ts'
import { bell } from '../time/bell.ts'

/** Numbers of a stream that are to go. */
export type Eviction = {
  readonly stream: string
  readonly from: number
  readonly to: number
  readonly last: Uint8Array
  readonly reason: string
  readonly epochs: number
  readonly bytes: number
  /** Of the epochs, those that the broker never had. */
  readonly unsent: number
}

/** What ails the disk, and what the system said. */
export type Ailment = { readonly kind: 'full' | 'failing'; readonly why: string }

export type KeepStore = {
  evictable(rule: KeepRule & { readonly full: boolean }): Promise<readonly Eviction[]>
  emptyGenerations(): Promise<readonly number[]>
  onRefused(tell: (ailment: Ailment) => void): void
  ails(): Ailment | undefined
}

export type KeepRule = {
  /** The store's own bytes at most. */
  readonly bytesMax: number
  /** Bytes of the disk that are left free. */
  readonly freeMin: number
  /** Nothing that is surely older is kept; null: age is no reason. */
  readonly ageMs: number | null
}

export type KeeperOptions = {
  readonly store: KeepStore
  readonly rule: KeepRule
  /** Puts tombstones in their place; true when that is committed. */
  readonly evict: (evictions: readonly Eviction[]) => Promise<boolean>
  /** The generations whose secrets are here, and how one is destroyed. */
  readonly generations: {
    readonly current: number
    has(generation: number): boolean
    destroy(generation: number): Promise<void>
  }
  readonly note?: (note: KeepNote) => void
  /** Between two looks. Default 10 s. */
  readonly everyMs?: number
  /** Between two evictions, so that readings are committed between. Default 1 s. */
  readonly paceMs?: number
}

export type KeepNote =
  | {
      readonly event: 'evicted'
      readonly stream: string
      readonly reason: string
      readonly from: number
      readonly to: number
      readonly epochs: number
      readonly bytes: number
      readonly unsent: number
    }
  | { readonly event: 'erased'; readonly generation: number }
  /** A commit found no room: what can go, goes. */
  | { readonly event: 'disk full'; readonly why: string }
  /** The disk does not take what is written; and it does again. */
  | { readonly event: 'disk failing'; readonly why: string }
  | { readonly event: 'disk well' }
  /** A secret of which nothing is left could not be destroyed; the next look tries again. */
  | { readonly event: 'not erased'; readonly generation: number; readonly why: string }

export type Keeper = {
  /** Keeps the store within its bounds until the signal aborts. */
  start(signal: AbortSignal): Promise<void>
}

export function keeper(options: KeeperOptions): Keeper {
  const { store, rule, evict, generations, note = () => {} } = options
  const { everyMs = 10_000, paceMs = 1_000 } = options
  const alarm = bell()
  let full = false
  let told: Ailment['kind'] | undefined
  store.onRefused(({ kind, why }) => {
    if (told !== kind) note({ event: `disk ${kind}`, why })
    told = kind
    // On a disk that fails it is not room that is missing: nothing gives way.
    if (kind !== 'full') return
    full = true
    alarm.ring()
  })

  return {
    async start(signal) {
      await erase()
      while (!signal.aborted) {
        const again = await makeRoom()
        await alarm.wait(again ? paceMs : everyMs, signal)
      }
    },
  }

  /** One eviction, when one is due; true when there may be more to do. */
  async function makeRoom(): Promise<boolean> {
    const evictions = await due()
    if (evictions.length === 0 || !(await evict(evictions))) return false
    for (const { last: _, ...eviction } of evictions) note({ event: 'evicted', ...eviction })
    await erase()
    return true
  }

  async function due(): Promise<readonly Eviction[]> {
    const wasFull = full
    full = false
    if (told !== undefined && store.ails() === undefined) {
      told = undefined
      note({ event: 'disk well' })
    }
    try {
      return await store.evictable({ ...rule, full: wasFull })
    } catch (cause) {
      // Even a note of the time was refused.
      if (isOf(cause, 'STORE_FULL', 'DISK_FAILING')) return []
      throw cause
    }
  }

  async function erase(): Promise<void> {
    for (const generation of await store.emptyGenerations()) {
      if (generation >= generations.current || !generations.has(generation)) continue
      try {
        await generations.destroy(generation)
        note({ event: 'erased', generation })
      } catch (cause) {
        if (!isOf(cause, 'FILE_UNWRITTEN')) throw cause
        note({ event: 'not erased', generation, why: cause.message })
      }
    }
  }
}

function isOf(cause: unknown, ...codes: readonly FaultCode[]): cause is Fault {
  return cause instanceof Fault && codes.includes(cause.code)
}
