/** What a peer may write so that reading it costs much, or ends in something else than Malformed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sign } from '#crypto'
import { judge } from '../../runtime/buyer/proof.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'
import {
  type Cbor,
  cborItemsMax,
  decodeCbor,
  encodeCbor,
  nestingMax,
} from '../../runtime/wire/cbor.ts'
import { decodeGrants } from '../../runtime/wire/grant.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { decodePack, encodePack } from '../../runtime/wire/reading.ts'
import { shown } from '../../runtime/wire/shown.ts'
import { documentBytesMax, readDocument, signDocument } from '../../runtime/wire/signed.ts'
import { boot, device, deviceSecret, sampleReading } from './sample.ts'
import { sampleOffer } from './sampledocuments.ts'

const byDevice = (digest: Uint8Array) => sign(digest, deviceSecret)
const nested = (levels: number): Cbor => (levels === 0 ? 0 : [nested(levels - 1)])

test('CBOR nests so deep and no deeper, whatever it nests', () => {
  const deepest = encodeCbor(nested(nestingMax))
  assert.deepEqual(encodeCbor(decodeCbor(deepest, 'deep')), deepest)
  for (const levels of [nestingMax + 1, 1_000, 1_000_000]) {
    for (const head of [0x81, 0xa1, 0xc1, 0x9f]) {
      const bytes = new Uint8Array(levels + 1).fill(head, 0, levels)
      assert.throws(() => decodeCbor(bytes, 'deep'), Malformed)
    }
  }
})

test('CBOR that announces more than it may hold is refused before it is built', () => {
  for (const filling of [0x00, 0x80, 0xa0, 0x40, 0x60]) {
    const bytes = new Uint8Array(8 << 20).fill(filling)
    bytes[0] = 0x9a
    new DataView(bytes.buffer).setUint32(1, bytes.length - 5)
    const before = process.memoryUsage().rss
    // Our own time, not that of a machine that others use too.
    const started = process.cpuUsage()
    assert.throws(() => decodeGrants(bytes), Malformed)
    const { user } = process.cpuUsage(started)
    assert.ok(user < 1_000_000, `${user} µs`)
    assert.ok(process.memoryUsage().rss - before < 64 << 20)
  }
  const most = encodeCbor(Array.from({ length: cborItemsMax - 1 }, () => 0))
  assert.ok(Array.isArray(decodeCbor(most, 'list')))
})

test('counting what CBOR announces refuses nothing that we write', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.string(),
    fc.uint8Array({ maxLength: 300 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  const { value } = fc.letrec<{ value: Cbor }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('value'), { maxLength: 30 }),
      fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 8 }).map((all) => new Map(all)),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => {
      const bytes = encodeCbor(given)
      assert.deepEqual(encodeCbor(decodeCbor(bytes, 'any')), bytes)
    }),
    { numRuns: 200 },
  )
})

test('a signed document of nothing but brackets is read or Malformed', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const levels = Math.floor((documentBytesMax - 200) / (open.length + close.length))
    const deep = open.repeat(levels) + (open === '[' ? '' : '1') + close.repeat(levels)
    const text = `{"offer":${deep},"signature":"0x${'00'.repeat(65)}"}`
    assert.throws(() => readDocument('offer', utf8(text)), Malformed)
    assert.throws(() => readDocument('offer', utf8(text.slice(0, -100))), Malformed)
  }
})

test('names that JavaScript has a meaning for are members like any other', () => {
  const strange = JSON.parse(
    '{"__proto__":{"streams":7,"polluted":1},"constructor":{"prototype":1}}',
  )
  const document = JSON.parse(JSON.stringify(sampleOffer))
  for (const name of Object.keys(strange)) {
    const value = strange[name]
    const place = { value, enumerable: true, configurable: true, writable: true }
    Object.defineProperty(document, name, place)
  }
  const { offer } = readOffer(utf8(signDocument('offer', document, byDevice)))
  assert.equal(Object.getPrototypeOf(offer), Object.prototype)
  assert.deepEqual(offer.streams, sampleOffer.streams)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a pack of a time that no calendar has is Malformed, the last one that has is read', () => {
  const last = { ...sampleReading(0), wallMs: 8.64e15 }
  assert.equal(decodePack(encodePack(last, device), boot).reading.wallMs, 8.64e15)
  for (const wallMs of [8.64e15 + 2_000, 1e300]) {
    const pack = encodePack({ ...sampleReading(0), wallMs }, device)
    assert.throws(() => decodePack(pack, boot), Malformed)
  }
})

test('evidence of any bytes is judged, never thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.equal(judge(bytes).ok, false)
    }),
  )
})

test('what is shown of a stranger moves no cursor, begins no line and turns no writing round', () => {
  assert.equal(
    shown('USDC\u001b[2J\r\nowned\u009b1m\u202eab\u2028'),
    String.raw`USDC\u{1b}[2J\u{d}\u{a}owned\u{9b}1m\u{202e}ab\u{2028}`,
  )
  assert.equal(shown('12 µg/m³, größer als 5 °C – 東京'), '12 µg/m³, größer als 5 °C – 東京')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(shown(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})
