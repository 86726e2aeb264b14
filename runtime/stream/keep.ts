/**
 * Keeping: looks now and then whether the store is over its bounds, and has the oldest epochs replaced by
 * tombstones until it is not. A generation of which nothing is left loses its secret: that is erasure.
 */
import { Fault } from '../faults.ts'
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

export type KeepStore = {
  evictable(rule: KeepRule & { readonly full: boolean }): Promise<readonly Eviction[]>
  emptyGenerations(): Promise<readonly number[]>
  onFull(tell: () => void): void
  isFull(): boolean
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
  | { readonly event: 'disk full' }

export type Keeper = {
  /** Keeps the store within its bounds until the signal aborts. */
  start(signal: AbortSignal): Promise<void>
}

export function keeper(options: KeeperOptions): Keeper {
  const { store, rule, evict, generations, note = () => {} } = options
  const { everyMs = 10_000, paceMs = 1_000 } = options
  const alarm = bell()
  let full = false
  let told = false
  store.onFull(() => {
    if (!told) note({ event: 'disk full' })
    told = true
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
    told &&= store.isFull()
    try {
      return await store.evictable({ ...rule, full: wasFull })
    } catch (cause) {
      // Even a note of the time found no room.
      if (cause instanceof Fault && cause.code === 'STORE_FULL') return []
      throw cause
    }
  }

  async function erase(): Promise<void> {
    for (const generation of await store.emptyGenerations()) {
      if (generation >= generations.current || !generations.has(generation)) continue
      await generations.destroy(generation)
      note({ event: 'erased', generation })
    }
  }
}
