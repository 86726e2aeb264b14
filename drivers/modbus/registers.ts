/** From registers and bits to values, by the table of a profile. */
import {
  type Block,
  type Field,
  type Profile,
  placesOf,
  type Register,
  type Value,
} from '../../runtime/sense/driver.ts'
import { scaled } from '../scaled.ts'
import type { Answer } from './answer.ts'
import { bitAt, type Request } from './request.ts'

/** What was read, and where it stands in the device. */
export type Held = {
  readonly function: number
  readonly address: number
  readonly count: number
  /** The bytes of registers, highest first, or of bits, lowest first. */
  readonly bytes: Uint8Array
}

/** What this answer brings of what was asked for; undefined when neither is a reading. */
export function held(request: Request, answer: Answer): Held | undefined {
  if (!('count' in request)) return undefined
  const { function: code, address, count } = request
  // 23 reads holding registers, after it wrote others.
  if ('registers' in answer) {
    const bytes = Uint8Array.from(answer.registers.flatMap((word) => [word >> 8, word & 0xff]))
    return { function: code === 23 ? 3 : code, address, count, bytes }
  }
  return 'bits' in answer ? { function: code, address, count, bytes: answer.bits } : undefined
}

/** The values of all fields that lie wholly in what was read; without those that say they have none. */
export function valuesOf(profile: Profile, read: Held): Record<string, Value> {
  const values: Record<string, Value> = {}
  for (const [name, register] of fieldsIn(profile, read)) {
    const value = readField(register, read)
    if (value !== undefined) values[name] = value
  }
  return values
}

/** True when the profile has a field there. */
export function knows(profile: Profile, read: Held): boolean {
  return fieldsIn(profile, read).length > 0
}

/** Why the device itself says that these values are not to be believed. */
export function selfDoubt({ doubts }: Profile, values: Readonly<Record<string, Value>>) {
  return doubts.find(({ field, mask }) => (Number(values[field] ?? 0) & mask) !== 0)?.says
}

/** The fields of this profile, as a driver states them. */
export function fieldsOf({ blocks }: Profile): Record<string, Field> {
  const all = blocks.flatMap(({ fields }) => Object.entries(fields))
  return Object.fromEntries(
    all.map(([name, register]) => {
      const { title, unit, detail } = register
      const field: Field = { title, type: kindOf(register) }
      const measured = unit === undefined ? field : { ...field, unit }
      return [name, detail ? { ...measured, detail } : measured]
    }),
  )
}

function kindOf({ type, scale = 1, offset = 0, words }: Register): Field['type'] {
  if (type === 'bit') return 'boolean'
  if (type === 'text' || words !== undefined) return 'text'
  return type[0] !== 'f' && Number.isInteger(scale) && Number.isInteger(offset)
    ? 'integer'
    : 'number'
}

function fieldsIn({ blocks }: Profile, { function: code, address, count }: Held) {
  const inside = (field: Register) =>
    field.address >= address && field.address + placesOf(field) <= address + count
  const ofFunction = (block: Block) => block.function === code
  return blocks
    .filter(ofFunction)
    .flatMap(({ fields }) => Object.entries(fields))
    .filter(([, field]) => inside(field))
}

function readField(
  register: Register,
  { function: code, address, bytes }: Held,
): Value | undefined {
  const place = register.address - address
  if (code <= 2) return bitAt(bytes, 0, place)
  const at = 2 * place
  if (register.type === 'bit') return ((wordAt(bytes, at) >> (register.bit ?? 0)) & 1) === 1
  const wire = ordered(bytes.subarray(at, at + 2 * placesOf(register)), register.order)
  if (register.type === 'text') return textIn(wire)
  const raw = rawNumber(register.type, wire)
  if (raw === undefined || (typeof raw === 'number' && !Number.isFinite(raw))) return undefined
  if (register.none.some((none) => isNone(none, raw, register.type))) return undefined
  const part = register.mask === undefined ? raw : masked(raw, register.mask)
  if (register.words !== undefined) return register.words[String(part)] ?? String(part)
  const value = scaled(part, register.scale, register.offset)
  return typeof value === 'bigint' || Number.isFinite(value) ? value : undefined
}

/** 0x8000 is none of an i16 too, which reads it as −32768; and a float is none as near as floats come. */
function isNone(none: number, raw: number | bigint, type: Register['type']): boolean {
  const read = Number(raw)
  if (type === 'f32') return read === Math.fround(none)
  return (
    read === none || (type[0] === 'i' && read < 0 && read + 2 ** Number(type.slice(1)) === none)
  )
}

/** These bits of a whole number, moved down to bit 0. */
function masked(raw: number | bigint, mask: number): number {
  const bits = Number(BigInt.asUintN(64, BigInt(raw)) & BigInt(mask))
  return Math.floor(bits / ((mask & -mask) >>> 0))
}

/** Up to the first zero, without the blanks around it; undefined when it is none that a person could read. */
function textIn(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0)
  const letters = end < 0 ? bytes : bytes.subarray(0, end)
  const text = String.fromCharCode(...letters).trim()
  return text !== '' && /^[ -~\u00a0-\u00ff]+$/.test(text) ? text : undefined
}

/** Undefined for digits that are none: so devices fill what they do not know. */
function rawNumber(type: Register['type'], bytes: Uint8Array): number | bigint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (type) {
    case 'i16':
      return view.getInt16(0)
    case 'u32':
      return view.getUint32(0)
    case 'i32':
      return view.getInt32(0)
    case 'f32':
      return view.getFloat32(0)
    case 'f64':
      return view.getFloat64(0)
    case 'u64':
      return exact(view.getBigUint64(0))
    case 'i64':
      return exact(view.getBigInt64(0))
    case 'bcd16':
    case 'bcd32':
    case 'bcd64': {
      const digits = [...bytes].flatMap((byte) => [byte >> 4, byte & 15])
      return digits.every((digit) => digit < 10) ? exact(BigInt(digits.join(''))) : undefined
    }
    default:
      return view.getUint16(0)
  }
}

/** Highest byte first: `c` and `d` before `a` and `b` is the lowest register first, `ba` swapped bytes. */
function ordered(wire: Uint8Array, order: Register['order']): Uint8Array {
  const bytes = wire.slice()
  if (order === 'dcba') return bytes.reverse()
  if (order === 'abcd') return bytes
  for (let at = 0; at < bytes.length; at += 2) {
    const from = order === 'cdab' ? bytes.length - 2 - at : at
    const [high = 0, low = 0] = wire.subarray(from, from + 2)
    bytes[at] = order === 'badc' ? low : high
    bytes[at + 1] = order === 'badc' ? high : low
  }
  return bytes
}

/** A counter past 2^53 stays what it is. */
function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
