/**
 * One open epoch in memory. Its number gives its key, the key its salts, so leaves and tree grow with
 * every reading; its place is needed only for what is signed, and comes when its predecessor is committed.
 */
import { ctrKeystream } from '#crypto'
import { concat } from '../wire/bytes.ts'
import type { ClockQuality } from '../wire/clock.ts'
import { sealBody } from '../wire/envelope.ts'
import { encodePlace } from '../wire/header.ts'
import { epochKeys, saltSize } from '../wire/keytree.ts'
import { leafHash, proofTree } from '../wire/merkle.ts'
import { treeHeadDigest } from '../wire/treehead.ts'
import { signHeader } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { OpenRow, SealedRow, StreamPlan, Taken } from './plan.ts'

/** One instant on both clocks; no wall time while the clock is unset. */
export type Instant = { readonly monotonicMs: number; readonly wallMs?: number }

export type Opening = {
  readonly plan: StreamPlan
  readonly generation: number
  readonly number: number
  /** Its leaf of the key tree. */
  readonly leaf: Uint8Array
  readonly boot: string
  readonly clock: ClockQuality
  readonly at: Instant
}

export type OpenEpoch = {
  readonly number: number
  readonly clock: ClockQuality
  readonly openedMonotonicMs: number
  readonly count: () => number
  /** False when another pack of this size would pass a limit. */
  fits(packBytes: number): boolean
  append(pack: Uint8Array, taken: Taken): void
  /** Gives up what came since this was last asked, with the index of its first. */
  takeFresh(): { readonly first: number; readonly taken: readonly Taken[] }
  /** A signed tree head over all there is, and the packs since the one before. */
  head(previous: Uint8Array, now: Instant): { readonly open: OpenRow; readonly packs: Uint8Array }
  /** The signed header over the sealed body. `nonce`: 12 random bytes. */
  seal(previous: Uint8Array, now: Instant, nonce: Uint8Array): SealedRow
}

export function openEpoch(key: DeviceKey, opening: Opening): OpenEpoch {
  const { plan, number, clock, at } = opening
  const keys = epochKeys(opening.leaf)
  const salts = ctrKeystream(keys.salt, plan.countMax * saltSize)
  const tree = proofTree()
  const packs: Uint8Array[] = []
  let fresh: Taken[] = []
  let bytes = 0
  let newestMs = at.monotonicMs
  let headed = 0

  return {
    number,
    clock,
    openedMonotonicMs: at.monotonicMs,
    count: () => packs.length,
    fits: (packBytes) =>
      packs.length === 0 || (packs.length < plan.countMax && bytes + packBytes <= plan.bytesMax),
    append(pack, from) {
      const salt = salts.subarray(packs.length * saltSize, (packs.length + 1) * saltSize)
      tree.append(leafHash(salt, pack))
      packs.push(pack)
      fresh.push(from)
      bytes += pack.length
      newestMs = Math.max(newestMs, from.reading.monotonicMs)
    },
    takeFresh() {
      const taken = fresh
      fresh = []
      return { first: packs.length - taken.length, taken }
    },
    head(previous, now) {
      const since = concat(...packs.slice(headed))
      headed = packs.length
      const tip = { count: packs.length, root: tree.root(), end: endOf(opening, newestMs, now) }
      return { open: signHead(key, opening, previous, tip), packs: since }
    },
    seal(previous, now, nonce) {
      const place = encodePlace(placeOf(key, opening, previous))
      const body = sealBody({ content: keys.content, nonce, place, packs })
      const { monotonicMs, wallMs } = endOf(opening, newestMs, now)
      const header = {
        ...headingOf(opening),
        kind: 'readings' as const,
        previous,
        count: packs.length,
        root: tree.root(),
        commitment: keys.commitment,
        closedMonotonicMs: monotonicMs,
        ...(wallMs === undefined ? {} : { closedWallMs: wallMs }),
      }
      return signHeader(key, header, body)
    },
  }
}

type Tip = { readonly count: number; readonly root: Uint8Array; readonly end: Instant }

/** The tree head over an epoch as far as it has come, signed. */
function signHead(key: DeviceKey, opening: Opening, previous: Uint8Array, tip: Tip): OpenRow {
  const { count, root, end } = tip
  const digest = treeHeadDigest({
    place: encodePlace(placeOf(key, opening, previous)),
    count,
    root,
    boot: opening.boot,
    monotonicMs: end.monotonicMs,
  })
  return {
    ...headingOf(opening),
    previous,
    count,
    root,
    headMonotonicMs: end.monotonicMs,
    headWallMs: end.wallMs ?? null,
    signature: key.sign(digest),
  }
}

/** The end of what is covered: now, but no reading behind it and never past the nominal length. */
function endOf({ plan, clock, at }: Opening, newestMs: number, now: Instant): Instant {
  const monotonicMs = Math.max(newestMs, Math.min(now.monotonicMs, at.monotonicMs + plan.epochMs))
  if (clock === 'unset' || now.wallMs === undefined) return { monotonicMs }
  return { monotonicMs, wallMs: now.wallMs - (now.monotonicMs - monotonicMs) }
}

function placeOf(key: DeviceKey, { plan, generation, number }: Opening, previous: Uint8Array) {
  return { device: key.device, stream: plan.name, generation, number, previous }
}

/** What a header and a tree head's row have in common. */
function headingOf({ plan, generation, number, clock, boot, at }: Opening) {
  return {
    stream: plan.name,
    generation,
    number,
    clock,
    boot,
    openedMonotonicMs: at.monotonicMs,
    ...(at.wallMs === undefined ? {} : { openedWallMs: at.wallMs }),
    terms: plan.terms,
    setup: plan.setup,
  }
}
