import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keccak256 } from '#crypto'
import type { Address } from '../../runtime/wire/address.ts'
import { addressBytes } from '../../runtime/wire/address.ts'
import { concat, equal, hex, word } from '../../runtime/wire/bytes.ts'
import { decodeShape, encodeShape } from '../../runtime/wire/cborshape.ts'
import {
  type Leaf,
  pathShape,
  paymentTree,
  type Step,
  verifyLeaf,
} from '../../runtime/wire/paymenttree.ts'

const deviceOf = (index: number): Address => hex(word(BigInt(index) + 1n).subarray(12))
const amount = fc.bigInt({ min: 0n, max: (1n << 90n) - 1n })
const fleet = fc
  .uniqueArray(fc.nat(70), { minLength: 1, maxLength: 40 })
  .chain((indices) =>
    fc.tuple(
      ...indices.map((index) => amount.map((a) => ({ index, device: deviceOf(index), amount: a }))),
    ),
  )

test('every leaf of any fleet verifies, and the total is the sum', () => {
  fc.assert(
    fc.property(fleet, (leaves) => {
      const tree = grow(leaves)
      const { root, total } = tree.root()
      assert.equal(
        total,
        leaves.reduce((sum, leaf) => sum + leaf.amount, 0n),
      )
      for (const leaf of leaves) {
        assert.ok(verifyLeaf(leaf, tree.path(leaf.index), root, total))
      }
    }),
    { numRuns: 40 },
  )
})

test('a leaf whose index is past the tree that its path spans does not verify', () => {
  const leaf = { index: 1, device: deviceOf(1), amount: 5n }
  const tree = grow([leaf])
  // Beside the empty place 0 it stands alone: as a root it would have no path and the index 1.
  const [own] = tree.path(0) as [Step]
  assert.ok(!verifyLeaf(leaf, [], own.hash, own.sum))
  assert.ok(verifyLeaf(leaf, tree.path(1), tree.root().root, 5n))
})

test('a leaf that says anything else does not verify', () => {
  fc.assert(
    fc.property(fleet, fc.nat(), fc.bigInt({ min: 1n, max: 1000n }), (leaves, pick, more) => {
      const tree = grow(leaves)
      const { root, total } = tree.root()
      const leaf = leaves[pick % leaves.length] as Leaf
      const path = tree.path(leaf.index)
      const not = (wrong: Leaf, steps = path, sum = total) =>
        assert.ok(!verifyLeaf(wrong, steps, root, sum))
      not({ ...leaf, amount: leaf.amount + more })
      not({ ...leaf, index: leaf.index ^ 1 })
      not({ ...leaf, device: deviceOf(9999) })
      not(leaf, path, total + more)
      not(leaf, [...path, { hash: new Uint8Array(32), sum: 0n }])
      if (path.length > 0) {
        not(leaf, path.slice(1))
        not(
          leaf,
          path.map((step, i) => (i === 0 ? { ...step, sum: step.sum + more } : step)),
        )
        not(
          leaf,
          path.map((step, i) => (i === 0 ? { ...step, sum: -step.sum - more } : step)),
        )
      }
    }),
    { numRuns: 40 },
  )
})

test('a tree changed leaf by leaf is the tree built at once', () => {
  fc.assert(
    fc.property(
      fleet,
      fc.array(fc.tuple(fc.nat(), amount), { maxLength: 10 }),
      (leaves, changes) => {
        const stepwise = paymentTree()
        const last = new Map<number, Leaf>()
        for (const leaf of leaves) {
          stepwise.set(leaf)
          stepwise.root()
          last.set(leaf.index, leaf)
        }
        for (const [pick, amount] of changes) {
          const leaf = { ...(leaves[pick % leaves.length] as Leaf), amount }
          stepwise.set(leaf)
          stepwise.root()
          last.set(leaf.index, leaf)
        }
        assert.deepEqual(stepwise.root(), grow([...last.values()]).root())
      },
    ),
    { numRuns: 40 },
  )
})

test('one device alone is its leaf, with no path; no device at all is nothing', () => {
  const leaf = { index: 0, device: deviceOf(0), amount: 42n }
  const tree = grow([leaf])
  assert.deepEqual(tree.path(0), [])
  assert.ok(verifyLeaf(leaf, [], tree.root().root, 42n))
  assert.deepEqual(paymentTree().root(), { root: new Uint8Array(32), total: 0n })
})

test('sums past 2^96 are refused, not wrapped', () => {
  const most = (1n << 96n) - 1n
  const tree = grow([0, 1].map((index) => ({ index, device: deviceOf(index), amount: most })))
  assert.throws(() => tree.root(), RangeError)
  const leaf = { index: 0, device: deviceOf(0), amount: most }
  const root = new Uint8Array(32)
  assert.ok(!verifyLeaf(leaf, [{ hash: root, sum: 1n }], root, 0n))
  assert.throws(
    () => paymentTree().set({ index: 2 ** 20, device: deviceOf(0), amount: 1n }),
    RangeError,
  )
})

test('two devices are never both shown one total; hashing the added sum is fooled', () => {
  // The buyer owes each of two devices 70, and commits to a total of 70 only.
  const [left, right] = [0, 1].map((index) => ({ index, device: deviceOf(index), amount: 70n }))
  assert.ok(left && right)
  const nothing = 0n
  const [leftHash, rightHash] = [left, right].map(leafHash)
  assert.ok(leftHash && rightHash)

  const weakRoot = keccak256(concat(leftHash, rightHash, word(70n)))
  const weak = (leaf: Leaf, beside: Step, total: bigint): boolean => {
    const hashes = leaf.index === 0 ? [leafHash(leaf), beside.hash] : [beside.hash, leafHash(leaf)]
    const sum = leaf.amount + beside.sum
    return sum === total && equal(keccak256(concat(...hashes, word(sum))), weakRoot)
  }
  assert.ok(weak(left, { hash: rightHash, sum: nothing }, 70n))
  assert.ok(weak(right, { hash: leftHash, sum: nothing }, 70n))

  // Ours: whatever root the buyer makes for a total of 70, at most one of the two accepts.
  const roots = [grow([left, { ...right, amount: 0n }]), grow([{ ...left, amount: 0n }, right])]
  for (const { root } of roots.map((tree) => tree.root())) {
    const accepted = [
      verifyLeaf(left, [{ hash: rightHash, sum: nothing }], root, 70n),
      verifyLeaf(right, [{ hash: leftHash, sum: nothing }], root, 70n),
    ]
    assert.ok(accepted.filter(Boolean).length <= 1)
  }
  for (const [leftSum, rightSum] of [
    [70n, 0n],
    [0n, 70n],
    [35n, 35n],
    [70n, 70n],
  ] as const) {
    const sums = word((leftSum << 96n) | rightSum)
    sums.set(new TextEncoder().encode('paytree1'))
    const root = keccak256(concat(leftHash, rightHash, sums))
    const shows = [
      verifyLeaf(left, [{ hash: rightHash, sum: rightSum }], root, 70n),
      verifyLeaf(right, [{ hash: leftHash, sum: leftSum }], root, 70n),
    ]
    assert.ok(shows.filter(Boolean).length <= 1)
  }
})

test('a path is one byte string that reads back', () => {
  const tree = grow([0, 1, 2, 9].map((index) => ({ index, device: deviceOf(index), amount: 5n })))
  const path = tree.path(2)
  assert.equal(path.length, 4)
  const bytes = encodeShape(pathShape, path)
  assert.equal(bytes.length, 4 * 44 + 2)
  assert.deepEqual(decodeShape(pathShape, bytes, 'path'), path)
})

function grow(leaves: readonly Leaf[]) {
  const tree = paymentTree()
  for (const leaf of leaves) tree.set(leaf)
  return tree
}

/** The leaf's hash written out from the specification. */
function leafHash({ index, device, amount }: Leaf): Uint8Array {
  const first = word((BigInt(index) << 96n) + amount)
  return keccak256(concat(first, new Uint8Array(12), addressBytes(device)))
}
