/**
 * The terms of a stream: its entry in the offer. Their hash stands in every header made under them and in
 * every Order that accepts them; that is how consent and delivery meet.
 */
import { z } from 'zod'
import { sha256 } from '#crypto'
import { amount, fieldName, hash, members, shaped, streamName, unit } from './fields.ts'
import { jcs } from './jcs.ts'

const schema = members({
  stream: streamName,
  title: z.string().max(200).optional(),
  fields: z
    .array(
      members({
        name: fieldName,
        unit: unit.optional(),
        type: z.enum(['number', 'integer', 'boolean', 'text', 'bytes']),
        /** The smallest step of the value, in its unit. */
        resolution: z.number().positive().optional(),
      }),
    )
    .min(1)
    .max(256),
  /** Nominal length of an epoch; none is charged for more. */
  epochMs: z.number().int().min(100).max(86_400_000),
  /** What `perMs` of covered time cost, in the token's smallest unit; amount "0" is a free stream. */
  price: members({ amount, perMs: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
  /** What a buyer may do: a name from docs/wire.md, or the URL of a policy document. */
  policy: z.string().max(500),
  /** Of an inference: the model that makes it; digest = SHA-256 of its manifest and file. */
  model: members({
    name: z.string().max(100),
    version: z.string().max(50),
    digest: hash,
  }).optional(),
})

export type Terms = z.infer<typeof schema>

export const termsSchema = schema

/** SHA-256 of the JCS of the entry, as it stands in the offer. */
export function termsHash(terms: Terms): Uint8Array {
  return sha256(jcs(shaped(termsSchema, terms, 'terms')))
}

/** True when the stream costs nothing and is published in the open. */
export function isFree(terms: Terms): boolean {
  return terms.price.amount === '0'
}
