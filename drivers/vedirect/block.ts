/**
 * Where a block of VE.Direct begins and ends, and whether it is intact; HEX frames, which may stand between
 * any two of its lines, and alone.
 *
 * Blocks are also read as people keep them: copied from a terminal or a forum, with bare line feeds, without
 * the line end before the first line, or with a mark where the byte of the sum could not be shown. The sum is
 * held over what was sent, carriage returns and all; a copy whose sum was lost has a wrong one.
 */
import { badChecksum, type Shape } from '../../runtime/sense/driver.ts'
import { asSent } from '../lineends.ts'

const blockMax = 1024

export const colon = 0x3a
const letterH = 0x48
const letterP = 0x50
const letterV = 0x56
const newline = 0x0a
const carriageReturn = 0x0d

export const shape: Shape = {
  starts: Uint8Array.of(carriageReturn, newline, letterP, letterH, colon),
  idle: new Uint8Array(0),
  sizeMax: blockMax,
  size(bytes, ended) {
    if (bytes[0] === colon) return hexSize(bytes, ended)
    const begun = beginning(bytes)
    if (begun !== true) return begun === 'more' && !ended ? 'more' : 0
    const end = endOf(bytes)
    if (end === undefined) return ended ? 0 : 'more'
    return isBlock(bytes.subarray(0, end), bytes.subarray(end, end + 2)) ? end : 0
  },
  flaw(frame) {
    if (frame[0] === colon) return undefined
    if (sumOf(whole(frame)) !== 0) return badChecksum
    return flawOfLines(linesOf(frame))
  },
}

function flawOfLines(lines: readonly string[]): string | undefined {
  if (!lines.every((line) => /^[A-Za-z0-9_#]{1,16}\t[ -~]*$/.test(line))) return 'broken line'
  return new Set(lines.map(labelOf)).size < lines.length ? 'two blocks in one' : undefined
}

/** The lines of a block without its checksum and without HEX frames. */
export function linesOf(frame: Uint8Array): string[] {
  const text = latin1(whole(frame)).slice(0, -2 - ending.length)
  return text
    .replace(/:[^\n]*\n/g, '')
    .split('\r\n')
    .slice(1)
}

const beginnings = ['\r\nPID\t', '\r\nH1\t', '\r\nV\t']
/** As it stands behind the line before it. */
const ending = '\nChecksum\t'

/** Whether a block begins here, however much of its line end was kept; 'more' when it takes more to say. */
function beginning(bytes: Uint8Array): boolean | 'more' {
  const text = latin1(bytes.subarray(0, 6))
  const kept = lineEndKept(bytes)
  const begun = beginnings.map((all) => all.slice(2 - kept))
  if (begun.some((all) => text.startsWith(all))) return true
  return begun.some((all) => all.startsWith(text)) ? 'more' : false
}

/** How many bytes of the line end before the first line are there: 2 as sent, 1 or 0 in copies. */
function lineEndKept(bytes: Uint8Array): 0 | 1 | 2 {
  return bytes[0] === carriageReturn ? 2 : bytes[0] === newline ? 1 : 0
}

/** Whether what ends so is a block, whole or broken; each broken one is told once, whatever it begins with. */
function isBlock(bytes: Uint8Array, behind: Uint8Array): boolean {
  const kept = lineEndKept(bytes)
  // The V of a line in the middle begins none; that of a BMV-600, which has no PID, does.
  if (bytes[kept] === letterV && !/\nBMV\t6/.test(latin1(bytes))) return false
  if (kept === 1 && bytes.subarray(0, -1).includes(carriageReturn)) return false
  if (sumOf(whole(bytes)) === 0) return kept > 0 || flawOfLines(linesOf(bytes)) === undefined
  return isLost(bytes.at(-1) ?? 0, behind) ? kept === 0 : kept > 0
}

/** Whether a mark stands where the byte of the sum was: `?`, U+FFFD or U+2E2E in UTF-8, or nothing. */
function isLost(byte: number, [first = 0, second = 0]: Uint8Array): boolean {
  if (byte === 0x3f || byte === carriageReturn || byte === newline) return true
  return (byte === 0xef && first === 0xbf && second === 0xbd) || (byte === 0xe2 && first === 0xb8)
}

/** Bytes up to and with the checksum; HEX frames inside are passed over, for they may hold anything. */
function endOf(bytes: Uint8Array): number | undefined {
  for (let at = 2; at < bytes.length; at += 1) {
    if (bytes[at] === colon) {
      const over = bytes.indexOf(newline, at)
      if (over < 0) return undefined
      at = over
    } else if (bytes[at] === newline && endsAt(bytes, at)) {
      const size = at + ending.length + 1
      return size <= bytes.length ? size : undefined
    }
  }
  return undefined
}

function endsAt(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < ending.length; i += 1) {
    if (bytes[at + i] !== ending.charCodeAt(i)) return false
  }
  return true
}

/** The bytes as the device sent them: with what a copy dropped of their line ends. The last is the sum. */
function whole(frame: Uint8Array): Uint8Array {
  const kept = lineEndKept(frame)
  if (kept === 2) return frame
  const body = asSent(frame.subarray(kept, -1))
  return Uint8Array.of(carriageReturn, newline, ...body, frame.at(-1) ?? 0)
}

/** `:` and at most 64 hex digits up to a line end, with their checksum; 0 for anything else. */
function hexSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  for (let at = 1; at < bytes.length && at <= 66; at += 1) {
    if (bytes[at] === newline) return hexHolds(latin1(bytes.subarray(1, at))) ? at + 1 : 0
    if (!/[0-9A-Fa-f]/.test(String.fromCharCode(bytes[at] ?? 0))) return 0
  }
  return ended || bytes.length > 66 ? 0 : 'more'
}

/** A command of one digit and bytes of two, which sum up to 55: without it, `b:2` of any sketch would be one. */
function hexHolds(digits: string): boolean {
  const bytes = digits.slice(1).match(/../g) ?? []
  const command = Number.parseInt(digits.slice(0, 1), 16)
  const sum = bytes.reduce((all, byte) => all + Number.parseInt(byte, 16), command)
  return digits.length % 2 === 1 && bytes.length > 0 && (sum & 0xff) === 0x55
}

function sumOf(frame: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < frame.length; at += 1) {
    if (frame[at] === colon && at < frame.length - 1) at = frame.indexOf(newline, at)
    else sum += frame[at] ?? 0
  }
  return sum & 0xff
}

function labelOf(line: string): string {
  return line.slice(0, line.indexOf('\t'))
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
