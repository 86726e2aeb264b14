/** How the desk stands: what it looks after, what it is owed, and for how long. */
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { claimable } from './channel.ts'
import { isLive } from './desk.ts'
import type { Keeper } from './keeper.ts'

export type Standing = {
  /** How many channels: live ones may get grants and acks; the others get none, for this reason. */
  readonly channels: {
    readonly live: number
    readonly withdrawing: number
    readonly short: number
    readonly unseen: number
    readonly ended: number
  }
  /** Claims that are signed and not yet deep in the chain, and the age of the oldest, seconds. */
  readonly claims: { readonly onTheWay: number; readonly oldestS: number }
  /** By token, in its smallest unit: what is promised and not claimed yet. */
  readonly unclaimed: Readonly<Record<Address, bigint>>
  /** How long the oldest of that has been known, seconds; since the start of this process at most. */
  readonly unclaimedOldestS: number
}

/** Reads it; what is unclaimed is as old as the first reading that saw it. */
export function openStanding(
  keeper: Pick<Keeper, 'all' | 'claims' | 'nowMs'>,
  monotonicMs: () => number,
): () => Standing {
  const firstSeen = new Map<Hex, { readonly claimed: bigint; readonly atMs: number }>()

  /** Promises are running totals: what came after the last claim is as old as its first part. */
  function sinceMs(id: Hex, claimed: bigint): number {
    const known = firstSeen.get(id)
    if (known?.claimed === claimed) return known.atMs
    const atMs = monotonicMs()
    firstSeen.set(id, { claimed, atMs })
    return atMs
  }

  return () => {
    const nowMs = keeper.nowMs()
    const channels = { live: 0, withdrawing: 0, short: 0, unseen: 0, ended: 0 }
    const unclaimed: Record<Address, bigint> = {}
    let oldestMs = monotonicMs()
    for (const channel of keeper.all()) {
      const { id, config, claimed } = channel
      if (channel.ended !== undefined) channels.ended += 1
      else if (channel.withdrawing > 0n) channels.withdrawing += 1
      else if (channel.shortSinceMs !== undefined) channels.short += 1
      else if (channel.unseen !== undefined) channels.unseen += 1
      else if (isLive(channel, nowMs)) channels.live += 1
      const owed = claimable(channel)
      if (owed === 0n) {
        firstSeen.delete(id)
        continue
      }
      unclaimed[config.token] = (unclaimed[config.token] ?? 0n) + owed
      oldestMs = Math.min(oldestMs, sinceMs(id, claimed))
    }
    const claims = keeper.claims()
    const oldest = Math.min(nowMs, ...claims.map((claim) => claim.sinceMs))
    return {
      channels,
      claims: { onTheWay: claims.length, oldestS: seconds(nowMs - oldest) },
      unclaimed,
      unclaimedOldestS: seconds(monotonicMs() - oldestMs),
    }
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
