/**
 * The proof tree: a Merkle tree over an epoch's packs (RFC 9162 §2.1), its leaves salted.
 *
 *   leaf = SHA-256(0x00 ‖ salt ‖ pack)      node = SHA-256(0x01 ‖ left ‖ right)
 *
 * The salt keeps whoever holds a root or a path from guessing a pack; RFC 9162 has none.
 */
import { sha256 } from '#crypto'
import { must } from './malformed.ts'

export function leafHash(salt: Uint8Array, pack: Uint8Array): Uint8Array {
  return sha256(leafTag, salt, pack)
}

export type ProofTree = {
  append(leaf: Uint8Array): void
  count(): number
  /** RFC 9162 §2.1.1; of no leaves at all it is SHA-256(""). */
  root(): Uint8Array
  /** The inclusion proof of leaf `index`, from the leaf's sibling upwards (RFC 9162 §2.1.3.1). */
  path(index: number): Uint8Array[]
}

/**
 * A tree that grows by one leaf at a time. Appending costs one hash on average and the root at most one a
 * level, because every full subtree is hashed once and kept.
 */
export function proofTree(): ProofTree {
  /** levels[h][i]: hash of the full subtree of 2^h leaves that begins at leaf i·2^h. */
  const levels: Uint8Array[][] = [[]]

  const at = (level: number, i: number): Uint8Array => {
    const hash = levels[level]?.[i]
    if (hash === undefined) throw new RangeError('no such node')
    return hash
  }
  const count = () => levels[0]?.length ?? 0

  /** Root of the leaves from `from` up to `to`; `from` is a multiple of the largest power of two below. */
  const subroot = (from: number, to: number): Uint8Array => {
    const size = to - from
    const level = 31 - Math.clz32(size)
    if (size === 2 ** level) return at(level, from / size)
    const middle = from + 2 ** level
    return nodeHash(subroot(from, middle), subroot(middle, to))
  }

  return {
    append(leaf) {
      levels[0]?.push(leaf)
      let i = count()
      for (let level = 0; i % 2 === 0; level += 1, i /= 2) {
        levels[level + 1] ??= []
        levels[level + 1]?.push(nodeHash(at(level, i - 2), at(level, i - 1)))
      }
    },
    count,
    root: () => (count() === 0 ? sha256(new Uint8Array(0)) : subroot(0, count())),
    path(index) {
      if (!(index >= 0 && index < count())) throw new RangeError('no such leaf')
      const path: Uint8Array[] = []
      let from = 0
      let to = count()
      while (to - from > 1) {
        const half = 2 ** (31 - Math.clz32(to - from - 1))
        const middle = from + half
        path.push(index < middle ? subroot(middle, to) : subroot(from, middle))
        if (index < middle) to = middle
        else from = middle
      }
      return path.reverse()
    },
  }
}

/** The root that this path leads to from this leaf (RFC 9162 §2.1.3.2). Throws Malformed. */
export function rootOf(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Uint8Array {
  must(Number.isInteger(index) && index >= 0 && index < count, 'path: no such leaf')
  let fn = index
  let sn = count - 1
  let hash = leaf
  for (const sibling of path) {
    must(sibling.length === 32, 'path: a hash is 32 bytes')
    must(sn > 0, 'path: longer than the tree is deep')
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else hash = nodeHash(hash, sibling)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  must(sn === 0, 'path: shorter than the tree is deep')
  return hash
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodeTag, left, right)
}

const leafTag = Uint8Array.of(0)
const nodeTag = Uint8Array.of(1)
