import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sign } from '#crypto'
import { hex, utf8 } from '../../runtime/wire/bytes.ts'
import { readEnrolment } from '../../runtime/wire/enrolment.ts'
import type { Json } from '../../runtime/wire/jcs.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { readSetup } from '../../runtime/wire/setup.ts'
import { readIndex } from '../../runtime/wire/shelf.ts'
import { documentBytesMax, readDocument, signDocument } from '../../runtime/wire/signed.ts'
import { isFree, termsHash } from '../../runtime/wire/terms.ts'
import { everyOffer, parseTopic, topics } from '../../runtime/wire/topic.ts'
import { device, deviceSecret, enrolled, operator, operatorSecret, secretOf } from './sample.ts'
import { grown, sampleIndex, sampleOffer, sampleSetup } from './sampledocuments.ts'

const byDevice = (digest: Uint8Array) => sign(digest, deviceSecret)
const someHash = hex(secretOf('manifest'))
const byOperator = (digest: Uint8Array) => sign(digest, operatorSecret)

test('an offer reads back, says who signed it, and carries its enrolment', async () => {
  const offer = { ...sampleOffer, enrolment: hex(await enrolled()) }
  const read = readOffer(utf8(signDocument('offer', offer, byDevice)))
  assert.deepEqual(read.offer, offer)
  assert.equal(read.signer, device)
  assert.equal(read.enrolment?.operator, operator)
})

test('an offer may be re-indented and re-ordered on its way', () => {
  const text = signDocument('offer', sampleOffer, byDevice)
  const { offer, signature } = JSON.parse(text) as { offer: object; signature: string }
  const turned = Object.fromEntries(Object.entries(offer).reverse())
  const other = JSON.stringify({ signature, offer: turned }, null, 4)
  assert.deepEqual(readOffer(utf8(other)).offer, sampleOffer)
})

test('an offer by a stranger, of another kind, or with one changed price is refused', () => {
  const text = signDocument('offer', sampleOffer, byDevice)
  for (const bent of [
    signDocument('offer', sampleOffer, byOperator),
    signDocument('setup', sampleOffer, byDevice),
    text.replace('"360"', '"361"'),
    `${text} x`,
    '[]',
    'null',
    '{"offer":{}}',
  ]) {
    assert.throws(() => readOffer(utf8(bent)), Malformed, bent.slice(0, 60))
  }
})

test('members that a later version adds, at any depth, are passed over and stand under the hash', () => {
  const full = { ...sampleOffer.streams[0], model: { name: 'm', version: '1', digest: someHash } }
  const offer = grown({ ...sampleOffer, streams: [full] })
  const [entry] = readOffer(utf8(signDocument('offer', offer, byDevice))).offer.streams
  assert.ok(entry)
  assert.deepEqual(termsHash(entry), termsHash(grown(full) as typeof entry))
  const labels = { pm1: 'Fine dust' }
  const driver = { ...sampleSetup.driver, check: 'sum of 16 bits' }
  const setup = grown({ ...sampleSetup, driver, labels } as Json)
  assert.deepEqual(readSetup(utf8(signDocument('setup', setup, byDevice))).setup, setup)
  const index = grown(sampleIndex as Json)
  assert.deepEqual(readIndex(utf8(signDocument('index', index, byDevice))).index, index)
})

test('the hash of terms does not depend on the order of their members, and on nothing less', () => {
  const [terms] = sampleOffer.streams
  assert.ok(terms)
  const turned = Object.fromEntries(Object.entries(terms).reverse()) as typeof terms
  assert.deepEqual(termsHash(turned), termsHash(terms))
  const dearer = { ...terms, price: { ...terms.price, amount: '361' } }
  assert.notDeepEqual(termsHash(dearer), termsHash(terms))
  assert.ok(!isFree(terms))
})

test('a setup reads back with the hash that headers name', () => {
  const text = signDocument('setup', sampleSetup, byDevice)
  const read = readSetup(utf8(text))
  assert.deepEqual(read.setup, sampleSetup)
  assert.deepEqual(read.hash, readSetup(utf8(JSON.stringify(JSON.parse(text), null, 2))).hash)
})

test('an enrolment is the operator’s word and nobody else’s', async () => {
  const bytes = await enrolled()
  assert.equal(readEnrolment(bytes).operator, operator)
  for (let at = 0; at < bytes.length; at += 1) {
    const bent = bytes.slice()
    bent[at] = (bent[at] ?? 0) ^ 1
    assert.throws(() => readEnrolment(bent), Malformed)
  }
})

test('a document is read up to its bound, and not a byte beyond', () => {
  const padded = (length: number) => {
    const made = (pad: number) => utf8(signDocument('setup', { pad: 'x'.repeat(pad) }, byDevice))
    return made(length - made(0).length)
  }
  assert.equal(readDocument('setup', padded(documentBytesMax)).signer, device)
  assert.throws(() => readDocument('setup', padded(documentBytesMax + 1)), /larger than/)
})

test('hostile text is refused by our own word only', () => {
  for (const read of [readOffer, readSetup, readIndex]) {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        assert.throws(() => read(utf8(text)), Malformed)
      }),
    )
    fc.assert(
      fc.property(fc.json(), (inner) => {
        const text = `{"offer":${inner},"signature":"0x${'1'.repeat(130)}"}`
        assert.throws(() => read(utf8(text)), Malformed)
      }),
    )
  }
})

test('every topic parses to what made it, and nothing else parses', () => {
  const all = topics(device)
  const session = '00112233445566778899aabbccddeeff'
  const single = ['status', 'offer', 'index', 'ask', 'grant', 'ack', 'sold', 'enrolment'] as const
  for (const kind of single) assert.deepEqual(parseTopic(all[kind]), { seller: device, kind })
  for (const kind of ['setup', 'epoch', 'open'] as const) {
    assert.deepEqual(parseTopic(all[kind]('air')), { seller: device, kind, stream: 'air' })
  }
  for (const kind of ['keys', 'answer'] as const) {
    assert.deepEqual(parseTopic(all[kind](session)), { seller: device, kind, session })
  }
  assert.match(all.offer, new RegExp(everyOffer.replace('+', '[^/]+')))
  for (const topic of [
    '',
    'wayside/1',
    `wayside/2/${device}/offer`,
    `${all.offer}/x`,
    `${all.ask}s`,
  ]) {
    assert.equal(parseTopic(topic), undefined)
  }
  fc.assert(fc.property(fc.string(), (text) => parseTopic(text) === undefined))
})
