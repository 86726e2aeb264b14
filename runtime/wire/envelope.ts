/**
 * The sealed body of an epoch: COSE_Encrypt0 (RFC 9052 §5.2) with A256GCM around a CBOR sequence
 * (RFC 8742) of its packs, padded by one byte string to a multiple of 256 bytes, so that lengths tell
 * little of the values.
 *
 *   16([ << {1: 3} >>, {5: nonce}, ciphertext ])      external AAD: the 96 bytes of the epoch's place
 */
import { gcmOpen, gcmSeal } from '#crypto'
import { concat, equal } from './bytes.ts'
import { type Cbor, decodeCbor, decodeCborFirst, encodeCbor } from './cbor.ts'
import { Malformed, must } from './malformed.ts'

export const padding = 256
export const nonceSize = 12

export type ToSeal = {
  readonly content: Uint8Array
  /** 12 random bytes, never used twice with one content key. */
  readonly nonce: Uint8Array
  readonly place: Uint8Array
  readonly packs: readonly Uint8Array[]
}

export function sealBody({ content, nonce, place, packs }: ToSeal): Uint8Array {
  const plain = padded(concat(...packs))
  const sealed = gcmSeal(content, nonce, plain, additionalData(place))
  const headers = new Map([[ivLabel, nonce]])
  return concat(encrypt0Tag, encodeCbor([protectedHeader, headers, sealed]))
}

/** The packs of a body, in their order. Throws Malformed for another key, another place, or one flipped bit. */
export function openBody(body: Uint8Array, content: Uint8Array, place: Uint8Array): Uint8Array[] {
  const { nonce, sealed } = readEncrypt0(body)
  const plain = gcmOpen(content, nonce, sealed, additionalData(place))
  if (plain === undefined) throw new Malformed('body: does not open with this key at this place')
  return splitPacks(plain)
}

function readEncrypt0(body: Uint8Array): { nonce: Uint8Array; sealed: Uint8Array } {
  must(body[0] === encrypt0Tag[0], 'body: not a COSE_Encrypt0')
  const parts = decodeCbor(body.subarray(1), 'body')
  must(Array.isArray(parts) && parts.length === 3, 'body: not a COSE_Encrypt0')
  const [shielded, headers, sealed] = parts as readonly Cbor[]
  must(
    shielded instanceof Uint8Array && equal(shielded, protectedHeader),
    'body: not sealed with A256GCM',
  )
  must(headers instanceof Map && headers.size === 1, 'body: COSE headers beyond the nonce')
  const nonce = headers.get(ivLabel)
  must(nonce instanceof Uint8Array && nonce.length === nonceSize, 'body: a nonce is 12 bytes')
  must(sealed instanceof Uint8Array, 'body: no ciphertext')
  return { nonce, sealed }
}

function splitPacks(plain: Uint8Array): Uint8Array[] {
  must(plain.length % padding === 0 && plain.length > 0, 'body: not padded')
  const packs: Uint8Array[] = []
  let rest = plain
  for (;;) {
    const [value, behind] = decodeCborFirst(rest, 'body')
    if (value instanceof Uint8Array) {
      must(behind.length === 0, 'body: bytes behind the padding')
      must(
        value.every((byte) => byte === 0),
        'body: padding is not zero',
      )
      return packs
    }
    packs.push(rest.slice(0, rest.length - behind.length))
    must(behind.length > 0, 'body: no padding')
    rest = behind
  }
}

/** The sequence with one byte string of zeros behind it; some lengths need a longer spelling of its head. */
function padded(packs: Uint8Array): Uint8Array {
  for (let zeros = 0; ; zeros += 1) {
    const head = zeros < 24 ? 1 : zeros < 256 ? 2 : 3
    if ((packs.length + head + zeros) % padding === 0) {
      return concat(packs, encodeCbor(new Uint8Array(zeros)))
    }
  }
}

/** Enc_structure (RFC 9052 §5.3): what GCM authenticates beside the ciphertext. */
function additionalData(place: Uint8Array): Uint8Array {
  return encodeCbor(['Encrypt0', protectedHeader, place])
}

/** COSE tag 16 (RFC 9052 §5.2). */
const encrypt0Tag = Uint8Array.of(0xd0)
/** Header label 5: IV (RFC 9052 §3.1). */
const ivLabel = 5
/** {1: 3}: algorithm A256GCM (RFC 9053 §4.1). */
const protectedHeader = encodeCbor(new Map([[1, 3]]))
