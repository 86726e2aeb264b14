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
  bound(bytes, what)
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

/** How deep our values nest at most, with room for later versions; a decoder recurses no further. */
export const nestingMax = 16

/** Items in one value: the largest books have half of them. */
export const cborItemsMax = 131_072

/**
 * Counts what the heads announce before anything is built: a megabyte of empty maps would take a second and
 * two hundred megabytes to find wanting. What is no CBOR at all is left to the decoder.
 */
function bound(bytes: Uint8Array, what: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  /** Items still to come, of each level that is open. */
  const open = [1]
  let at = 0
  for (let items = 0; open.length > 0; items += 1) {
    while (open.at(-1) === 0) open.pop()
    if (open.length === 0 || at >= bytes.length) return
    must(items < cborItemsMax, `${what}: more than ${cborItemsMax} items`)
    open[open.length - 1] = (open.at(-1) as number) - 1
    const type = (bytes[at] as number) >> 5
    const { value, size } = head(view, at)
    at += size
    if (type === 2 || type === 3) at += value
    else if (type >= 4 && type <= 6) open.push(type === 4 ? value : type === 5 ? 2 * value : 1)
    must(open.length <= nestingMax + 1, `${what}: nested deeper than ${nestingMax}`)
  }
}

/** The argument of the head at `at` (RFC 8949 §3) and how many bytes the head has. */
function head(view: DataView, at: number): { readonly value: number; readonly size: number } {
  const info = view.getUint8(at) & 0x1f
  const size = info < 24 ? 1 : 1 + 2 ** (info - 24)
  // Cut short, reserved or indefinite: nothing behind it is read.
  if (info > 27 || at + size > view.byteLength) return { value: 0, size: view.byteLength }
  if (info < 24) return { value: info, size }
  if (info === 24) return { value: view.getUint8(at + 1), size }
  if (info === 25) return { value: view.getUint16(at + 1), size }
  if (info === 26) return { value: view.getUint32(at + 1), size }
  return { value: Number(view.getBigUint64(at + 1)), size }
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
