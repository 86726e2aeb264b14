/**
 * A table of lines: what the columns, keys or members mean in the lines of text that a sensor of one's own
 * writes. A file in YAML or JSON beside the config, or in the config itself:
 *
 *   title: Weather station in the garden
 *   start: "DATA "                      # lines without it are somebody's talk
 *   columns: [t, h, p]                  # of CSV that has no header
 *   fields:
 *     temperature: { from: t, unit: Cel }
 *     humidity: { from: h, unit: "%RH" }
 *     pressure: { from: p, unit: hPa, scale: 0.01 }
 *     battery: { from: bat.mv, unit: V, scale: 0.001 }     # JSON: { "bat": { "mv": 3712 } }
 */
import { z } from 'zod'
import { isFieldName } from '../wire/reading.ts'
import { unitSchema } from './unitword.ts'

/** More columns than any line of a sensor has. */
const columnsMax = 64

const key = z.union([z.string().min(1).max(64), z.int().min(1).max(columnsMax)])

const fieldSchema = z.strictObject({
  from: key
    .optional()
    .describe(
      'Its key, the name of its column, its place in JSON with dots, or the number of its column.',
    ),
  title: z.string().min(1).max(99).optional().describe('What it is, for those who buy it.'),
  type: z.enum(['number', 'integer', 'boolean', 'text']).default('number'),
  unit: unitSchema.optional(),
  scale: z
    .number()
    .refine((factor) => factor !== 0, 'can not be 0; leave it out for the number as it stands')
    .optional()
    .describe('The number in the line times this'),
  offset: z.number().optional().describe('plus this is the value.'),
  none: z
    .array(z.union([z.number(), z.string().max(32)]))
    .max(8)
    .default([])
    .describe('What it writes when it has no value, such as -127.'),
  detail: z.literal(true).optional().describe('For `wayside decode` only: not in readings.'),
})

export const lineTableSchema = z
  .strictObject({
    title: z.string().min(1).max(200).optional(),
    source: z.string().max(500).optional().describe('The sketch, and where it is kept.'),
    start: z
      .string()
      .regex(/^[ -~]{1,32}$/, 'up to 32 letters of ASCII')
      .optional()
      .describe('What a line begins with that measures; others are passed over.'),
    columns: z.array(z.string().min(1).max(64)).min(1).max(columnsMax).optional(),
    subject: key.optional().describe('Whose line it is, where several send through one: its key.'),
    fields: z
      .record(z.string(), fieldSchema)
      .refine((fields) => Object.keys(fields).length > 0, 'has no field; name one at least'),
  })
  .superRefine((table, context) => {
    for (const { path, message } of flaws(table)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

export type LineTable = z.infer<typeof lineTableSchema>
export type LineField = LineTable['fields'][string]

/** Fields of a table at most: with more, the terms of its stream would pass what an offer holds. */
const fieldsMax = 128

type Flaw = { readonly path: readonly (string | number)[]; readonly message: string }

/** What no single setting of a table can say of itself. */
function flaws({ columns, subject, fields }: LineTable): Flaw[] {
  const names = Object.keys(fields)
  const found: Flaw[] = []
  if (names.length > fieldsMax) {
    found.push({ path: ['fields'], message: `${names.length} of them; at most ${fieldsMax}` })
  }
  for (const [i, column] of (columns ?? []).entries()) {
    if (columns?.indexOf(column) === i) continue
    found.push({ path: ['columns', i], message: 'stands twice; each column has one name' })
  }
  for (const [name, field] of Object.entries(fields)) {
    const path = ['fields', name]
    if (!isFieldName(name)) {
      found.push({ path, message: 'not a name; up to 64 of A-Z a-z 0-9 _ . : -' })
    } else if (name === 'unchecked') {
      found.push({ path, message: 'has a meaning of its own: no checksum guards these lines' })
    }
    const column = missing(field.from ?? name, columns)
    if (column !== undefined) found.push({ path: [...path, 'from'], message: column })
    found.push(...fieldFlaws(field, path))
  }
  const column = subject === undefined ? undefined : missing(subject, columns)
  if (column !== undefined) found.push({ path: ['subject'], message: column })
  return found
}

function missing(from: string | number, columns: LineTable['columns']): string | undefined {
  if (columns === undefined) return undefined
  const there = typeof from === 'number' ? from <= columns.length : columns.includes(from)
  return there ? undefined : `no such column; there are ${columns.join(', ')}`
}

function fieldFlaws({ type, unit, scale, offset }: LineField, path: Flaw['path']): Flaw[] {
  if (type === 'text' || type === 'boolean') {
    const given = Object.entries({ unit, scale, offset }).filter(([, value]) => value !== undefined)
    return given.map(([name]) => ({
      path: [...path, name],
      message: `is for numbers, not ${type}`,
    }))
  }
  const broken = Object.entries({ scale, offset }).filter(([, by = 1]) => !Number.isInteger(by))
  if (type === 'number') return []
  return broken.map(([name]) => ({
    path: [...path, name],
    message: 'makes it no integer; `type: number`',
  }))
}
