/**
 * model.json: what a model takes, what it gives, and where it comes from. A model author writes this file
 * beside model.onnx, and no code.
 *
 *   sha256        of the model.onnx beside it, so that neither changes without the other
 *   input         one field of one stream, as a window of its newest values (window.ts)
 *   outputs       named fields, each from one output tensor: a number, a truth, or one of several labels
 *   provider      what it runs on unless the config says otherwise: cpu, cuda, tensorrt, webgpu
 *   card          figures that somebody measured; free form, and part of the model's digest
 */

import { z } from 'zod'
import { sha256 } from '#crypto'
import { fault } from '../faults.ts'
import { concat, type Hex, hex, utf8 } from '../wire/bytes.ts'
import { type Json, jcs } from '../wire/jcs.ts'
import { isFieldName } from '../wire/reading.ts'
import { isUnit, type Unit } from '../wire/units.ts'

/** Longest window: 64 KiB of tensor, and 128 KiB of memory a subject. */
const windowMax = 16_384
/** Longest model.json in characters: a card is a page, not a book. */
const manifestCharactersMax = 65_536
/** What every inference carries beside the model's outputs. */
const reserved = ['provider', 'input']

const word = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'small letters, digits and -, at most 32')
const sentence = z.string().min(1).max(300)
const tensor = z.string().min(1).max(64)
const field = z.string().refine(isFieldName, 'not a field name (RFC 8428 §4.5.1)')
const unit = z.custom<Unit>((code) => typeof code === 'string' && isUnit(code), 'no known unit')
const index = z.int().min(0).max(65_535)
const size = z.int().min(1).max(windowMax)

const input = z.strictObject({
  /** The field that it was made for; absent when any scalar will do and the config names one. */
  field: field.optional(),
  tensor: z.strictObject({
    name: tensor,
    type: z.literal('float32'),
    /** Sizes, and `n` where the length of the window stands. */
    shape: z
      .array(z.union([size, z.literal('n')]))
      .min(1)
      .max(4),
  }),
  /** Readings before the first inference, and readings in a full window. */
  least: size,
  most: size,
  /** A gap longer than this many mean intervals of the window begins it anew. */
  gapRatio: z.number().min(1.5).max(1e6),
  /** `standard`: mean 0 and deviation 1 within the window, in doubles; `none`: as read. */
  normalisation: z.enum(['none', 'standard']),
})

const output = z.union([
  z.strictObject({ tensor, index, unit: unit.optional() }),
  z.strictObject({ tensor, index, atLeast: z.number() }),
  z.strictObject({ tensor, labels: z.array(z.string().min(1).max(64)).min(2).max(1024) }),
])

const schema = z
  .strictObject({
    name: word,
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'three numbers with dots'),
    title: sentence,
    sha256: z.string().regex(/^0x[0-9a-f]{64}$/, '0x and 64 small hex digits'),
    input,
    outputs: z.record(field, output),
    provider: word,
    licence: sentence,
    provenance: z.strictObject({ script: sentence, data: sentence, tools: sentence }),
    card: z.record(z.string(), z.json()).optional(),
  })
  .superRefine((manifest, context) => {
    for (const [path, what] of contradictions(manifest.input, Object.keys(manifest.outputs))) {
      context.addIssue({ code: 'custom', path, message: what })
    }
  })

export type Manifest = z.infer<typeof schema>
export type Output = z.infer<typeof output>

/** Reads model.json. Throws the fault MODEL_INVALID, which names the place and the rule. */
export function parseManifest(text: string, path: string): Manifest {
  if (text.length > manifestCharactersMax) {
    const what = `${text.length} characters; the most is ${manifestCharactersMax}`
    throw fault('MODEL_INVALID', { path, what })
  }
  try {
    const read = schema.safeParse(JSON.parse(text))
    if (read.success) {
      jcs(read.data as Json)
      return read.data
    }
    const [issue] = read.error.issues
    const where = issue?.path.join('.') || 'the document'
    throw fault('MODEL_INVALID', { path, what: `${where}: ${issue?.message}` })
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'Fault') throw cause
    // Not JSON, nested past the stack, or without a canonical spelling.
    throw fault('MODEL_INVALID', { path, what: (cause as Error).message }, cause)
  }
}

/** What terms name: SHA-256 over the digests of model.onnx and of the manifest's JCS. */
export function modelId(manifest: Manifest, onnx: Uint8Array): Hex {
  const parts = concat(sha256(onnx), sha256(jcs(manifest as Json)))
  return hex(sha256(utf8('wayside/1 model\0'), parts))
}

export type InferenceField = {
  readonly name: string
  readonly unit?: Unit
  readonly type: 'number' | 'boolean' | 'text' | 'bytes'
}

/** The fields of an inference, in order, as an offer lists them. */
export function inferenceFields(manifest: Manifest): InferenceField[] {
  const named = Object.entries(manifest.outputs).map(([name, from]): InferenceField => {
    if ('labels' in from) return { name, type: 'text' }
    if ('atLeast' in from) return { name, type: 'boolean' }
    return { name, type: 'number', ...(from.unit === undefined ? {} : { unit: from.unit }) }
  })
  return [...named, { name: 'provider', type: 'text' }, { name: 'input', type: 'bytes' }]
}

/** The dimensions of a tensor over `length` values. */
export function tensorDims(manifest: Manifest, length: number): number[] {
  return manifest.input.tensor.shape.map((size) => (size === 'n' ? length : size))
}

function contradictions(input: Manifest['input'], names: readonly string[]): [string[], string][] {
  const found: [string[], string][] = []
  const { least, most, tensor } = input
  const open = tensor.shape.filter((size) => size === 'n').length
  const rest = tensor.shape.reduce<number>((all, size) => (size === 'n' ? all : all * size), 1)
  if (least > most) found.push([['input', 'least'], `${least} is over most, ${most}`])
  if (open > 1) found.push([['input', 'tensor', 'shape'], 'n stands once at most'])
  if (open === 1 && rest !== 1)
    found.push([['input', 'tensor', 'shape'], 'beside n all sizes are 1'])
  if (open === 0 && (least !== most || rest !== most)) {
    const what = `without n it holds ${rest} values, and least and most are both that`
    found.push([['input', 'tensor', 'shape'], what])
  }
  if (names.length === 0 || names.length > 64) found.push([['outputs'], 'one output to 64'])
  const taken = names.find((name) => reserved.includes(name))
  if (taken !== undefined)
    found.push([['outputs', taken], 'every inference already has that field'])
  return found
}
