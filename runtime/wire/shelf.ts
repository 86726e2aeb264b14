/** The index: what lies on the shelf, stream by stream, so that a buyer knows what it can ask for. */
import { z } from 'zod'
import { address, hash, members, shaped, streamName, uint32, uintMs } from './fields.ts'
import { readDocument, type SignedDocument } from './signed.ts'

/** An epoch of the stream: its number and when it closed (first: opened). */
const mark = members({ number: uint32, monotonicMs: uintMs, wallMs: uintMs.optional() })

const indexSchema = members({
  /** Only grows. */
  version: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  device: address,
  streams: z
    .array(
      members({
        stream: streamName,
        generations: z.array(members({ generation: uint32, first: uint32, last: uint32 })).max(64),
        first: mark,
        last: mark,
        /** SHA-256 of the newest header without its signature. */
        lastHash: hash,
        tombstones: z.array(members({ from: uint32, to: uint32 })).max(256),
      }),
    )
    .max(257),
})

export type Index = z.infer<typeof indexSchema>

/** Reads an index. Throws Malformed. */
export function readIndex(payload: Uint8Array): SignedDocument & { readonly index: Index } {
  const signed = readDocument('index', payload)
  return { ...signed, index: shaped(indexSchema, signed.document, 'index') }
}
