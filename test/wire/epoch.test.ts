import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomBytes } from '#crypto'
import { equal } from '../../runtime/wire/bytes.ts'
import { checkHeader, decodeMessage, encodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { checkEvidence, makeEvidence } from '../../runtime/wire/evidence.ts'
import { decodeHeader, encodeHeader } from '../../runtime/wire/header.ts'
import { cover, leafKey, rememberedBelow, streamRoot } from '../../runtime/wire/keytree.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { leafHash, proofTree, rootOf } from '../../runtime/wire/merkle.ts'
import { device, enrolled, sampleEpoch, secretOf } from './sample.ts'

test('an epoch opens with its key and gives back every reading', async () => {
  const { sealed, leaf, readings } = sampleEpoch({ count: 7 })
  const message = decodeMessage(encodeMessage(sealed))
  assert.equal(message.signer, device)
  assert.deepEqual(openEpoch(message, leaf).readings, readings)
})

test('no other key opens it, and none of its neighbours', () => {
  const { sealed, root, number } = sampleEpoch({ count: 2 })
  const message = decodeMessage(encodeMessage(sealed))
  for (const other of [number - 1, number + 1]) {
    const key = leafKey([root], other)
    assert.ok(key)
    assert.throws(() => openEpoch(message, key), Malformed)
  }
})

test('one flipped bit anywhere is refused, or is another signer', () => {
  const { sealed, leaf } = sampleEpoch({ count: 1 })
  const bytes = encodeMessage(sealed)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), (bit) => {
      const bent = bytes.slice()
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        const message = decodeMessage(bent)
        openEpoch(message, leaf)
        assert.notEqual(message.signer, device)
      } catch (error) {
        assert.ok(error instanceof Malformed, String(error))
      }
    }),
    { numRuns: 300 },
  )
})

test('arbitrary bytes are refused by our own word only', () => {
  const refuse = (decoder: (bytes: Uint8Array) => unknown) =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        try {
          decoder(bytes)
        } catch (error) {
          assert.ok(error instanceof Malformed, String(error))
        }
      }),
    )
  const head = encodeHeader(sampleEpoch({ count: 1 }).header).subarray(0, 4)
  refuse(decodeMessage)
  refuse((bytes) => decodeMessage(Uint8Array.from([...head, ...bytes])))
  refuse((bytes) => decodeHeader(Uint8Array.from([...head, ...bytes])))
  refuse(checkEvidence)
})

test('a header says again what was written', () => {
  const { header } = sampleEpoch({ count: 3 })
  assert.deepEqual(decodeHeader(encodeHeader(header)), header)
})

test('an interrupted header proves its last tree head', () => {
  const { sealed, header } = sampleEpoch({ count: 3, interrupted: true })
  assert.equal(checkHeader(sealed.headerBytes, sealed.signature).signer, device)
  const forged = encodeHeader({ ...header, count: 2 })
  assert.throws(() => checkHeader(forged, sealed.signature), Malformed)
})

test('every path of every tree leads to its root, and to no other leaf', () => {
  for (let size = 1; size <= 40; size += 1) {
    const tree = proofTree()
    const packs = Array.from({ length: size }, () => randomBytes(8))
    const leaves = packs.map((pack) => leafHash(new Uint8Array(16), pack))
    for (const leaf of leaves) tree.append(leaf)
    const { sealed, header, opened } = sampleEpoch({ count: size })
    for (let index = 0; index < size; index += 1) {
      const evidence = makeEvidence({
        pack: opened.packs[index] as Uint8Array,
        salt: opened.salts[index] as Uint8Array,
        index,
        path: opened.tree.path(index),
        headerBytes: sealed.headerBytes,
        signature: sealed.signature,
      })
      assert.equal(checkEvidence(evidence).header.count, header.count)
    }
  }
})

test('a path leads nowhere when it is shorter or longer than the tree is deep', () => {
  for (let size = 1; size <= 40; size += 1) {
    const tree = proofTree()
    for (let i = 0; i < size; i += 1) tree.append(secretOf(i))
    for (let index = 0; index < size; index += 1) {
      const path = tree.path(index)
      assert.deepEqual(rootOf(secretOf(index), index, size, path), tree.root())
      const wrong = [[...path, tree.root()], ...(path.length > 0 ? [path.slice(0, -1)] : [])]
      for (const other of wrong) {
        assert.throws(() => rootOf(secretOf(index), index, size, other), Malformed)
      }
    }
  }
})

test('evidence of a pack of 512 bytes in an epoch of 4096 stays under 2 kB', async () => {
  const { sealed, opened } = sampleEpoch({ count: 4096, pad: 370 })
  const pack = opened.packs[4095] as Uint8Array
  assert.ok(pack.length >= 490 && pack.length <= 512, `${pack.length} bytes`)
  const evidence = makeEvidence({
    pack,
    salt: opened.salts[4095] as Uint8Array,
    index: 4095,
    path: opened.tree.path(4095),
    headerBytes: sealed.headerBytes,
    signature: sealed.signature,
    enrolment: await enrolled(),
  })
  assert.ok(evidence.length < 2000, `${evidence.length} bytes`)
  assert.equal(checkEvidence(evidence).enrolment?.device, device)
})

test('a cover opens its range and nothing else, whatever the range', () => {
  const root = streamRoot(secretOf(9), 'air')
  const number = fc.integer({ min: 0, max: 0xffff_ffff })
  fc.assert(
    fc.property(number, fc.integer({ min: 0, max: 100_000 }), number, (from, length, probe) => {
      const to = Math.min(from + length, 0xffff_ffff)
      const nodes = cover(root, from, to)
      assert.ok(nodes.length <= 62)
      for (const inside of [from, to, from + Math.floor((to - from) / 2)]) {
        assert.ok(
          equal(leafKey(nodes, inside) ?? new Uint8Array(), leafKey([root], inside) as Uint8Array),
        )
      }
      for (const outside of [from - 1, to + 1, probe]) {
        if (outside >= from && outside <= to) continue
        if (outside < 0 || outside > 0xffff_ffff) continue
        assert.equal(leafKey(nodes, outside), undefined)
      }
    }),
    { numRuns: 200 },
  )
})

test('a cover is the same by nodes that were derived before, however few are kept', () => {
  const root = streamRoot(secretOf(9), 'air')
  const number = fc.integer({ min: 0, max: 0xffff_ffff })
  const ranges = fc.array(fc.tuple(number, fc.integer({ min: 0, max: 5_000 })), { minLength: 2 })
  fc.assert(
    fc.property(ranges, fc.constantFrom(1, 40, 1024), (asked, nodesMax) => {
      const below = rememberedBelow(nodesMax)
      for (const [from, length] of asked) {
        const to = Math.min(from + length, 0xffff_ffff)
        assert.deepEqual(cover(root, from, to, below), cover(root, from, to))
      }
    }),
    { numRuns: 50 },
  )
})

test('a year of epochs of ten seconds is about thirty nodes', () => {
  const nodes = cover(streamRoot(secretOf(1), 'air'), 12_345, 12_345 + 3_153_600)
  assert.ok(nodes.length <= 44, `${nodes.length} nodes`)
})
