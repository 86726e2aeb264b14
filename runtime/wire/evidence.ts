/**
 * Evidence: everything that proves one reading, in one CBOR map of under 2 kB.
 *
 *   { "v": 1, "pack", "salt", "index", "path": [hash…], "header", "signature", "enrolment"? }
 *
 * It shows one salt and nothing of the other readings. Whoever checks it needs no network: the answer is
 * "signed by K, whom operator O enrolled as D".
 */
import type { Address } from './address.ts'
import { equal } from './bytes.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from './cbor.ts'
import { type Enrolment, readEnrolment } from './enrolment.ts'
import { carriesReadings, checkHeader, readingOf } from './epoch.ts'
import { type Header, signatureSize } from './header.ts'
import { saltSize } from './keytree.ts'
import { must } from './malformed.ts'
import { leafHash, rootOf } from './merkle.ts'
import type { Reading } from './reading.ts'

export type Evidence = {
  readonly pack: Uint8Array
  readonly salt: Uint8Array
  readonly index: number
  readonly path: readonly Uint8Array[]
  readonly headerBytes: Uint8Array
  readonly signature: Uint8Array
  /** 133 bytes; without it the device's own first key must have signed. */
  readonly enrolment?: Uint8Array
}

/** What the evidence proves. */
export type Proof = {
  readonly reading: Reading
  readonly device: Address
  readonly signer: Address
  readonly header: Header
  readonly index: number
  readonly enrolment?: Enrolment
}

export const evidenceBytesMax = 64 * 1024

export function makeEvidence(evidence: Evidence): Uint8Array {
  const { pack, salt, index, path, headerBytes, signature, enrolment } = evidence
  const map = new Map<string, Cbor>([
    ['v', 1],
    ['pack', pack],
    ['salt', salt],
    ['index', index],
    ['path', path],
    ['header', headerBytes],
    ['signature', signature],
  ])
  if (enrolment !== undefined) map.set('enrolment', enrolment)
  return encodeCbor(map)
}

/** Checks evidence wholly. Throws Malformed with the first thing that does not hold. */
export function checkEvidence(bytes: Uint8Array): Proof {
  const evidence = readEvidence(bytes)
  const { header, signer } = checkHeader(evidence.headerBytes, evidence.signature)
  must(carriesReadings(header), 'evidence: a header without readings')
  const leaf = leafHash(evidence.salt, evidence.pack)
  const root = rootOf(leaf, evidence.index, header.count, evidence.path)
  must(equal(root, header.root), 'evidence: the reading is not in the signed epoch')
  const reading = readingOf(evidence.pack, header)
  const proof = { reading, device: header.device, signer, header, index: evidence.index }
  if (evidence.enrolment === undefined) {
    must(signer === header.device, 'evidence: signed by a key that nobody enrolled')
    return proof
  }
  const enrolment = readEnrolment(evidence.enrolment)
  must(enrolment.device === header.device, 'evidence: the enrolment is of another device')
  must(enrolment.signingKey === signer, 'evidence: signed by another key than was enrolled')
  return { ...proof, enrolment }
}

function readEvidence(bytes: Uint8Array): Evidence {
  must(bytes.length <= evidenceBytesMax, `evidence: larger than ${evidenceBytesMax} bytes`)
  const map = decodeCbor(bytes, 'evidence')
  must(map instanceof Map, 'evidence: not a map')
  must(
    [...map.keys()].every((key) => known.includes(String(key))),
    'evidence: a part that this version does not know',
  )
  must(map.get('v') === 1, 'evidence: not version 1')
  const index = map.get('index')
  must(Number.isSafeInteger(index), 'evidence: the index is not a number')
  const path = map.get('path')
  must(Array.isArray(path) && path.length <= 32, 'evidence: no path')
  must(
    path.every((part) => part instanceof Uint8Array),
    'evidence: a path is hashes',
  )
  const enrolment = map.has('enrolment') ? { enrolment: part(map, 'enrolment') } : {}
  return {
    pack: part(map, 'pack'),
    salt: part(map, 'salt', saltSize),
    index: index as number,
    path: path as Uint8Array[],
    headerBytes: part(map, 'header'),
    signature: part(map, 'signature', signatureSize),
    ...enrolment,
  }
}

function part(map: CborMap, name: string, size?: number): Uint8Array {
  const value = map.get(name)
  must(value instanceof Uint8Array, `evidence: no ${name}`)
  must(size === undefined || value.length === size, `evidence: ${name} is not ${size} bytes`)
  return value
}

const known = ['v', 'pack', 'salt', 'index', 'path', 'header', 'signature', 'enrolment']
