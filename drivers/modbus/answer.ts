/**
 * What a slave answers, as RTU frames; unit, function and CRC as in request.ts:
 *
 *   1, 2          bytes u8, bits lowest first
 *   3, 4, 23      bytes u8, registers u16
 *   5, 6, 22      the request again
 *   7             status u8
 *   15, 16        address u16, count u16
 *   17            bytes u8, the server's id
 *   43            0e, code, conformity, more follows, next object, objects u8, then id u8, bytes u8, … each
 *   function+128  why not, u8 (`exceptions`)
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §6 and §7.
 */
import { u16be } from '../../runtime/sense/driver.ts'
import { crcHolds, withCrc } from './crc.ts'
import { frameSizeMax, most, type Request, word, wordsIn } from './request.ts'

export type Answer =
  | { readonly function: 1 | 2; readonly bits: Uint8Array }
  | { readonly function: 3 | 4 | 23; readonly registers: readonly number[] }
  | { readonly function: 5; readonly address: number; readonly value: boolean }
  | { readonly function: 6; readonly address: number; readonly value: number }
  | { readonly function: 7; readonly status: number }
  | { readonly function: 15 | 16; readonly address: number; readonly count: number }
  | { readonly function: 17; readonly id: Uint8Array }
  | { readonly function: 22; readonly address: number; readonly and: number; readonly or: number }
  | Identification
  | { readonly function: 'exception'; readonly of: number; readonly code: number }

type Identification = {
  readonly function: 43
  readonly code: number
  readonly conformity: number
  /** The object to go on with, when more follow. */
  readonly next?: number
  readonly objects: readonly { readonly id: number; readonly text: Uint8Array }[]
}

/** Exception codes in the words of the specification (§7). */
export const exceptions: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
}

export function encodeAnswer(unit: number, answer: Answer): Uint8Array {
  const code = answer.function === 'exception' ? answer.of | 0x80 : answer.function
  return withCrc([unit, code, ...payload(answer)])
}

/** The answer in an intact frame; undefined when it is none that a slave may give. */
export function decodeAnswer(frame: Uint8Array): { unit: number; answer: Answer } | undefined {
  if (answerSize(frame) !== frame.length || !crcHolds(frame)) return undefined
  const answer = read(frame)
  return answer === undefined ? undefined : { unit: frame[0] ?? 0, answer }
}

/** Size of the answer that begins with these bytes: 0 when none does, 'more' when it takes more to say. */
export function answerSize(bytes: Uint8Array): number | 'more' {
  const [, code, count] = bytes
  if (code === undefined) return 'more'
  if (code > 0x80) return known.includes(code - 0x80) ? 5 : 0
  const fixed = { 5: 8, 6: 8, 7: 5, 15: 8, 16: 8, 22: 10 }[code]
  if (fixed !== undefined) return fixed
  if (code === 43) return identificationSize(bytes)
  if (!known.includes(code)) return 0
  if (count === undefined) return 'more'
  const size = 3 + count + 2
  const registers = code === 3 || code === 4 || code === 23
  const odd = registers && (count % 2 === 1 || count > 2 * most.registers)
  return count === 0 || odd || size > frameSizeMax ? 0 : size
}

/** True when this answer can be the one to this request: function and size fit. */
export function answers(answer: Answer, request: Request): boolean {
  if (answer.function === 'exception') return answer.of === request.function
  if (answer.function !== request.function) return false
  if ('bits' in answer) {
    return 'count' in request && answer.bits.length === Math.ceil(request.count / 8)
  }
  if ('registers' in answer) {
    return 'count' in request && answer.registers.length === request.count
  }
  if (answer.function === 15 || answer.function === 16) {
    const same = 'address' in request && answer.address === request.address
    return same && 'values' in request && answer.count === request.values.length
  }
  if ('address' in answer) {
    return JSON.stringify(answer) === JSON.stringify(request)
  }
  return true
}

/** The whole answer to this request in bytes, as far as the request tells; the least otherwise. */
export function expectedSize(request: Request): number {
  switch (request.function) {
    case 1:
    case 2:
      return 5 + Math.ceil(request.count / 8)
    case 3:
    case 4:
    case 23:
      return 5 + 2 * request.count
    case 22:
      return 10
    case 7:
    case 17:
    case 43:
      return 5
    default:
      return 8
  }
}

/** Functions whose frames have a form here. */
const known = [1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 22, 23, 43]

function identificationSize(bytes: Uint8Array): number | 'more' {
  if (bytes.length > 2 && bytes[2] !== 14) return 0
  const objects = bytes[7]
  if (objects === undefined) return 'more'
  let at = 8
  for (let i = 0; i < objects; i += 1) {
    const length = bytes[at + 1]
    if (at + 4 > frameSizeMax) return 0
    if (length === undefined) return 'more'
    at += 2 + length
  }
  return at + 2 > frameSizeMax ? 0 : at + 2
}

function payload(answer: Answer): number[] {
  switch (answer.function) {
    case 1:
    case 2:
      return [answer.bits.length, ...answer.bits]
    case 3:
    case 4:
    case 23:
      return [2 * answer.registers.length, ...answer.registers.flatMap(word)]
    case 5:
      return [...word(answer.address), answer.value ? 0xff : 0, 0]
    case 6:
      return [...word(answer.address), ...word(answer.value)]
    case 7:
      return [answer.status]
    case 15:
    case 16:
      return [...word(answer.address), ...word(answer.count)]
    case 17:
      return [answer.id.length, ...answer.id]
    case 22:
      return [...word(answer.address), ...word(answer.and), ...word(answer.or)]
    case 43: {
      const { code, conformity, next, objects } = answer
      const more = next === undefined ? [0, 0] : [0xff, next]
      const texts = objects.flatMap(({ id, text }) => [id, text.length, ...text])
      return [14, code, conformity, ...more, objects.length, ...texts]
    }
    default:
      return [answer.code]
  }
}

function read(frame: Uint8Array): Answer | undefined {
  const code = frame[1] ?? 0
  const [address, second] = [u16be(frame, 2), u16be(frame, 4)]
  if (code > 0x80) return { function: 'exception', of: code - 0x80, code: frame[2] ?? 0 }
  switch (code) {
    case 1:
    case 2:
      return { function: code, bits: frame.slice(3, -2) }
    case 3:
    case 4:
    case 23:
      return { function: code, registers: wordsIn(frame, 3) }
    case 5:
      if (second !== 0xff00 && second !== 0) return undefined
      return { function: 5, address, value: second === 0xff00 }
    case 6:
      return { function: 6, address, value: second }
    case 7:
      return { function: 7, status: frame[2] ?? 0 }
    case 15:
    case 16:
      return { function: code, address, count: second }
    case 17:
      return { function: 17, id: frame.slice(3, -2) }
    case 22:
      return { function: 22, address, and: second, or: u16be(frame, 6) }
    case 43:
      return identification(frame)
    default:
      return undefined
  }
}

function identification(frame: Uint8Array): Answer {
  const [, , , code = 0, conformity = 0, more = 0, next = 0, many = 0] = frame
  const objects: { id: number; text: Uint8Array }[] = []
  for (let i = 0, at = 8; i < many; i += 1) {
    const [id = 0, length = 0] = frame.subarray(at)
    objects.push({ id, text: frame.slice(at + 2, at + 2 + length) })
    at += 2 + length
  }
  const head = { function: 43, code, conformity, objects } as const
  return more === 0xff ? { ...head, next } : head
}
