/** Signed documents that a reader must refuse. */
import { sign } from '#crypto'
import type { Json } from '../../../runtime/wire/jcs.ts'
import { type DocumentKind, signDocument } from '../../../runtime/wire/signed.ts'
import { deviceSecret, operatorSecret, secretOf } from '../../wire/sample.ts'
import { sampleIndex, sampleOffer, sampleSetup } from '../../wire/sampledocuments.ts'
import type { Refused } from './refused.ts'

export function refusedDocuments(): Refused[] {
  const [terms] = sampleOffer.streams
  const [field] = terms?.fields ?? []
  const [rail] = sampleOffer.rails
  const offer = (over: object, secret = deviceSecret) =>
    signed('offer', { ...sampleOffer, ...over }, secret)
  const stream = (over: object) => offer({ streams: [{ ...terms, ...over }] })
  const setup = (over: object) => signed('setup', { ...sampleSetup, ...over })
  const shelf = (over: object) =>
    signed('index', { ...sampleIndex, streams: [{ ...sampleIndex.streams[0], ...over }] })
  const beside = offer({}).replace('"signature"', '"more":1,"signature"')
  const bad: [DocumentKind, string, string][] = [
    ['offer', 'is no JSON', offer({}).slice(1)],
    ['offer', 'has a member beside the two', beside],
    ['offer', 'has a signature in capitals', offer({}).replace(/[0-9a-f]{130}/, upper)],
    ['offer', 'is signed by another key than it names', offer({}, secretOf('another'))],
    ['offer', 'is signed by its operator', offer({}, operatorSecret)],
    ['offer', 'names a key that nobody enrolled', offer({ device: sampleOffer.operator })],
    ['offer', 'has no version', offer({ version: undefined })],
    ['offer', 'has a version below zero', offer({ version: -1 })],
    ['offer', 'spells an address in capitals', offer({ receiver: capitals(sampleOffer.receiver) })],
    ['offer', 'has a stream twice', offer({ streams: [terms, terms] })],
    ['offer', 'has a chain without number', offer({ rails: [{ ...rail, chainId: 0 }] })],
    ['offer', 'has 17 rails', offer({ rails: Array.from({ length: 17 }, () => rail) })],
    ['offer', 'has a stream that begins with a digit', stream({ stream: '1air' })],
    ['offer', 'has a stream without fields', stream({ fields: [] })],
    ['offer', 'has a field of an unknown unit', stream({ fields: [{ ...field, unit: 'parsec' }] })],
    ['offer', 'has a field of an unknown type', stream({ fields: [{ ...field, type: 'date' }] })],
    ['offer', 'has a resolution of zero', stream({ fields: [{ ...field, resolution: 0 }] })],
    ['offer', 'has epochs of 99 ms', stream({ epochMs: 99 })],
    ['offer', 'has a price with a leading zero', stream({ price: { amount: '0360', perMs: 1 } })],
    ['offer', 'has a price as a number', stream({ price: { amount: 360, perMs: 1 } })],
    ['offer', 'has a price per no time', stream({ price: { amount: '360', perMs: 0 } })],
    ['setup', 'has no product', setup({ product: undefined })],
    ['setup', 'is north of the pole', setup({ place: { lat: 90.1, lon: 0 } })],
    ['setup', 'labels what is no field', setup({ labels: { 'a/b': 'a' } })],
    ['index', 'has a mark without number', shelf({ first: { monotonicMs: 0 } })],
    ['index', 'has a number past 32 bits', shelf({ last: { number: 2 ** 32, monotonicMs: 0 } })],
    ['index', 'has a last hash without 0x', shelf({ lastHash: 'a1'.repeat(32) })],
  ]
  return bad.map(([of, that, text]) => ({ of, that, text }))
}

function signed(kind: DocumentKind, document: object, secret = deviceSecret): string {
  return signDocument(kind, document as Json, (digest) => sign(digest, secret))
}

const upper = (text: string) => text.toUpperCase()
const capitals = (address: string) => `0x${upper(address.slice(2))}`
