import canonicalize from 'canonicalize'
import { utf8 } from './bytes.ts'
import { must } from './malformed.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** The one spelling of a JSON value (JSON Canonicalization Scheme, RFC 8785), as UTF-8. */
export function jcs(value: Json): Uint8Array {
  const text = canonicalize(value)
  must(text !== undefined, 'JSON: a value that has no canonical spelling')
  return utf8(text)
}
