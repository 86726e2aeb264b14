/** A device on paper: makes one stream's signed chain, for tests of those who follow it. */
import { addressOf, sha256, sign } from '#crypto'
import type { Address } from '../../runtime/wire/address.ts'
import { type Cbor, encodeCbor } from '../../runtime/wire/cbor.ts'
import { sealBody } from '../../runtime/wire/envelope.ts'
import { encodeMessage } from '../../runtime/wire/epoch.ts'
import {
  encodeHeader,
  encodePlace,
  type Header,
  headerDigest,
  headerHash,
  type Kind,
  zeroHash,
} from '../../runtime/wire/header.ts'
import { epochKeys, type KeyNode, leafKey, salts, streamRoot } from '../../runtime/wire/keytree.ts'
import { leafHash, proofTree } from '../../runtime/wire/merkle.ts'
import { encodePack, type Reading } from '../../runtime/wire/reading.ts'
import { secretOf } from '../wire/sample.ts'

export type ChainOptions = {
  readonly secret?: Uint8Array
  readonly stream?: string
  readonly terms?: Uint8Array
  readonly epochMs?: number
  readonly boot?: string
  readonly generation?: number
  /** Where the chain goes on: its first number, and the hash of the header before. */
  readonly first?: number
  readonly previous?: Uint8Array
}

type State = Required<Omit<ChainOptions, 'first'>> & {
  readonly device: Address
  readonly root: KeyNode
  number: number
  previous: Uint8Array
  nowMs: number
}

/** One epoch lasts `epochMs` and follows the last without a pause; the clock begins at 10 s after boot. */
export function chain(options: ChainOptions = {}) {
  const { secret = secretOf('device'), stream = 'air', terms = secretOf('terms') } = options
  const { epochMs = 1000, boot = '000102030405060708090a0b0c0d0e0f', first = 1 } = options
  const { generation = 1, previous = zeroHash } = options
  const device = addressOf(secret)
  const root = streamRoot(secretOf(`generation ${generation} of ${device}`), stream)
  const state: State = {
    ...{ secret, stream, terms, epochMs, boot, generation, device, root },
    ...{ number: first, previous, nowMs: 10_000 },
  }
  return {
    device,
    stream,
    root,
    /** Makes the next epoch with so many readings; `over` bends its header before it is signed. */
    epoch: (count: number, over: Partial<Header> = {}) => epoch(state, count, over),
    /** Makes a clear statement: a tombstone, a clock map, or a kind of a later version. */
    statement: (kind: Kind, body: Cbor) =>
      append(state, kind, encodeCbor(body), { terms: zeroHash }),
    lastHash: () => state.previous,
    next: () => state.number,
  }
}

function epoch(state: State, count: number, over: Partial<Header>): Uint8Array {
  const { device, stream, generation, root, number, previous, nowMs, epochMs } = state
  const leaf = leafKey([root], number) as Uint8Array
  const keys = epochKeys(leaf)
  const packs = Array.from({ length: count }, (_, i) => encodePack(reading(state, i), device))
  const salty = salts(keys.salt, count)
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] as Uint8Array, pack))
  const place = encodePlace({ device, stream, generation, number, previous })
  const nonce = sha256(place).slice(0, 12)
  const body = sealBody({ content: keys.content, nonce, place, packs })
  const times = { openedMonotonicMs: nowMs, closedMonotonicMs: nowMs + epochMs }
  state.nowMs += epochMs
  const sums = { count, root: tree.root(), commitment: keys.commitment }
  return append(state, 'readings', body, { ...sums, ...times, ...over })
}

function append(state: State, kind: Kind, body: Uint8Array, over: Partial<Header>): Uint8Array {
  const { device, stream, generation, number, previous, boot, terms, nowMs, secret } = state
  const header: Header = {
    device,
    stream,
    generation,
    number,
    previous,
    kind,
    clock: 'unset',
    flags: 0,
    count: 0,
    root: zeroHash,
    boot,
    openedMonotonicMs: nowMs,
    closedMonotonicMs: nowMs,
    bodyBytes: body.length,
    bodyHash: sha256(body),
    commitment: zeroHash,
    terms,
    setup: zeroHash,
    ...over,
  }
  const headerBytes = encodeHeader(header)
  state.previous = headerHash(headerBytes)
  state.number += 1
  return encodeMessage({ headerBytes, signature: sign(headerDigest(headerBytes), secret), body })
}

function reading({ stream, boot, nowMs, number }: State, i: number): Reading {
  const values = { pm2_5: number + i / 10 }
  return { stream, boot, monotonicMs: nowMs + i, values, units: { pm2_5: 'ug/m3' } }
}
