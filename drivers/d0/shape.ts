/**
 * Where the frames of IEC 62056-21 begin and end:
 *
 *   /ELS5\@V9.30 CR LF                      identification, alone where a block with STX follows
 *   /EMH5----eHZ-E0018E CR LF CR LF … !     mode D: the data come with it, and nothing checks them
 *   STX … ! CR LF ETX BCC                   a block: BCC is the exclusive or of all behind STX, ETX too
 *   /?!  CR LF                              a question, ours as the eye reflects it, or another's
 *
 * Data lines that neither begins are never read: a block joined in its middle looks the same, and its first
 * code may have lost its head, so that 21.8.0 would be read as 1.8.0.
 */
import { badChecksum, missingChecksum, type Shape, xor8 } from '../../runtime/sense/driver.ts'
import { asSent } from '../lineends.ts'
import { orWithParity } from '../parity.ts'
import { dataSets } from './dataset.ts'

const slash = 0x2f
export const stx = 0x02
const exclamation = 0x21
const newline = 0x0a

/** A load profile is longer; what bills is below 10 KiB, with fifteen months of it. */
const blockMax = 16_384

export type Reads = {
  /** The meter was asked: its identification is wanted before anything else comes. */
  readonly answers: boolean
  /** Blocks that end without ETX and BCC are frames too. */
  readonly openEnded: boolean
}

export function shapeOf({ answers, openEnded }: Reads): Shape {
  return orWithParity({
    starts: Uint8Array.of(slash, stx),
    idle: Uint8Array.of(0x0d, newline),
    sizeMax: blockMax,
    size: (bytes, ended) =>
      bytes[0] === stx ? blockSize(bytes, ended) : lineSize(bytes, ended, answers),
    flaw(frame) {
      if (frame[0] !== stx) return textFlaw(frame)
      if (hasCheck(frame)) return fits(frame.subarray(1)) ? undefined : badChecksum
      return openEnded ? textFlaw(frame) : missingChecksum
    },
  })
}

/** What stands in a frame: its first line, if it is not a block, and its data. */
export function partsOf(frame: Uint8Array): { readonly line: string; readonly block: string } {
  if (frame[0] === stx) {
    const end = frame.findIndex(endsBlock)
    const text = latin1(frame.subarray(1, end < 0 ? undefined : end))
    return { line: '', block: text.replace(/!\s*$/, '') }
  }
  const text = latin1(frame)
  const end = text.search(/[\r\n]/)
  if (end < 0) return { line: text.slice(1), block: '' }
  return { line: text.slice(1, end), block: text.slice(end).replace(/![0-9A-Fa-f]*$/, '') }
}

function fits(bytes: Uint8Array): boolean {
  if (xor8(bytes) === 0) return true
  const sent = asSent(bytes.subarray(0, -1))
  return sent.length > 0 && xor8(sent) === bytes.at(-1)
}

/** True of a block that says its checksum. */
export function hasCheck(frame: Uint8Array): boolean {
  return frame[0] === stx && endsBlock(frame.at(-2) ?? 0)
}

/** Unchecked data are believed only when they are data sets and nothing else. */
function textFlaw(frame: Uint8Array): string | undefined {
  const { line, block } = partsOf(frame)
  if (/![0-9A-Fa-f]+$/.test(String.fromCharCode(...frame.subarray(-5))))
    return 'telegram of P1: driver dsmr'
  if (line.startsWith('?') && block.trim() === '') return undefined
  return dataSets(block).whole ? undefined : 'broken line'
}

/** A block up to its BCC; up to `!` and the line's end where something else than ETX follows. */
function blockSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (endsBlock(byte)) return at + 2 <= bytes.length ? at + 2 : ended ? at + 1 : 'more'
    if (byte === exclamation) {
      let next = at + 1
      while (isLineEnd(bytes[next])) next += 1
      if (next >= bytes.length) return ended ? next : 'more'
      if (!endsBlock(bytes[next] ?? 0)) return next
    }
    if (!isText(byte)) return 0
  }
  return 'more'
}

/** An identification or a question, with the data that follow it without STX. */
function lineSize(bytes: Uint8Array, ended: boolean, answers: boolean): number | 'more' {
  const end = bytes.indexOf(newline)
  const begun = headFits(bytes.subarray(0, end < 0 ? undefined : end))
  if (!begun || (end < 0 && bytes.length > lineMax)) return 0
  if (end < 0) return 'more'
  if (answers) return end + 1
  let at = end + 1
  while (isLineEnd(bytes[at])) at += 1
  const follows = bytes[at]
  if (follows === undefined) return ended ? end + 1 : 'more'
  if (!/[0-9A-Z]/.test(String.fromCharCode(follows))) return end + 1
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === exclamation) return dataEnd(bytes, at + 1, ended)
    if (!isText(byte) || (byte === slash && bytes[at - 1] === newline)) return 0
  }
  return 'more'
}

/** P1 puts its CRC behind the `!`: then this is no meter of ours. */
function dataEnd(bytes: Uint8Array, from: number, ended: boolean): number | 'more' {
  for (let at = from; at < from + 4; at += 1) {
    const byte = bytes[at]
    if (byte === undefined) return ended ? at : 'more'
    if (!/[0-9A-Fa-f]/.test(String.fromCharCode(byte))) return at
  }
  return from + 4
}

/** 16 characters of type behind maker and speed (IEC 62056-21 §6.3.2); some meters send more. */
const lineMax = 64

/** Three letters of the maker, or a question. */
function headFits(line: Uint8Array): boolean {
  if (line[1] === 0x3f) return line.length <= lineMax
  for (let at = 1; at < Math.min(line.length, 4); at += 1) {
    if (!/[A-Za-z]/.test(String.fromCharCode(line[at] ?? 0))) return false
  }
  return line.length <= lineMax
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === newline || byte === 0x0d
}

/** ETX, or EOT where more blocks follow. */
function endsBlock(byte: number): boolean {
  return byte === 0x03 || byte === 0x04
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function isText(byte: number): boolean {
  return isLineEnd(byte) || (byte >= 0x20 && byte <= 0x7e)
}
