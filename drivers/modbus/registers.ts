/** From registers and bits to values, by the table of a profile. */
import {
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

/** A field that lies wholly in what is read, and where: its first byte, or its place among the bits. */
export type Placed = {
  readonly name: string
  readonly register: Register
  readonly at: number
  /** Where its power of ten stands, when it has one and that is read too. */
  readonly tens?: Placed
}

/** The fields of the profile in so many registers or bits from this address on. */
export function placedIn(
  { blocks }: Profile,
  { function: code, address, count }: Omit<Held, 'bytes'>,
): Placed[] {
  const placed = blocks
    .filter((block) => block.function === code)
    .flatMap(({ fields }) => Object.entries(fields))
    .filter(([, register]) => {
      const ends = register.address + placesOf(register)
      return register.address >= address && ends <= address + count
    })
    .map(([name, register]) => {
      const place = register.address - address
      return { name, register, at: code <= 2 ? place : 2 * place }
    })
  return placed.map((one) => {
    const tens = placed.find(({ name }) => name === one.register.exponent)
    return tens === undefined ? one : { ...one, tens }
  })
}

/** Their values in the bytes from `from` on, as in `Held`; without those that say they have none. */
export function valuesOf(
  placed: readonly Placed[],
  code: number,
  bytes: Uint8Array,
  from = 0,
): Record<string, Value> {
  const values: Record<string, Value> = {}
  for (const { name, register, at, tens } of placed) {
    const read = code <= 2 ? bitAt(bytes, from, at) : registerAt(register, bytes, from + at)
    const value =
      register.exponent === undefined
        ? read
        : raised(read, tens && registerAt(tens.register, bytes, from + tens.at))
    if (value !== undefined) values[name] = value
  }
  return values
}

/** Times this power of ten; without it nobody knows what the number means. */
function raised(value: Value | undefined, tens: Value | undefined): Value | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  if (typeof tens !== 'number' || Math.abs(tens) > tensMax) return undefined
  return scaled(value, 10 ** tens)
}

/** SunSpec has −10 to 10, and −32768 for none. */
const tensMax = 10

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

function kindOf({ type, scale = 1, offset = 0, exponent, words }: Register): Field['type'] {
  if (type === 'bit') return 'boolean'
  if (type === 'text' || words !== undefined) return 'text'
  if (exponent !== undefined) return 'number'
  return type[0] !== 'f' && Number.isInteger(scale) && Number.isInteger(offset)
    ? 'integer'
    : 'number'
}

/** What this register says in what was read; undefined for no value. */
export function readField(
  register: Register,
  { function: code, address, bytes }: Held,
): Value | undefined {
  const place = register.address - address
  return code <= 2 ? bitAt(bytes, 0, place) : registerAt(register, bytes, 2 * place)
}

function registerAt(register: Register, bytes: Uint8Array, at: number): Value | undefined {
  const { type, mask, words } = register
  if (type === 'bit') return ((wordAt(bytes, at) >> (register.bit ?? 0)) & 1) === 1
  const size = 2 * placesOf(register)
  order(bytes, at, size, register.order)
  if (type === 'text') return textIn(wire.subarray(0, size))
  const raw = rawNumber(type)
  if (raw === undefined || (typeof raw === 'number' && !Number.isFinite(raw))) return undefined
  for (const none of register.none) if (isNone(none, raw, type)) return undefined
  const part = mask === undefined ? raw : masked(raw, mask)
  if (words !== undefined) return words[String(part)] ?? String(part)
  const value = scaled(part, register.scale, register.offset)
  return typeof value === 'bigint' || Number.isFinite(value) ? value : undefined
}

/**
 * The bytes of one field, highest first: filled by `order`, read before the next. A view made for each field
 * would cost more than reading it.
 */
const wire = new Uint8Array(64)
const view = new DataView(wire.buffer)

/** `c` and `d` before `a` and `b` is the lowest register first, `ba` swapped bytes. */
function order(bytes: Uint8Array, at: number, size: number, as: Register['order']): void {
  const backwards = as === 'dcba' || as === 'cdab'
  const swapped = as === 'badc' || as === 'cdab' ? 1 : 0
  for (let i = 0; i < size; i += 1) {
    wire[i] = bytes[at + ((backwards ? size - 1 - i : i) ^ swapped)] ?? 0
  }
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
function rawNumber(type: Register['type']): number | bigint | undefined {
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
      const bytes = wire.subarray(0, Number(type.slice(3)) / 8)
      const digits = [...bytes].flatMap((byte) => [byte >> 4, byte & 15])
      return digits.every((digit) => digit < 10) ? exact(BigInt(digits.join(''))) : undefined
    }
    default:
      return view.getUint16(0)
  }
}

/** A counter past 2^53 stays what it is. */
function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
