/**
 * File records: pieces of files of registers, several in one frame. The only frames whose inside has its own
 * lengths, numbers big-endian:
 *
 *   20  asked      bytes u8, then 06, file u16, record u16, count u16 … each
 *   20  answered   bytes u8, then bytes of the piece u8, 06, registers … each
 *   21  both ways  bytes u8, then 06, file u16, record u16, count u16, registers … each
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §6.14 and §6.15.
 */
import { u16be } from '../../runtime/sense/driver.ts'

/** From this record of this file, so many registers. */
export type Piece = { readonly file: number; readonly record: number; readonly count: number }

export type Written = {
  readonly file: number
  readonly record: number
  readonly values: readonly number[]
}

/** The only kind of reference that there is. */
const reference = 6
const headSize = 7

export function piecesBytes(pieces: readonly Piece[]): number[] {
  return counted(pieces.flatMap((piece) => head(piece, piece.count)))
}

export function writtenBytes(pieces: readonly Written[]): number[] {
  return counted(pieces.flatMap((one) => [...head(one, one.values.length), ...words(one.values)]))
}

export function foundBytes(pieces: readonly (readonly number[])[]): number[] {
  return counted(
    pieces.flatMap((registers) => [1 + 2 * registers.length, reference, ...words(registers)]),
  )
}

/** What an intact frame asks for; undefined when its lengths do not fit. */
export function readPieces(frame: Uint8Array): Piece[] | undefined {
  const inside = frame.subarray(3, -2)
  if (inside.length === 0 || inside.length % headSize !== 0) return undefined
  const pieces: Piece[] = []
  for (let at = 0; at < inside.length; at += headSize) {
    if (inside[at] !== reference) return undefined
    pieces.push(pieceAt(inside, at))
  }
  return pieces
}

/** What an intact frame writes, or has written. */
export function readWritten(frame: Uint8Array): Written[] | undefined {
  const inside = frame.subarray(3, -2)
  const pieces: Written[] = []
  let at = 0
  while (at < inside.length) {
    const { file, record, count } = pieceAt(inside, at)
    const from = at + headSize
    if (inside[at] !== reference || count === 0 || from + 2 * count > inside.length)
      return undefined
    pieces.push({ file, record, values: wordsAt(inside, from, count) })
    at = from + 2 * count
  }
  return pieces.length === 0 ? undefined : pieces
}

/** The registers of each piece that was asked for. */
export function readFound(frame: Uint8Array): number[][] | undefined {
  const inside = frame.subarray(3, -2)
  const pieces: number[][] = []
  let at = 0
  while (at < inside.length) {
    const [bytes = 0, kind] = inside.subarray(at)
    const next = at + 1 + bytes
    if (kind !== reference || bytes % 2 === 0 || bytes < 3 || next > inside.length) return undefined
    pieces.push(wordsAt(inside, at + 2, (bytes - 1) / 2))
    at = next
  }
  return pieces.length === 0 ? undefined : pieces
}

function pieceAt(inside: Uint8Array, at: number): Piece {
  return {
    file: u16be(inside, at + 1),
    record: u16be(inside, at + 3),
    count: u16be(inside, at + 5),
  }
}

function wordsAt(inside: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => u16be(inside, from + 2 * i))
}

function head({ file, record }: Piece | Written, count: number): number[] {
  return [reference, ...words([file, record, count])]
}

function words(values: readonly number[]): number[] {
  return values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff])
}

function counted(bytes: readonly number[]): number[] {
  return [bytes.length, ...bytes]
}
