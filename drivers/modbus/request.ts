/**
 * What a master asks, as RTU frames, numbers big-endian, the CRC low byte first:
 *
 *   0    unit        1 to 247; 0 is everybody (broadcast), 248 to 255 are reserved, and used
 *   1    function
 *   2    …           by function, below
 *  -2    u16         CRC
 *
 *   1, 2, 3, 4   address u16, count u16         read coils, discrete inputs, holding, input registers
 *   5, 6         address u16, value u16         write one coil (ff00 or 0000), one register
 *   7, 11, 12, 17  nothing                      read exception status, counter, log of events; server id
 *   8            code u16, data u16             diagnostics
 *   15, 16       address, count, bytes u8, …    write coils (bits, lowest first), registers
 *   20, 21       bytes u8, pieces               read, write file records: files.ts
 *   22           address, and mask, or mask     mask write a register
 *   23           address, count, address, count, bytes u8, …    read registers, after writing others
 *   24           address u16                    read a queue of registers
 *   43           0e, code u8, object u8         read device identification
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §6.
 */
import { u16be } from '../../runtime/sense/driver.ts'
import { crcHolds, withCrc } from './crc.ts'
import {
  type Piece,
  piecesBytes,
  readPieces,
  readWritten,
  type Written,
  writtenBytes,
} from './files.ts'

export type Request =
  | { readonly function: ReadFunction; readonly address: number; readonly count: number }
  | { readonly function: 5; readonly address: number; readonly value: boolean }
  | { readonly function: 6; readonly address: number; readonly value: number }
  | { readonly function: 7 | 11 | 12 | 17 }
  | { readonly function: 8; readonly code: number; readonly data: number }
  | { readonly function: 15; readonly address: number; readonly values: readonly boolean[] }
  | { readonly function: 16; readonly address: number; readonly values: readonly number[] }
  | { readonly function: 20; readonly pieces: readonly Piece[] }
  | { readonly function: 21; readonly pieces: readonly Written[] }
  | { readonly function: 22; readonly address: number; readonly and: number; readonly or: number }
  | ReadWrite
  | { readonly function: 24; readonly address: number }
  | { readonly function: 43; readonly code: number; readonly object: number }

export type ReadFunction = 1 | 2 | 3 | 4

type ReadWrite = {
  readonly function: 23
  readonly address: number
  readonly count: number
  readonly writeAddress: number
  readonly values: readonly number[]
}

/** Most bits and registers in one frame (§6.1, §6.3, §6.11, §6.12, §6.17, §6.18). */
export const most = {
  bits: 2000,
  registers: 125,
  bitsOut: 1968,
  registersOut: 123,
  beside: 121,
  queue: 31,
}

/** The longest frame (MODBUS over Serial Line V1.02 §2.3). */
export const frameSizeMax = 256

export function encodeRequest(unit: number, request: Request): Uint8Array {
  return withCrc([unit, request.function, ...payload(request)])
}

/** The request in an intact frame; undefined when it is none that a master may send. */
export function decodeRequest(frame: Uint8Array): { unit: number; request: Request } | undefined {
  if (requestSize(frame) !== frame.length || !crcHolds(frame)) return undefined
  const request = read(frame)
  return request === undefined ? undefined : { unit: frame[0] ?? 0, request }
}

/** Size of the request that begins with these bytes: 0 when none does, 'more' when it takes more to say. */
export function requestSize(bytes: Uint8Array): number | 'more' {
  const [, code] = bytes
  if (code === undefined) return 'more'
  if ((code >= 1 && code <= 6) || code === 8) return 8
  const fixed = { 7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6 }[code]
  if (fixed !== undefined) return fixed
  if (code === 43) return bytes.length > 2 && bytes[2] !== 14 ? 0 : 7
  const countAt = { 15: 6, 16: 6, 20: 2, 21: 2, 23: 10 }[code]
  if (countAt === undefined) return 0
  const count = bytes[countAt]
  if (count === undefined) return 'more'
  const size = countAt + 1 + count + 2
  return size > frameSizeMax ? 0 : size
}

/** Bits, lowest first, eight to a byte. */
export function packBits(values: readonly boolean[]): number[] {
  const bytes: number[] = Array(Math.ceil(values.length / 8)).fill(0)
  for (const [i, on] of values.entries()) {
    if (on) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7))
  }
  return bytes
}

export function word(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff]
}

/** The registers in these bytes, from `from` to before the CRC. */
export function wordsIn(frame: Uint8Array, from: number): number[] {
  const words: number[] = []
  for (let at = from; at < frame.length - 3; at += 2) words.push(u16be(frame, at))
  return words
}

function payload(request: Request): number[] {
  switch (request.function) {
    case 5:
      return [...word(request.address), request.value ? 0xff : 0, 0]
    case 6:
      return [...word(request.address), ...word(request.value)]
    case 7:
    case 11:
    case 12:
    case 17:
      return []
    case 8:
      return [...word(request.code), ...word(request.data)]
    case 20:
      return piecesBytes(request.pieces)
    case 21:
      return writtenBytes(request.pieces)
    case 24:
      return word(request.address)
    case 15: {
      const { address, values } = request
      const bytes = packBits(values)
      return [...word(address), ...word(values.length), bytes.length, ...bytes]
    }
    case 16: {
      const { address, values } = request
      return [...word(address), ...counted(values)]
    }
    case 22:
      return [...word(request.address), ...word(request.and), ...word(request.or)]
    case 23: {
      const { address, count, writeAddress, values } = request
      return [...word(address), ...word(count), ...word(writeAddress), ...counted(values)]
    }
    case 43:
      return [14, request.code, request.object]
    default:
      return [...word(request.address), ...word(request.count)]
  }
}

/** How many registers, in how many bytes, and they. */
function counted(values: readonly number[]): number[] {
  return [...word(values.length), 2 * values.length, ...values.flatMap(word)]
}

function read(frame: Uint8Array): Request | undefined {
  const code = frame[1] ?? 0
  const [address, second] = [u16be(frame, 2), u16be(frame, 4)]
  switch (code) {
    case 1:
    case 2:
      return within(second, most.bits) ? { function: code, address, count: second } : undefined
    case 3:
    case 4:
      return within(second, most.registers) ? { function: code, address, count: second } : undefined
    case 5:
      if (second !== 0xff00 && second !== 0) return undefined
      return { function: 5, address, value: second === 0xff00 }
    case 6:
      return { function: 6, address, value: second }
    case 7:
    case 11:
    case 12:
    case 17:
      return { function: code }
    case 8:
      return { function: 8, code: address, data: second }
    case 20: {
      const pieces = readPieces(frame)
      return pieces && { function: 20, pieces }
    }
    case 21: {
      const pieces = readWritten(frame)
      return pieces && { function: 21, pieces }
    }
    case 24:
      return { function: 24, address }
    case 15:
      return writeBits(frame, address, second)
    case 16: {
      const values = wordsIn(frame, 7)
      const whole = within(second, most.registersOut) && frame[6] === 2 * second
      return whole ? { function: 16, address, values } : undefined
    }
    case 22:
      return { function: 22, address, and: second, or: u16be(frame, 6) }
    case 23:
      return readWrite(frame, address, second)
    case 43: {
      const [, , , level = 0, object = 0] = frame
      return within(level, 4) ? { function: 43, code: level, object } : undefined
    }
    default:
      return undefined
  }
}

function writeBits(frame: Uint8Array, address: number, count: number): Request | undefined {
  if (!within(count, most.bitsOut) || frame[6] !== Math.ceil(count / 8)) return undefined
  const values = Array.from({ length: count }, (_, i) => bitAt(frame, 7, i))
  return { function: 15, address, values }
}

function readWrite(frame: Uint8Array, address: number, count: number): Request | undefined {
  const written = u16be(frame, 8)
  const fits = within(count, most.registers) && within(written, most.beside)
  if (!fits || frame[10] !== 2 * written) return undefined
  const [writeAddress, values] = [u16be(frame, 6), wordsIn(frame, 11)]
  return { function: 23, address, count, writeAddress, values }
}

/** The bit so many places behind the lowest of the byte at `from`. */
export function bitAt(bytes: Uint8Array, from: number, place: number): boolean {
  return (((bytes[from + (place >> 3)] ?? 0) >> (place & 7)) & 1) === 1
}

function within(count: number, limit: number): boolean {
  return count >= 1 && count <= limit
}
