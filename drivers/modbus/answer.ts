/**
 * What a slave answers, as RTU frames; unit, function and CRC as in request.ts:
 *
 *   1, 2          bytes u8, bits lowest first
 *   3, 4, 23      bytes u8, registers u16
 *   5, 6, 22      the request again
 *   7             status u8
 *   8             the request again, or with what was asked for in its data
 *   11            status u16, events u16
 *   12            bytes u8, status u16, events u16, messages u16, the log, newest first
 *   15, 16        address u16, count u16
 *   17            bytes u8, the server's id
 *   20, 21        bytes u8, pieces: files.ts
 *   24            bytes u16, count u16, registers u16
 *   43            what the device says of itself: identity.ts
 *   function+128  why not, u8 (`exceptions`)
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §6 and §7.
 */
import { u16be } from '../../runtime/sense/driver.ts'
import { crcHolds, withCrc } from './crc.ts'
import { foundBytes, readFound, readWritten, type Written, writtenBytes } from './files.ts'
import {
  type Identification,
  identificationBytes,
  identificationSize,
  readIdentification,
} from './identity.ts'
import { encodeRequest, frameSizeMax, most, type Request, word, wordsIn } from './request.ts'

export type Answer =
  | { readonly function: 1 | 2; readonly bits: Uint8Array }
  | { readonly function: 3 | 4 | 23 | 24; readonly registers: readonly number[] }
  | { readonly function: 5; readonly address: number; readonly value: boolean }
  | { readonly function: 6; readonly address: number; readonly value: number }
  | { readonly function: 7; readonly status: number }
  | { readonly function: 8; readonly code: number; readonly data: number }
  | { readonly function: 11; readonly status: number; readonly events: number }
  | Events
  | { readonly function: 15 | 16; readonly address: number; readonly count: number }
  | { readonly function: 17; readonly id: Uint8Array }
  | { readonly function: 20; readonly found: readonly (readonly number[])[] }
  | { readonly function: 21; readonly pieces: readonly Written[] }
  | { readonly function: 22; readonly address: number; readonly and: number; readonly or: number }
  | Identification
  | { readonly function: 'exception'; readonly of: number; readonly code: number }

type Events = {
  readonly function: 12
  readonly status: number
  readonly events: number
  readonly messages: number
  readonly log: Uint8Array
}

/** Exception codes in the words of the specification (§7); 7 is of its forerunner, PI-MBUS-300. */
export const exceptions: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  7: 'negative acknowledge',
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
  // A function of its own is refused by the book, or it is not taken for a frame.
  if (code > 0x80 && !known.includes(code - 0x80)) {
    return count === undefined ? 'more' : count in exceptions ? 5 : 0
  }
  if (code > 0x80) return 5
  const fixed = { 5: 8, 6: 8, 7: 5, 8: 8, 11: 8, 15: 8, 16: 8, 22: 10 }[code]
  if (fixed !== undefined) return fixed
  if (code === 24) return queueSize(bytes)
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
  if (answer.function === 24) return true
  if ('registers' in answer) {
    return 'count' in request && answer.registers.length === request.count
  }
  if ('found' in answer) {
    const counts =
      'pieces' in request ? request.pieces.map((one) => 'count' in one && one.count) : []
    return String(counts) === String(answer.found.map(({ length }) => length))
  }
  if (answer.function === 15 || answer.function === 16) {
    const same = 'address' in request && answer.address === request.address
    return same && 'values' in request && answer.count === request.values.length
  }
  if (answer.function === 8) return 'code' in request && request.code === answer.code
  if ('address' in answer || 'pieces' in answer) {
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
    case 20:
      return 5 + request.pieces.reduce((sum, { count }) => sum + 2 + 2 * count, 0)
    case 21:
      return encodeRequest(1, request).length
    case 22:
      return 10
    case 7:
    case 17:
    case 43:
      return 5
    case 12:
      return 11
    case 24:
      return 10
    default:
      return 8
  }
}

/** Functions whose frames have a form here. */
const known = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43]

/** The only answer that counts its bytes in two. */
function queueSize([, , high, low, , many]: Uint8Array): number | 'more' {
  if (high === undefined || low === undefined) return 'more'
  if (high !== 0 || low % 2 === 1 || low < 2 || low > 2 + 2 * most.queue) return 0
  if (many === undefined) return 'more'
  return low === 2 + 2 * many ? 4 + low + 2 : 0
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
    case 8:
      return [...word(answer.code), ...word(answer.data)]
    case 11:
      return [...word(answer.status), ...word(answer.events)]
    case 12: {
      const { status, events, messages, log } = answer
      return [6 + log.length, ...[status, events, messages].flatMap(word), ...log]
    }
    case 15:
    case 16:
      return [...word(answer.address), ...word(answer.count)]
    case 17:
      return [answer.id.length, ...answer.id]
    case 20:
      return foundBytes(answer.found)
    case 21:
      return writtenBytes(answer.pieces)
    case 24: {
      const { registers } = answer
      return [...[2 + 2 * registers.length, registers.length, ...registers].flatMap(word)]
    }
    case 22:
      return [...word(answer.address), ...word(answer.and), ...word(answer.or)]
    case 43:
      return identificationBytes(answer)
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
    case 8:
      return { function: 8, code: address, data: second }
    case 11:
      return { function: 11, status: address, events: second }
    case 12:
      return events(frame)
    case 20: {
      const found = readFound(frame)
      return found && { function: 20, found }
    }
    case 21: {
      const pieces = readWritten(frame)
      return pieces && { function: 21, pieces }
    }
    case 24:
      return { function: 24, registers: wordsIn(frame, 6) }
    case 15:
    case 16:
      return { function: code, address, count: second }
    case 17:
      return { function: 17, id: frame.slice(3, -2) }
    case 22:
      return { function: 22, address, and: second, or: u16be(frame, 6) }
    case 43:
      return readIdentification(frame)
    default:
      return undefined
  }
}

function events(frame: Uint8Array): Answer | undefined {
  if (frame.length < 11) return undefined
  const [status, many, messages] = [3, 5, 7].map((at) => u16be(frame, at)) as [
    number,
    number,
    number,
  ]
  return { function: 12, status, events: many, messages, log: frame.slice(9, -2) }
}
