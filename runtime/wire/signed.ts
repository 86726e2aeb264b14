/**
 * Signed JSON documents: offer, setup, index.
 *
 *   {"<kind>": {…}, "signature": "0x…"}     over SHA-256("wayside/1 <kind>\0" ‖ JCS of the document)
 *
 * A document may be re-indented on its way; its canonical form, and with it its hash, stays.
 */
import { recover, sha256 } from '#crypto'
import type { Address } from './address.ts'
import { type Hex, hex, text, unhex, utf8 } from './bytes.ts'
import { type Json, jcs } from './jcs.ts'
import { Malformed, must } from './malformed.ts'

export type DocumentKind = 'offer' | 'setup' | 'index'

export const documentBytesMax = 256 * 1024

export type SignedDocument = {
  readonly document: Json
  readonly signer: Address
  /** SHA-256 of the JCS of the whole signed document, signature included. */
  readonly hash: Uint8Array
}

/** The document's text with its signature; `sign` takes a digest and gives r‖s‖v. */
export function signDocument(
  kind: DocumentKind,
  document: Json,
  sign: (digest: Uint8Array) => Uint8Array,
): string {
  const signature: Hex = hex(sign(digestOf(kind, document)))
  return text(jcs({ [kind]: document, signature }))
}

/** As `signDocument`, for a signer that must be awaited. */
export async function signDocumentAsync(
  kind: DocumentKind,
  document: Json,
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const signature: Hex = hex(await sign(digestOf(kind, document)))
  return text(jcs({ [kind]: document, signature }))
}

/** Reads a signed document and says who signed it. Throws Malformed. */
export function readDocument(kind: DocumentKind, payload: Uint8Array): SignedDocument {
  must(payload.length <= documentBytesMax, `${kind}: larger than ${documentBytesMax} bytes`)
  const whole = parse(kind, payload)
  must(isObject(whole), `${kind}: not an object`)
  const { [kind]: document, signature, ...more } = whole
  must(
    document !== undefined && Object.keys(more).length === 0,
    `${kind}: not {${kind}, signature}`,
  )
  must(
    typeof signature === 'string' && /^0x[0-9a-f]{130}$/.test(signature),
    `${kind}: a signature is 65 bytes`,
  )
  const signer = recover(digestOf(kind, document), unhex(signature))
  must(signer !== undefined, `${kind}: not a signature`)
  return { document, signer, hash: sha256(jcs(whole)) }
}

function digestOf(kind: DocumentKind, document: Json): Uint8Array {
  return sha256(utf8(`wayside/1 ${kind}\0`), jcs(document))
}

function parse(kind: DocumentKind, payload: Uint8Array): Json {
  try {
    const value = JSON.parse(text(payload)) as Json
    // A lone surrogate or a number past the range has no canonical spelling; better here than later.
    jcs(value)
    return value
  } catch (cause) {
    throw new Malformed(`${kind}: not JSON`, cause)
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
