/** Keeping within the bounds that the config sets: the store's quota, the disk, and age. */
import type { Config } from './config/config.ts'
import type { Store } from './store/client.ts'
import type { Generations } from './stream/generations.ts'
import { type Eviction, type Keeper, keeper } from './stream/keep.ts'
import type { Watch } from './watch/watch.ts'

export type KeepingParts = {
  readonly config: Config
  readonly watch: Watch
  readonly store: Store
  readonly generations: Generations
}

export function keeping(
  { config, watch, store, generations }: KeepingParts,
  maker: { evict(evictions: readonly Eviction[]): Promise<boolean> },
): Keeper {
  const { bytes, free, age } = config.keep
  return keeper({
    store,
    rule: { bytesMax: bytes, freeMin: free, ageMs: age === 'never' ? null : age },
    evict: maker.evict,
    generations,
    note: watch.kept,
  })
}
