/**
 * A register profile: what a device keeps in its Modbus registers, as a table that a person can check against
 * the manual. Ours are such tables, and a file in YAML or JSON beside the config is one too:
 *
 *   title: Heat meter in the cellar
 *   source: maker's manual 4.2, page 17
 *   unit: 3
 *   baudRate: 9600
 *   blocks:
 *     - function: 4                # input registers
 *       address: 0                 # as on the wire: register 30001 is 0
 *       count: 4
 *       fields:
 *         flow: { title: flow, address: 0, type: u16, scale: 0.01, unit: m3/s }
 *         supply: { title: supply temperature, address: 2, type: f32, unit: Cel }
 */
import { z } from 'zod'
import { isFieldName } from '../wire/reading.ts'
import { unitSchema } from './unitword.ts'

/**
 * Registers that a value of this type takes; a bit takes a part of one, or a place of its own, and a text as
 * many as its `count` says. BCD has four decimal digits to a register.
 */
const sizes = {
  ...{ bit: 1, u16: 1, i16: 1, u32: 2, i32: 2, f32: 2, u64: 4, i64: 4, f64: 4 },
  ...{ bcd16: 1, bcd32: 2, bcd64: 4, text: 1 },
} as const

export type RegisterType = keyof typeof sizes

const fieldSchema = z.strictObject({
  title: z.string().min(1).max(99).describe('What it is, in the words of the manual.'),
  address: z.int().min(0).max(65_535).describe('Of its first register or bit, as on the wire.'),
  type: z.enum(Object.keys(sizes) as [RegisterType, ...RegisterType[]], {
    error: `not a type; there are ${Object.keys(sizes).join(', ')}`,
  }),
  order: z
    .enum(['abcd', 'cdab', 'badc', 'dcba'])
    .default('abcd')
    .describe('Of its bytes: abcd is highest first; cdab has the lowest register first.'),
  count: z.int().min(1).max(32).optional().describe('Of a text: registers, two letters in each.'),
  mask: z
    .int()
    .min(1)
    .max(0xffff_ffff)
    .optional()
    .describe('Of a whole number: only these bits of it, moved down to bit 0.'),
  scale: z
    .number()
    .refine((factor) => factor !== 0, 'can not be 0; leave it out for the number as it stands')
    .optional()
    .describe('The raw number times this'),
  offset: z.number().optional().describe('plus this is the value.'),
  exponent: z
    .string()
    .optional()
    .describe('The field of the same block that holds a power of ten for it, as SunSpec has them.'),
  words: z
    .record(
      z.string().regex(/^-?\d+$/, 'not a whole number; write what the register holds'),
      z.string().min(1).max(64),
    )
    .optional()
    .describe('What raw numbers mean: the field is then a text. Others are said in digits.'),
  unit: unitSchema.optional(),
  none: z
    .array(z.number())
    .max(4)
    .default([])
    .describe('Raw numbers by which the device says that it has no value, signed or not.'),
  bit: z.int().min(0).max(15).optional().describe('Of a register: which bit, 0 the lowest.'),
  detail: z.literal(true).optional().describe('For `wayside decode` only: not in readings.'),
})

const blockSchema = z.strictObject({
  function: z
    .union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)], {
      error:
        'not a function that reads; write 1 (coils), 2 (inputs), 3 (holding) or 4 (input registers)',
    })
    .describe('1 coils, 2 discrete inputs, 3 holding registers, 4 input registers.'),
  address: z.int().min(0).max(65_535).describe('First of the registers read in one request.'),
  count: z.int().min(1).max(2000).describe('How many; at most 125 registers or 2000 bits.'),
  fields: z
    .record(z.string(), fieldSchema)
    .refine((fields) => Object.keys(fields).length > 0, 'has no field; name one at least'),
})

export const profileSchema = z
  .strictObject({
    title: z.string().min(1).max(200),
    source: z.string().max(500).optional().describe('The manual, and where in it.'),
    unit: z.int().min(1).max(255).default(1).describe('Its unit (slave address) as delivered.'),
    baudRate: z.int().min(300).max(4_000_000).default(9600),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
    blocks: z.array(blockSchema).min(1).max(32).describe('One request each, in this order.'),
    doubts: z
      .array(
        z.strictObject({
          field: z.string().describe('A whole number that tells of errors.'),
          mask: z.int().min(1).max(65_535).describe('Any of these bits set, and'),
          says: z.string().min(1).max(60).describe('is why the block is not believed.'),
        }),
      )
      .max(8)
      .default([]),
  })
  .superRefine((profile, context) => {
    for (const { path, message } of flaws(profile)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

export type Profile = z.infer<typeof profileSchema>
export type Block = Profile['blocks'][number]
export type Register = Block['fields'][string]

/** As a table of ours is written: what has a default may be left out. */
export function defineProfile(written: z.input<typeof profileSchema>): Profile {
  return profileSchema.parse(written)
}

/** Registers, or bits, that this field takes. */
export function placesOf({ type, count = 1 }: Pick<Register, 'type' | 'count'>): number {
  return type === 'text' ? count : sizes[type]
}

/** Fields of a profile at most: with more, the terms of its stream would pass what an offer holds. */
const fieldsMax = 128

type Flaw = { readonly path: readonly (string | number)[]; readonly message: string }

/** What no single setting of a profile can say of itself. */
function flaws({ blocks, doubts }: Profile): Flaw[] {
  const names = blocks.flatMap(({ fields }) => Object.keys(fields))
  const many = names.length > fieldsMax
  const tooMany = { path: ['blocks'], message: `has ${names.length} fields; at most ${fieldsMax}` }
  return [
    ...(many ? [tooMany] : []),
    ...blocks.flatMap((block, i) => blockFlaws(block, ['blocks', i])),
    ...blocks.flatMap(({ fields }, i) =>
      Object.keys(fields).flatMap((name) => {
        const path = ['blocks', i, 'fields', name]
        if (!isFieldName(name)) {
          return [{ path, message: 'not a name; up to 64 of A-Z a-z 0-9 _ . : -' }]
        }
        const twice = names.indexOf(name) !== names.lastIndexOf(name)
        return twice ? [{ path, message: 'stands twice; each field has one name' }] : []
      }),
    ),
    ...doubts.flatMap(({ field }, i) => {
      const path = ['doubts', i, 'field']
      const found = blocks.find(({ fields }) => field in fields)?.fields[field]
      if (found === undefined) return [{ path, message: 'no such field; name one of `blocks`' }]
      const isBits = found.words === undefined && found.type !== 'text' && found.type[0] !== 'f'
      const message = 'says no bits; name a field of a whole number, without `words`'
      return isBits ? [] : [{ path, message }]
    }),
  ]
}

function blockFlaws({ function: code, address, count, fields }: Block, at: Flaw['path']): Flaw[] {
  const bits = code <= 2
  const found: Flaw[] = []
  if (!bits && count > 125) {
    found.push({ path: [...at, 'count'], message: 'over 125 registers; make it two blocks' })
  }
  if (address + count > 65_536) {
    found.push({ path: [...at, 'count'], message: 'runs past address 65535; read fewer' })
  }
  for (const [name, field] of Object.entries(fields)) {
    const path = [...at, 'fields', name]
    const end = field.address + placesOf(field)
    if (field.address < address || end > address + count) {
      found.push({
        path: [...path, 'address'],
        message: `outside its block; it reads ${address} to ${address + count - 1}${manual(field.address)}`,
      })
    }
    if (bits && field.type !== 'bit') {
      found.push({ path: [...path, 'type'], message: 'not a bit; functions 1 and 2 read bits' })
    }
    if (!bits && (field.type === 'bit') !== (field.bit !== undefined)) {
      const message = 'a bit of a register needs both `type: bit` and `bit`; see `bit`'
      found.push({ path: [...path, 'bit'], message })
    }
    const tens = field.exponent === undefined ? undefined : fields[field.exponent]
    if (field.exponent !== undefined && tens?.type !== 'i16') {
      const message = 'no such field here; name an i16 of this block'
      found.push({ path: [...path, 'exponent'], message })
    }
    found.push(...fieldFlaws(field).map(([key, message]) => ({ path: [...path, key], message })))
  }
  return found
}

/** Manuals count from 30001 and 40001, and the first digit is the function. */
function manual(address: number): string {
  const first = Math.floor(address / 10_000) * 10_000 + 1
  const code = { 10001: 2, 30001: 4, 40001: 3 }[first]
  const on = `${address - first} of function ${code}`
  return code === undefined ? '' : `; register ${address} of a manual is ${on}`
}

/** What its type leaves no sense in. */
function fieldFlaws(field: Register): [key: string, message: string][] {
  const { type, order, count, mask, words } = field
  const found: [string, string][] = []
  if ((type === 'text') !== (count !== undefined)) {
    found.push(['count', 'a text needs both `type: text` and `count`, its registers'])
  }
  if (type === 'text' && order !== 'abcd' && order !== 'badc') {
    found.push(['order', 'letters stand in order: abcd, or badc with the second of each two first'])
  }
  if (mask !== undefined && !'ui'.includes(type[0] ?? '')) {
    found.push(['mask', 'is for whole numbers: u16, i16, u32, i32, u64, i64'])
  }
  if (words !== undefined && (type === 'bit' || type === 'text' || type[0] === 'f')) {
    found.push(['words', 'is for whole numbers'])
  }
  const text = type === 'text' || words !== undefined
  for (const key of ['scale', 'offset', 'exponent', 'unit'] as const) {
    if (field[key] === undefined || !(text || type === 'bit')) continue
    found.push([key, `is for numbers, not for ${text ? 'a text' : 'a bit'}`])
  }
  return found
}
