import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256, sign } from '#crypto'
import { unhex } from '../../runtime/wire/bytes.ts'
import { type Cbor, encodeCbor } from '../../runtime/wire/cbor.ts'
import {
  type ClearBody,
  decodeClearBody,
  encodeClearBody,
  readClearBody,
} from '../../runtime/wire/clearbody.ts'
import { decodeMessage, encodeMessage } from '../../runtime/wire/epoch.ts'
import { decodeHeader, encodeHeader, type Header, headerDigest } from '../../runtime/wire/header.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { boot, deviceSecret, sampleEpoch, secretOf } from './sample.ts'
import { sampleStatements, statementHeader } from './statements.ts'

test('every clear body reads back as it was written, in a signed message', () => {
  for (const body of sampleStatements) {
    const message = decodeMessage(signed(body, {}))
    assert.deepEqual(readClearBody(message), body)
  }
})

test('a body that says otherwise than its header is refused', () => {
  const refused = (body: ClearBody, over: Partial<Header>) =>
    assert.throws(() => readClearBody(decodeMessage(signed(body, over))), Malformed, body.kind)
  const [tombstone, clockMap, generation] = sampleStatements
  assert.ok(tombstone?.kind === 'tombstone' && clockMap && generation)
  refused(tombstone, { number: tombstone.to })
  refused({ ...tombstone, from: tombstone.to + 1 }, {})
  refused(clockMap, { boot: 'f'.repeat(32) })
  refused(clockMap, { stream: 'air' })
  refused(generation, { generation: 7 })
})

test('a member too many, too few or of another type is refused', () => {
  const last = secretOf('last')
  const good: [string, Cbor][] = [
    ['from', 1],
    ['to', 2],
    ['last', last],
    ['reason', 'store full'],
  ]
  const bytes = (members: [string, Cbor][]) => encodeCbor(new Map(members))
  assert.equal(decodeClearBody('tombstone', bytes(good)).kind, 'tombstone')
  const bad: [string, Cbor][][] = [
    [...good, ['more', 1]],
    good.slice(1),
    [...good.slice(0, 3), ['reason', 'line\nbreak']],
    [...good.slice(0, 2), ['last', last.slice(1)], ['reason', '']],
    [['from', -1], ...good.slice(1)],
  ]
  for (const members of bad) {
    assert.throws(() => decodeClearBody('tombstone', bytes(members)), Malformed)
  }
  assert.throws(() => decodeClearBody(9, bytes(good)), Malformed)
  assert.throws(() => decodeClearBody('readings', bytes(good)), Malformed)
})

test('arbitrary and bent clear bodies are refused by our own word only', () => {
  const kinds = fc.constantFrom(...sampleStatements)
  const reads = (body: ClearBody, bytes: Uint8Array) => {
    try {
      decodeClearBody(body.kind, bytes)
    } catch (error) {
      assert.ok(error instanceof Malformed, String(error))
    }
  }
  fc.assert(fc.property(kinds, fc.uint8Array({ maxLength: 120 }), reads))
  fc.assert(
    fc.property(kinds, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, bits) => {
      const bytes = encodeClearBody(body)
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bits
      reads(body, bytes)
    }),
  )
})

test('a header without readings has no count, root or commitment; one with readings has some', () => {
  const [generation] = sampleStatements.filter(({ kind }) => kind === 'generation')
  assert.ok(generation)
  const clear = statementHeader(generation, {})
  for (const over of [{ count: 1 }, { root: secretOf(1) }, { commitment: secretOf(1) }]) {
    assert.throws(() => decodeHeader(encodeHeader({ ...clear, ...over })), Malformed)
  }
  const { header } = sampleEpoch({ count: 1 })
  assert.throws(() => decodeHeader(encodeHeader({ ...header, count: 0 })), Malformed)
  assert.equal(decodeHeader(encodeHeader({ ...clear, kind: 9, count: 4 })).kind, 9)
})

test('the boot in a clock map is sixteen bytes', () => {
  const [, clockMap] = sampleStatements
  assert.ok(clockMap?.kind === 'clock map')
  assert.equal(clockMap.boot, boot)
  const bytes = Buffer.from(encodeClearBody(clockMap))
  assert.ok(bytes.includes(Buffer.from(unhex(boot))))
})

function signed(said: ClearBody, over: Partial<Header>): Uint8Array {
  const body = encodeClearBody(said)
  const header = statementHeader(said, { bodyBytes: body.length, bodyHash: sha256(body), ...over })
  const headerBytes = encodeHeader(header)
  return encodeMessage({
    headerBytes,
    signature: sign(headerDigest(headerBytes), deviceSecret),
    body,
  })
}
