/**
 * The body of a session's retained keys message: the cover of everything that its channel has paid
 * for. Each version holds all of the one before, except generations that were destroyed.
 */
import {
  bytes,
  decodeShape,
  encodeShape,
  list,
  record,
  row,
  type Shape,
  uint64,
  whole,
} from './cborshape.ts'
import type { KeyNode } from './keytree.ts'
import { must } from './malformed.ts'
import { streamShape } from './request.ts'

/** Epochs from..to, both included, and the nodes that open them and no others. */
export type Run = { readonly from: number; readonly to: number; readonly nodes: readonly KeyNode[] }

export type Cover = {
  readonly stream: string
  readonly generation: number
  readonly runs: readonly Run[]
}

export type KeysBody = {
  /** Grows with each release. */
  readonly version: bigint
  readonly covers: readonly Cover[]
}

/** Nodes that cover one run at most (2 × 31). */
export const nodesMax = 62

/** Runs in one body: past it the buyer confirms first. */
export const runsMax = 64

export function encodeKeysBody(body: KeysBody): Uint8Array {
  return encodeShape(bodyShape, body)
}

/** Throws Malformed. */
export function decodeKeysBody(bytes: Uint8Array): KeysBody {
  const body = decodeShape(bodyShape, bytes, 'keys')
  const runs = body.covers.flatMap((cover) => cover.runs)
  must(runs.length <= runsMax, `keys: more than ${runsMax} runs`)
  for (const run of runs) {
    must(run.from <= run.to, 'keys: a run ends before it begins')
    for (const { depth, prefix } of run.nodes) {
      must(depth <= 32 && prefix < 2 ** depth, 'keys: not a node of the key tree')
    }
  }
  return body
}

const nodeShape: Shape<KeyNode> = row<KeyNode>({
  depth: whole(6),
  prefix: whole(32),
  key: bytes(32),
})

const runShape: Shape<Run> = record<Run>({
  from: whole(32),
  to: whole(32),
  nodes: list(nodeShape, nodesMax),
})

const coverShape: Shape<Cover> = record<Cover>({
  stream: streamShape,
  generation: whole(32),
  runs: list(runShape, runsMax),
})

const bodyShape: Shape<KeysBody> = record<KeysBody>({
  version: uint64,
  covers: list(coverShape, runsMax),
})
