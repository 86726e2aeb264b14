/**
 * The payment tree: a Merkle-sum tree of running totals, one leaf a device.
 *
 *   leaf    keccak( 0^16 ‖ index u32 ‖ amount u96 ‖ 0^12 ‖ device )               64 bytes
 *   node    keccak( left hash ‖ right hash ‖ tag 8 ‖ left sum u96 ‖ right sum u96 ) 96 bytes
 *   empty   hash 0^32, sum 0, at every height
 *
 * Bit i of the index, lowest first, says on which side the path climbs at height i. A node commits
 * to both sums, not to the added one: a tree that hashes only the added sum lets a buyer prove to
 * each of two devices that all of one total is theirs (eprint 2018/1139). Sums are added in full
 * and stay below 2^96.
 */
import { keccak256 } from '#crypto'
import { type Address, addressBytes } from './address.ts'
import { equal, utf8 } from './bytes.ts'
import { address, amount, row, type Shape, whole } from './cborshape.ts'
import { must } from './malformed.ts'

export type Leaf = {
  /** The device's place, given by its grant, for ever. */
  readonly index: number
  readonly device: Address
  /** Running total for this device; below 2^96. */
  readonly amount: bigint
}

/** A sibling on the way up: hash and sum of the subtree beside. */
export type Step = { readonly hash: Uint8Array; readonly sum: bigint }

export type PaymentTree = {
  /** Puts a device's leaf in place of its last. Throws a RangeError past the limits. */
  set(leaf: Leaf): void
  root(): { readonly root: Uint8Array; readonly total: bigint }
  /** The siblings of that index, lowest first; empty while the tree has index 0 alone. */
  path(index: number): readonly Step[]
}

/** Devices that one channel can pay: 2^20. */
export const depthMax = 20

/** An empty tree. Leaves set are hashed at the next root or path: log n for one change. */
export function paymentTree(): PaymentTree {
  const levels: Step[][] = [[]]
  let waiting = new Set<number>()

  function set(leaf: Leaf): void {
    if (leaf.index >= 2 ** depthMax) throw new RangeError('a payment tree has 2^20 places')
    const leaves = levels[0] as Step[]
    while (leaves.length <= leaf.index) leaves.push(empty)
    leaves[leaf.index] = { hash: leafHash(leaf), sum: leaf.amount }
    waiting.add(leaf.index)
  }

  function settle(): void {
    const depth = depthFor(levels[0]?.length ?? 0)
    if (levels.length <= depth) {
      // A new height stands on all that is below, not only on what changed.
      waiting = new Set((levels[0] as Step[]).keys())
    }
    let changed = waiting
    waiting = new Set()
    for (let height = 0; height < depth; height += 1) {
      const below = levels[height] as Step[]
      levels[height + 1] ??= []
      const above = levels[height + 1] as Step[]
      const parents = new Set([...changed].map((index) => index >>> 1))
      for (const index of parents) {
        while (above.length <= index) above.push(empty)
        above[index] = join(below[2 * index] ?? empty, below[2 * index + 1] ?? empty)
      }
      changed = parents
    }
  }

  return {
    set,
    root() {
      settle()
      const { hash, sum } = levels.at(-1)?.[0] ?? empty
      return { root: hash, total: sum }
    },
    path(index) {
      settle()
      const below = levels.slice(0, -1)
      return below.map((level, height) => level[(index >>> height) ^ 1] ?? empty)
    },
  }
}

/** True when the path shows this leaf in the tree of that root, and the tree's sum is `total`. */
export function verifyLeaf(
  leaf: Leaf,
  path: readonly Step[],
  root: Uint8Array,
  total: bigint,
): boolean {
  if (path.length > depthMax || leaf.index >= 2 ** path.length) return false
  if (leaf.index < 0 || !isSum(leaf.amount)) return false
  let here: Step = { hash: leafHash(leaf), sum: leaf.amount }
  for (const [height, beside] of path.entries()) {
    if (!isSum(beside.sum) || !isSum(here.sum + beside.sum)) return false
    here = (leaf.index >>> height) & 1 ? join(beside, here) : join(here, beside)
  }
  return here.sum === total && equal(here.hash, root)
}

export const leafShape: Shape<Leaf> = row<Leaf>({
  index: whole(32),
  device: address,
  amount: amount(96),
})

const stepBytes = 44

/** A path as one byte string: for each step 32 bytes of hash, 12 of sum. */
export const pathShape: Shape<readonly Step[]> = {
  write(path) {
    const bytes = new Uint8Array(path.length * stepBytes)
    for (const [i, { hash, sum }] of path.entries()) {
      bytes.set(hash, i * stepBytes)
      putSum(new DataView(bytes.buffer), i * stepBytes + 32, sum)
    }
    return bytes
  },
  read(value, what) {
    const steps = value instanceof Uint8Array ? value.length / stepBytes : -1
    const fits = Number.isInteger(steps) && steps >= 0 && steps <= depthMax
    must(fits, `${what}: not a path`)
    const bytes = Uint8Array.from(value as Uint8Array)
    const view = new DataView(bytes.buffer)
    return Array.from({ length: steps }, (_, i) => ({
      hash: bytes.slice(i * stepBytes, i * stepBytes + 32),
      sum: takeSum(view, i * stepBytes + 32),
    }))
  },
}

const tag = utf8('paytree1')
const empty: Step = { hash: new Uint8Array(32), sum: 0n }

function isSum(value: bigint): boolean {
  return value >= 0n && value < 1n << 96n
}

/** How high a tree of so many places stands. */
function depthFor(places: number): number {
  let depth = 0
  while (2 ** depth < places) depth += 1
  return depth
}

function leafHash({ index, device, amount }: Leaf): Uint8Array {
  if (!isSum(amount)) throw new RangeError('an amount is below 2^96')
  const leaf = new Uint8Array(64)
  const view = new DataView(leaf.buffer)
  view.setUint32(16, index)
  putSum(view, 20, amount)
  leaf.set(addressBytes(device), 44)
  return keccak256(leaf)
}

function join(left: Step, right: Step): Step {
  const sum = left.sum + right.sum
  if (!isSum(sum)) throw new RangeError('the sum of a payment tree is below 2^96')
  if (sum === 0n && equal(left.hash, empty.hash) && equal(right.hash, empty.hash)) return empty
  const node = new Uint8Array(96)
  const view = new DataView(node.buffer)
  node.set(left.hash)
  node.set(right.hash, 32)
  node.set(tag, 64)
  putSum(view, 72, left.sum)
  putSum(view, 84, right.sum)
  return { hash: keccak256(node), sum }
}

/** A sum in 12 bytes. */
function putSum(view: DataView, at: number, sum: bigint): void {
  view.setUint32(at, Number(sum >> 64n))
  view.setBigUint64(at + 4, sum & 0xffff_ffff_ffff_ffffn)
}

function takeSum(view: DataView, at: number): bigint {
  return (BigInt(view.getUint32(at)) << 64n) | view.getBigUint64(at + 4)
}
