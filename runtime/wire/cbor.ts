/**
 * CBOR in its one deterministic spelling (RFC 8949 §4.2.1): shortest heads, definite lengths, keys sorted
 * bytewise, no duplicate keys, no `undefined`, no NaN or infinity. What is spelled otherwise is refused, so
 * that equal values have equal bytes and equal hashes.
 */
import { decodeFirst, encode, rfc8949EncodeOptions } from 'cborg'
import { equal } from './bytes.ts'
import { Malformed, must } from './malformed.ts'

/** What our CBOR carries; every map comes back as a `Map`. */
export type Cbor =
  | number
  | bigint
  | boolean
  | string
  | null
  | Uint8Array
  | readonly Cbor[]
  | CborMap

export type CborMap = ReadonlyMap<number | string, Cbor>

export function encodeCbor(value: Cbor): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/** The one value in these bytes; `what` names it in the refusal. Throws Malformed. */
export function decodeCbor(bytes: Uint8Array, what: string): Cbor {
  const [value, rest] = decodeCborFirst(bytes, what)
  must(rest.length === 0, `${what}: bytes follow the CBOR value`)
  return value
}

/** The first value of a CBOR sequence (RFC 8742) and the bytes behind it. Throws Malformed. */
export function decodeCborFirst(
  bytes: Uint8Array,
  what: string,
): readonly [value: Cbor, rest: Uint8Array] {
  let first: readonly [Cbor, Uint8Array]
  let again: Uint8Array
  try {
    first = decodeFirst(bytes, strict) as [Cbor, Uint8Array]
    // Keys that are neither number nor text decode, and throw here.
    again = encodeCbor(first[0])
  } catch (cause) {
    throw new Malformed(`${what}: not CBOR as we write it`, cause)
  }
  const [value, rest] = first
  const size = bytes.length - rest.length
  must(equal(again, bytes.subarray(0, size)), `${what}: CBOR is not deterministic`)
  return [value, rest]
}

const strict = {
  strict: true,
  useMaps: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  rejectDuplicateMapKeys: true,
}
