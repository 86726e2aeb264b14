/** The setup: the physical facts behind a stream. Signed, retained; its hash stands in every header. */
import { z } from 'zod'
import { address, members, shaped, streamName, uint32 } from './fields.ts'
import { isFieldName } from './reading.ts'
import { readDocument, type SignedDocument } from './signed.ts'

const short = z.string().max(200)

const setupSchema = members({
  version: uint32,
  device: address,
  stream: streamName,
  /** `check`: what tells an intact frame from a broken one; absent when nothing does. */
  driver: members({ id: short, version: short, check: short.optional() }).optional(),
  /** The software that reads: name and version. */
  product: short,
  sensor: members({
    make: short.optional(),
    model: short.optional(),
    serial: short.optional(),
    /** When and how it was last calibrated. */
    calibration: z.string().max(1000).optional(),
  }).optional(),
  /** What fields mean whose names are codes, such as OBIS. */
  labels: z
    .record(z.string(), short)
    .refine((labels) => Object.keys(labels).every(isFieldName))
    .optional(),
  place: members({
    lat: z.number().min(-90).max(90).optional(),
    lon: z.number().min(-180).max(180).optional(),
    altM: z.number().optional(),
    note: z.string().max(500).optional(),
  }).optional(),
})

export type Setup = z.infer<typeof setupSchema>

/** Reads a setup; its `hash` is what headers name. Throws Malformed. */
export function readSetup(payload: Uint8Array): SignedDocument & { readonly setup: Setup } {
  const signed = readDocument('setup', payload)
  return { ...signed, setup: shaped(setupSchema, signed.document, 'setup') }
}
