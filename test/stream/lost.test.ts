import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOf, randomBytes, sign } from '#crypto'
import { compare } from '../../runtime/stream/lost.ts'
import { hex, utf8 } from '../../runtime/wire/bytes.ts'
import { signDocument } from '../../runtime/wire/signed.ts'

const secret = new Uint8Array(32).fill(7)
const device = addressOf(secret)
const self = { device, signingKey: device }

type Numbers = Readonly<Record<string, number>>

function index(version: number, numbers: Numbers, by: Uint8Array = secret, hash = 1): Uint8Array {
  const streams = Object.entries(numbers).map(([stream, number]) => ({
    stream,
    generations: [{ generation: 1, first: 1, last: number }],
    first: { number: 1, monotonicMs: 1 },
    last: { number, monotonicMs: 2 },
    lastHash: hex(new Uint8Array(32).fill(hash)),
    tombstones: [],
  }))
  return utf8(signDocument('index', { version, device, streams }, (digest) => sign(digest, by)))
}

test('what we wrote, and what is older, is known', () => {
  const ours = index(5, { air: 40 })
  assert.deepEqual(compare(ours, ours, self), { kind: 'known' })
  assert.deepEqual(compare(ours, index(4, { air: 90 }), self), { kind: 'known' })
})

test('a newer index of our own says which number is here and which there', () => {
  const cases: [Uint8Array | undefined, Uint8Array, string][] = [
    [index(5, { air: 40 }), index(6, { air: 55 }), 'stream air has come to 55, here to 40'],
    [index(5, { air: 40 }), index(6, { air: 40, hall: 3 }), 'stream hall has come to 3, here to 0'],
    [undefined, index(1, { air: 9 }), 'stream air has come to 9, here to 0'],
    [index(5, { air: 40 }), index(7, { air: 40 }), 'its index has come to version 7, here to 5'],
  ]
  for (const [ours, heard, what] of cases) {
    assert.deepEqual(compare(ours, heard, self), { kind: 'ahead', what })
  }
})

test('another index under our own version is a fork', () => {
  const heard = index(5, { air: 40 }, secret, 2)
  const what = 'epoch 40 of stream air is another one here'
  assert.deepEqual(compare(index(5, { air: 40 }), heard, self), { kind: 'ahead', what })
})

test('what another key signed is foreign, however new, and so is what is no index at all', () => {
  const forged = index(99, { air: 9_000 }, randomBytes(32))
  assert.deepEqual(compare(undefined, forged, self), { kind: 'foreign' })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(compare(undefined, bytes, self), { kind: 'foreign' })
    }),
  )
})
