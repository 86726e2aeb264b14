/** The shapes that several signed documents share, as zod schemas. */
import { z } from 'zod'
import { type Address, parseAddress } from './address.ts'
import type { Hex } from './bytes.ts'
import type { Json } from './jcs.ts'
import { Malformed } from './malformed.ts'
import { isFieldName, isStreamName } from './reading.ts'
import { isUnit, type Unit } from './units.ts'

export const address = z.custom<Address>(
  (value) => typeof value === 'string' && parseAddress(value) === value,
  'an address is 0x and 40 lower-case hex digits',
)

export const hash = z.custom<Hex>(
  (value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value),
  'a hash is 0x and 64 lower-case hex digits',
)

export const streamName = z.custom<string>(
  (value) => typeof value === 'string' && isStreamName(value),
  'a stream name is a small letter, then up to 31 of a-z 0-9 _ . -',
)

export const fieldName = z.custom<string>(
  (value) => typeof value === 'string' && isFieldName(value),
  'a field name is up to 64 of A-Z a-z 0-9 _ . : -',
)

export const unit = z.custom<Unit>(
  (value) => typeof value === 'string' && isUnit(value),
  'a unit of the SenML registry',
)

/** An amount in the token's smallest unit, as decimal digits: JSON numbers end at 2^53. */
export const amount = z.string().regex(/^(0|[1-9][0-9]{0,38})$/, 'an amount is decimal digits')

export const uint32 = z.number().int().min(0).max(0xffff_ffff)
export const uintMs = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/**
 * An object of a document, at any depth: members that a later version adds are passed over and kept, because
 * the hash is over the document as it was signed.
 */
export function members<T extends z.ZodRawShape>(
  shape: T,
): z.ZodType<z.infer<z.ZodObject<T, z.core.$strict>>> {
  return z.looseObject(shape) as unknown as z.ZodType<z.infer<z.ZodObject<T, z.core.$strict>>>
}

/** The document in its type. Throws Malformed with the place and the rule, never the value. */
export function shaped<T>(schema: z.ZodType<T>, document: Json, what: string): T {
  const read = schema.safeParse(document)
  if (read.success) return read.data
  const [first] = read.error.issues
  const place = first?.path.join('.') ?? ''
  throw new Malformed(`${what}${place === '' ? '' : ` ${place}`}: ${first?.message ?? 'not it'}`)
}
