/**
 * The epoch maker: readings in, signed and sealed epochs in the store.
 *
 * One commit is on its way at a time. It carries, for every stream that gained readings, the new packs
 * under one signed tree head, at the latest `commitDelayMs` after the oldest of them was taken; and every
 * epoch that is due, at once. While the store works, the next readings are packed, hashed and put into the
 * next tree. What is taken is told of only when the commit that holds it has returned.
 */

import { bell } from '../time/bell.ts'
import { ownStream } from '../wire/clearbody.ts'
import type { Clock } from '../wire/clock.ts'
import { packEncoder } from '../wire/pack.ts'
import type { Reading } from '../wire/reading.ts'
import { bury, type Chain, chainOf } from './chain.ts'
import type { DeviceKey } from './key.ts'
import type { Instant } from './open.ts'
import { ownChain, type Standing } from './own.ts'
import {
  type Batch,
  type CommitNote,
  type Eviction,
  type OpenMessage,
  type SealedNote,
  type SealedRow,
  type SignLimits,
  type SignStore,
  type Spot,
  type StreamPlan,
  signLimits,
} from './plan.ts'
import { sealOpen } from './recover.ts'
import { type Due, type Gain, writer } from './writer.ts'

export type EpochMakerOptions = {
  readonly key: DeviceKey
  readonly clock: Clock
  readonly streams: readonly StreamPlan[]
  /** The generation of new epochs. */
  readonly generation: number
  /** An epoch's leaf of the key tree. Throws GENERATION_MISSING. */
  readonly keys: (stream: string, generation: number, number: number) => Uint8Array
  readonly store: SignStore
  readonly random: (length: number) => Uint8Array
  readonly limits?: Partial<SignLimits>
  /** What a reading of a free stream is published as. */
  readonly openMessage?: (reading: Reading, spot: Spot) => OpenMessage
  /** Readings that are durable and signed from now on. */
  readonly acknowledged?: (gain: { readonly stream: string; readonly count: number }) => void
  /** A header that is durable from now on. */
  readonly sealed?: (note: SealedNote) => void
  readonly note?: (note: CommitNote) => void
}

export type EpochMaker = {
  /**
   * Takes a reading of one of the streams, and what an audit of it needs. False when the store is behind,
   * or the maker has ended: the reading is not kept, and the caller counts a doubt.
   */
  take(reading: Reading, audit?: Uint8Array): boolean
  /**
   * Puts tombstones in the place of these numbers; an open epoch of their stream closes first. Resolves to
   * true when that is committed, to false when the maker ended before.
   */
  evict(evictions: readonly Eviction[]): Promise<boolean>
  /**
   * Seals what the last run left open, then makes epochs until the signal aborts; then seals and commits
   * what it has. Rejects with the store's fault, after which nothing is taken any more.
   */
  start(signal: AbortSignal): Promise<void>
}

export function epochMaker(options: EpochMakerOptions): EpochMaker {
  const { clock } = options
  const limits = { ...signLimits, ...options.limits }
  const alarm = bell()
  const pace = paceOf(limits)
  const chains = chainsOf(options, limits)
  const own = ownChain(options)
  /** Streams that are sensed no more: their chains still take tombstones. */
  const retired = new Map<string, Standing>()
  const orders: Order[] = []
  const room = bell()
  const ground = { options, pace, chains, own, retired, orders }
  const evictions = () => (orders.length === 0 ? undefined : buried(ground, emptyBatch()))
  const tell = (due: Due, ms: number) => told(options, due, ms)
  const commit = writer({
    store: options.store,
    evictions,
    room,
    retryMs: limits.fullRetryMs,
    tell,
  })
  let state: 'recovering' | 'open' | 'closing' | 'ended' = 'recovering'

  const recover = async (signal: AbortSignal) => {
    const { stands, sealed } = await recoverStore(options)
    if (sealed.length > 0) await commit({ batch: { ...emptyBatch(), sealed }, gains: [] }, signal)
    for (const row of [...stands, ...sealed]) {
      const chain = chains.get(row.stream)
      if (row.stream === ownStream) own.continueFrom(row)
      else if (chain !== undefined) chain.continueFrom(row)
      else retired.set(row.stream, { number: row.number + 1, previous: row.hash })
    }
  }
  const fill = () => {
    for (const chain of chains.values()) chain.fill()
  }

  const run = async (signal: AbortSignal) => {
    await recover(signal)
    state = 'open'
    fill()
    for (;;) {
      // Nothing new is taken; what is left may still need the room that an eviction makes.
      if (signal.aborted) state = 'closing'
      const due = collect(ground, signal.aborted)
      if (due !== undefined) {
        // Before the commit, so that the next epochs grow while the store works.
        fill()
        await commit(due, signal)
        continue
      }
      if (signal.aborted) return
      await alarm.wait(nextDue(chains, pace, clock.monotonicMs()), signal)
    }
  }

  return {
    take(reading, audit) {
      const chain = chains.get(reading.stream)
      if (chain === undefined) throw new RangeError(`no stream is called ${reading.stream}`)
      const ends = state === 'closing' || state === 'ended'
      if (ends || !chain.queue({ reading, audit })) return false
      if (state === 'open' && chain.fill()) alarm.ring()
      return true
    },
    evict(evictions) {
      if (state === 'ended' || evictions.length === 0) return Promise.resolve(false)
      const { promise, resolve } = Promise.withResolvers<boolean>()
      orders.push({ evictions, done: resolve })
      alarm.ring()
      room.ring()
      return promise
    },
    async start(signal) {
      try {
        await run(signal)
      } finally {
        state = 'ended'
        for (const { done } of orders.splice(0)) done(false)
      }
    },
  }
}

type Chains = ReadonlyMap<string, Chain>
type Order = {
  readonly evictions: readonly Eviction[]
  readonly done: (committed: boolean) => void
}

function chainsOf(options: EpochMakerOptions, limits: SignLimits): Chains {
  const { key, clock, generation, keys } = options
  const encode = packEncoder(key.device)
  const chains = new Map<string, Chain>()
  for (const plan of options.streams) {
    if (plan.name === ownStream) throw new RangeError(`the stream ${ownStream} is the device's own`)
    chains.set(plan.name, chainOf({ key, clock, plan, generation, keys, encode, limits }))
  }
  return chains
}

/** Where the chains stood, and headers for the epochs that the last run left open. */
async function recoverStore({ key, clock, keys, store, random }: EpochMakerOptions) {
  const { chains: stands, open } = await store.recover()
  return { stands, sealed: sealOpen(key, open, { keys, boot: clock.boot, random }) }
}

/** Tells of what is in the store now. */
function told(options: EpochMakerOptions, { batch, gains, done = [] }: Due, ms: number): void {
  for (const gain of gains) options.acknowledged?.(gain)
  for (const row of batch.sealed) options.sealed?.(noteOf(row))
  const readings = gains.reduce((sum, { count }) => sum + count, 0)
  options.note?.({ readings, headers: batch.sealed.length, ms })
  for (const tell of done) tell()
}

type Ground = {
  readonly options: EpochMakerOptions
  readonly pace: Pace
  readonly chains: Chains
  readonly own: ReturnType<typeof ownChain>
  readonly retired: Map<string, Standing>
  readonly orders: Order[]
}

/** All that is due now, in one batch, or undefined; `all` closes every epoch. */
function collect(ground: Ground, all: boolean): Due | undefined {
  const { options, pace, chains, own } = ground
  const batch = emptyBatch()
  const now = instantOf(options.clock)
  const mine = own.due()
  if (mine !== undefined) batch.sealed.push(mine)
  const { gains: early, done } = buried(ground, batch)
  const gains = [...early]
  const heads = [...chains.values()].some((chain) => pace.due(chain) <= now.monotonicMs)
  if (heads) pace.committed(now.monotonicMs)
  for (const chain of chains.values()) {
    const closes = chain.closesAt() <= now.monotonicMs || all
    if (!closes && !heads) continue
    const count = closes
      ? chain.seal(batch, now, options.random, options)
      : chain.head(batch, now, options)
    if (count > 0) gains.push({ stream: chain.plan.name, count })
  }
  return batch.gains.length + batch.sealed.length === 0 ? undefined : { batch, gains, done }
}

/** All evictions that were asked for; a tombstone takes a number, so the open epoch before it closes. */
function buried({ options, chains, retired, orders }: Ground, batch: Batch): Required<Due> {
  const now = instantOf(options.clock)
  const taken = orders.splice(0)
  const gains: Gain[] = []
  for (const eviction of taken.flatMap(({ evictions }) => evictions)) {
    const { stream } = eviction
    const chain = chains.get(stream)
    const count = chain?.seal(batch, now, options.random, options) ?? 0
    if (count > 0) gains.push({ stream, count })
    if (chain !== undefined) chain.bury(batch, eviction)
    else {
      const at = retired.get(stream)
      if (at === undefined) throw new RangeError(`no chain is called ${stream}`)
      const row = bury(options, at, batch, eviction)
      retired.set(stream, { number: row.number + 1, previous: row.hash })
    }
  }
  return {
    batch,
    gains,
    done: taken.map(
      ({ done }) =>
        () =>
          done(true),
    ),
  }
}

function emptyBatch(): Batch {
  return { gains: [], sealed: [], messages: [], audits: [], evicted: [] }
}

/** Milliseconds until the first epoch closes or the oldest reading has waited long enough. */
function nextDue(chains: Chains, pace: Pace, nowMs: number): number {
  let due = Number.POSITIVE_INFINITY
  for (const chain of chains.values()) due = Math.min(due, chain.closesAt(), pace.due(chain))
  return due - nowMs
}

type Pace = ReturnType<typeof paceOf>

/**
 * When tree heads are due: the first reading after a quiet time is committed at once, those behind it when
 * the delay since that commit is over. So none waits longer than the delay, and no card is asked more often.
 */
function paceOf({ commitDelayMs }: SignLimits) {
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    due: (chain: Chain) => Math.max(chain.waitingSince(), lastMs + commitDelayMs),
    committed(nowMs: number): void {
      lastMs = nowMs
    },
  }
}

function noteOf(row: SealedRow): SealedNote {
  const { stream, generation, number, kind, count, coveredMs, message } = row
  return { stream, generation, number, kind, count, coveredMs, bytes: message.length }
}

function instantOf(clock: Clock): Instant {
  const monotonicMs = clock.monotonicMs()
  const wall = clock.wall()
  return wall === undefined ? { monotonicMs } : { monotonicMs, wallMs: wall.ms }
}
