/**
 * An epoch as it travels: header ‖ signature ‖ body, and what opening one proves.
 *
 * `decodeMessage` needs no key: it shows who signed, and that body and header belong together.
 * `openEpoch` needs the epoch's leaf of the key tree: it returns readings only when commitment, seal,
 * root, count and every pack's name agree with the signed header.
 */
import { recover, sha256 } from '#crypto'
import type { Address } from './address.ts'
import { concat, equal } from './bytes.ts'
import { openBody } from './envelope.ts'
import {
  decodeHeader,
  encodePlace,
  type Header,
  headerDigest,
  headerSize,
  interruptedSize,
  signatureSize,
  zeroHash,
} from './header.ts'
import { epochKeys, salts } from './keytree.ts'
import { must } from './malformed.ts'
import { leafHash, proofTree } from './merkle.ts'
import { decodePack, type Reading } from './reading.ts'
import { treeHeadDigest } from './treehead.ts'

export type Sealed = {
  readonly headerBytes: Uint8Array
  /** r‖s‖v over `headerDigest`. */
  readonly signature: Uint8Array
  readonly body: Uint8Array
}

export type Message = Sealed & {
  readonly header: Header
  /** Whose key signed; whether that key speaks for the device is the enrolment's word. */
  readonly signer: Address
}

export function encodeMessage({ headerBytes, signature, body }: Sealed): Uint8Array {
  return concat(headerBytes, signature, body)
}

/** Reads what came on `s/<stream>/epoch`. Throws Malformed. */
export function decodeMessage(bytes: Uint8Array): Message {
  must(bytes.length >= headerSize + signatureSize, 'epoch: shorter than a header')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(2)
  must(length >= headerSize && length <= interruptedSize, 'epoch: no header has this length')
  must(bytes.length >= length + signatureSize, 'epoch: shorter than its header says')
  const headerBytes = bytes.slice(0, length)
  const signature = bytes.slice(length, length + signatureSize)
  const body = bytes.slice(length + signatureSize)
  const { header, signer } = checkHeader(headerBytes, signature)
  must(body.length === header.bodyBytes, 'epoch: the body is not as long as signed')
  must(equal(sha256(body), header.bodyHash), 'epoch: the body is not the one that was signed')
  return { header, headerBytes, signature, body, signer }
}

/** A header with its signature: who signed it. An interrupted one's tree head must be the same key's. */
export function checkHeader(
  headerBytes: Uint8Array,
  signature: Uint8Array,
): { readonly header: Header; readonly signer: Address } {
  const header = decodeHeader(headerBytes)
  const signer = recover(headerDigest(headerBytes), signature)
  must(signer !== undefined, 'header: not a signature')
  if (header.interrupted !== undefined) {
    const { boot, count, root, closedMonotonicMs: monotonicMs } = header
    const head = treeHeadDigest({ place: encodePlace(header), boot, count, root, monotonicMs })
    must(
      recover(head, header.interrupted.headSignature) === signer,
      'header: its last tree head is not by the same key',
    )
  }
  return { header, signer }
}

export type Opened = {
  readonly readings: readonly Reading[]
  readonly packs: readonly Uint8Array[]
  readonly salts: readonly Uint8Array[]
}

/** True when this kind of header has a sealed body with readings and a price. */
export function carriesReadings(header: Header): boolean {
  return header.kind === 'readings' || header.kind === 'interrupted'
}

/** Opens an epoch with its leaf of the key tree. Throws Malformed when anything disagrees. */
export function openEpoch(message: Sealed & { readonly header: Header }, leaf: Uint8Array): Opened {
  const { header, body } = message
  must(carriesReadings(header), 'epoch: carries no readings')
  const keys = epochKeys(leaf)
  must(equal(keys.commitment, header.commitment), 'key: not the one that the header commits to')
  const packs = openBody(body, keys.content, encodePlace(header))
  must(packs.length === header.count, 'epoch: another number of readings than signed')
  const salty = salts(keys.salt, packs.length)
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] ?? zeroHash, pack))
  must(equal(tree.root(), header.root), 'epoch: the readings are not the ones that were signed')
  const readings = packs.map((pack) => readingOf(pack, header))
  return { readings, packs, salts: salty }
}

/** The reading in a pack of this epoch; its name must be the epoch's. Throws Malformed. */
export function readingOf(pack: Uint8Array, header: Header): Reading {
  const { device, reading } = decodePack(pack, header.boot)
  must(device === header.device, 'pack: names another device than its epoch')
  must(reading.stream === header.stream, 'pack: names another stream than its epoch')
  return reading
}
