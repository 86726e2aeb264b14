/**
 * The key tree: from one secret a key for every epoch number, so that any range of epochs is a handful of
 * nodes and nothing outside the range follows from them (the GGM construction, Goldreich, Goldwasser and
 * Micali 1986).
 *
 *   root of a stream   HKDF-Expand(generation secret, "wayside/1 root" ‖ stream)
 *   child b of a node  HMAC-SHA256(node, byte b); 32 levels, most significant bit of the number first
 *   leaf → keys        HKDF-Expand(leaf, "wayside/1 content" | "wayside/1 salt" | "wayside/1 commitment")
 */
import { ctrKeystream, hkdfExpand, hmacSha256 } from '#crypto'
import { concat, utf8 } from './bytes.ts'

/** A node: the key of every number whose first `depth` bits are `prefix`. Depth 32 is an epoch's leaf. */
export type KeyNode = { readonly depth: number; readonly prefix: number; readonly key: Uint8Array }

export type EpochKeys = {
  /** AES-256-GCM key of the body. */
  readonly content: Uint8Array
  /** AES-256-CTR key of the salts. */
  readonly salt: Uint8Array
  /** 32 bytes that stand in the header: whoever gets a leaf checks it against them before opening. */
  readonly commitment: Uint8Array
}

export const keyTreeDepth = 32
export const saltSize = 16

/** The root of `stream` in the generation that has this 32-byte secret. */
export function streamRoot(secret: Uint8Array, stream: string): KeyNode {
  const key = hkdfExpand(secret, concat(utf8('wayside/1 root'), utf8(stream)), 32)
  return { depth: 0, prefix: 0, key }
}

/** The fewest nodes below `root` that give the keys from..to (inclusive, unsigned 32 bits) and no other. */
export function cover(root: KeyNode, from: number, to: number, below: Below = child): KeyNode[] {
  const span = 2 ** (keyTreeDepth - root.depth)
  const first = root.prefix * span
  const last = first + span - 1
  if (to < first || from > last) return []
  if (from <= first && last <= to) return [root]
  // A half that nothing is asked of costs an HMAC too, and there is one at each of 32 levels.
  const middle = first + span / 2
  const left = from < middle ? cover(below(root, 0), from, to, below) : []
  const right = to >= middle ? cover(below(root, 1), from, to, below) : []
  return [...left, ...right]
}

/** The child of a node: its left for 0, its right for 1. */
export type Below = (node: KeyNode, bit: 0 | 1) => KeyNode

/**
 * The children below one root, each derived once, for whoever covers nearly the same range again and again,
 * as a shop does for every buyer of an epoch. Keeps `nodesMax` and then begins anew.
 */
export function rememberedBelow(nodesMax = 1024): Below {
  const known = new Map<number, KeyNode>()
  return (node, bit) => {
    // As in a heap: no two nodes of a tree have the same place.
    const place = 2 ** (node.depth + 1) + 2 * node.prefix + bit
    const held = known.get(place)
    if (held !== undefined) return held
    if (known.size >= nodesMax) known.clear()
    const made = child(node, bit)
    known.set(place, made)
    return made
  }
}

/** The leaf of epoch `number`, if one of the nodes is above it. */
export function leafKey(nodes: readonly KeyNode[], number: number): Uint8Array | undefined {
  const above = nodes.find(
    ({ depth, prefix }) => prefix === Math.floor(number / 2 ** (keyTreeDepth - depth)),
  )
  if (above === undefined) return undefined
  let node = above
  while (node.depth < keyTreeDepth) {
    node = child(node, Math.floor(number / 2 ** (keyTreeDepth - 1 - node.depth)) % 2)
  }
  return node.key
}

export function epochKeys(leaf: Uint8Array): EpochKeys {
  return {
    content: hkdfExpand(leaf, 'wayside/1 content', 32),
    salt: hkdfExpand(leaf, 'wayside/1 salt', 32),
    commitment: commitmentOf(leaf),
  }
}

/** What a header says of its epoch's key without giving it away. */
export function commitmentOf(leaf: Uint8Array): Uint8Array {
  return hkdfExpand(leaf, 'wayside/1 commitment', 32)
}

/** The salts of leaves 0 to count−1: the blocks of one AES-256-CTR keystream, counter from 0. */
export function salts(saltKey: Uint8Array, count: number): Uint8Array[] {
  const stream = ctrKeystream(saltKey, count * saltSize)
  return Array.from({ length: count }, (_, i) => stream.subarray(i * saltSize, (i + 1) * saltSize))
}

function child({ depth, prefix, key }: KeyNode, bit: number): KeyNode {
  return {
    depth: depth + 1,
    prefix: prefix * 2 + bit,
    key: hmacSha256(key, Uint8Array.of(bit)),
  }
}
