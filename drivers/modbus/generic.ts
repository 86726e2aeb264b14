/** A slave that nobody has a table of: rows of registers, named by their addresses. */
import {
  defineProfile,
  type OptionValues,
  type Profile,
  placesOf,
  type Value,
} from '../../runtime/sense/driver.ts'
import type { Answer } from './answer.ts'
import { type Held, readField } from './registers.ts'
import { bitAt, type ReadFunction, type Request } from './request.ts'

export const genericTypes = ['u16', 'i16', 'u32', 'i32', 'f32', 'u64', 'i64', 'f64'] as const

export const genericOrders = ['abcd', 'cdab', 'badc', 'dcba'] as const

type GenericType = (typeof genericTypes)[number]
type Order = (typeof genericOrders)[number]

/** Fields `r<address>`, or `b<address>` for bits, as `function`, `address`, `count`, `type` and `order` say. */
export function generic(options: OptionValues): Profile {
  const code = Number(options.function) as ReadFunction
  const bits = code <= 2
  const type = bits ? 'bit' : (options.type as GenericType)
  const step = placesOf({ type })
  const address = Math.min(Number(options.address), 65_536 - step)
  // A row that ends within a number, or past the last address, ends before it.
  const most = Math.min(Number(options.count), 65_536 - address)
  const count = Math.max(step, most - (most % step))
  const fields = Array.from({ length: count / step }, (_, i) => {
    const at = address + i * step
    const title = bits ? `bit ${at}` : `register ${at}`
    const order = bits ? 'abcd' : (options.order as Order)
    return [`${bits ? 'b' : 'r'}${at}`, { title, address: at, type, order }]
  })
  return defineProfile({
    title: 'Modbus registers',
    blocks: [{ function: code, address, count, fields: Object.fromEntries(fields) }],
  })
}

/** All that was read, by its addresses: a request that was heard may ask for more than a profile has. */
export function rowValues(read: Held, how: OptionValues): Record<string, Value> {
  return read.function <= 2 ? bitsOf(read, 'b') : numbersOf(read, 'r', how)
}

/** An answer whose request was not heard: numbers `w0` and on, or bits `i0` and on, from the first it brings. */
export function unplacedValues(
  answer: Answer,
  how: OptionValues,
): Record<string, Value> | undefined {
  if ('bits' in answer) {
    const { function: code, bits } = answer
    return bitsOf({ function: code, address: 0, count: 8 * bits.length, bytes: bits }, 'i')
  }
  if (!('registers' in answer)) return undefined
  const { registers } = answer
  const bytes = Uint8Array.from(registers.flatMap((word) => [word >> 8, word & 0xff]))
  const read = { function: 3, address: 0, count: registers.length, bytes }
  return numbersOf(read, 'w', how)
}

/** Registers of files by file and record, `f4.1`. */
export function fileValues(request: Request, answer: Answer): Record<string, Value> | undefined {
  if (request.function !== 20 || !('found' in answer)) return undefined
  const { pieces } = request
  return Object.fromEntries(
    answer.found.flatMap((registers, i) =>
      registers.map((word, j) => {
        const { file = 0, record = 0 } = pieces[i] ?? {}
        return [`f${file}.${record + j}`, word]
      }),
    ),
  )
}

function bitsOf({ address, count, bytes }: Held, letter: string): Record<string, Value> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${letter}${address + i}`, bitAt(bytes, 0, i)]),
  )
}

function numbersOf(read: Held, letter: string, how: OptionValues): Record<string, Value> {
  const [type, order] = [how.type as GenericType, how.order as Order]
  const step = placesOf({ type })
  const values: Record<string, Value> = {}
  for (let at = 0; at + step <= read.count; at += step) {
    const address = read.address + at
    const value = readField({ title: '', address, type, order, none: [] }, read)
    if (value !== undefined) values[`${letter}${address}`] = value
  }
  return values
}
