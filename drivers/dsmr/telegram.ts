/**
 * Where a telegram of P1 begins and ends, and whether it is intact: `/` … `!` and its CRC, or the encrypted
 * frame of cipher.ts. In the clear it is lines of ASCII, from which a new beginning is told at once.
 */
import { badChecksum, missingChecksum, type Shape } from '../../runtime/sense/driver.ts'
import { reflectedCrc } from '../crc.ts'
import { dataSets } from '../d0/dataset.ts'
import { asSent } from '../lineends.ts'
import { orWithParity } from '../parity.ts'
import { sealedMax, sealedSize, sealedStart } from './cipher.ts'

export const shape: Shape = {
  starts: Uint8Array.of(0x2f, sealedStart),
  idle: Uint8Array.of(0x0d, 0x0a),
  // A message of 1,024 characters is 2 KiB of hex; with thirteen months and four channels it is below 5.
  sizeMax: sealedMax,
  size: (bytes, ended) => (bytes[0] === sealedStart ? sealedSize(bytes) : textSize(bytes, ended)),
  flaw: (frame) => (frame[0] === sealedStart ? undefined : textFlaw(frame)),
}

/** DSMR 2 and 3: seven bits with parity, and in the clear. */
export const earlyShape: Shape = orWithParity({
  ...{ starts: Uint8Array.of(0x2f), idle: shape.idle, sizeMax: shape.sizeMax },
  ...{ size: textSize, flaw: textFlaw },
})

/** Size up to and with the CRC, if there is one; 0 where no telegram begins. */
export function textSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  let lines = 0
  let inside = false
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (at <= 3 && !isLetter(byte)) return 0
    const startsLine = bytes[at - 1] === newline
    if (startsLine) lines += 1
    if (startsLine && byte === slash) return 0
    // Some end their last line with it, and not the line before.
    const endsLine = bytes[at - 1] === brace && lines > 0
    if ((startsLine || endsLine) && byte === exclamation) return endSize(bytes, at + 1, ended)
    if (byte === opening || byte === brace || byte === newline) inside = byte === opening
    // What type it is, is said in any letters, and so may a message be; one never written is 1,024 times ff.
    const isLetters = lines === 0 || (inside && byte >= 0x80)
    if (!isLetters && byte !== newline && byte !== 0x0d && (byte < 0x20 || byte > 0x7e)) return 0
    if (lines === 0 && at > identificationMax) return 0
  }
  return 'more'
}

/** Four digits of CRC, fewer where its zeros were left out, or none; only what follows says which. */
function endSize(bytes: Uint8Array, from: number, ended: boolean): number | 'more' {
  for (let at = from; at < from + 4; at += 1) {
    const byte = bytes[at]
    if (byte === undefined) return ended ? at : 'more'
    if (!/[0-9A-Fa-f]/.test(String.fromCharCode(byte))) return at
  }
  return from + 4
}

/** Why a whole telegram is not intact. Meters before DSMR 4 have no CRC: every line must be well formed then. */
export function textFlaw(frame: Uint8Array): string | undefined {
  const { covered, digits, block } = partsOf(frame)
  if (digits !== '') return fits(covered, Number.parseInt(digits, 16)) ? undefined : badChecksum
  if (/^(1-3:0\.2\.8|0-0:96\.1\.4)\(/m.test(block)) return missingChecksum
  const { sets, whole } = dataSets(block)
  return whole && sets.length > 0 && !/[\x80-\xff]/.test(block) ? undefined : 'broken line'
}

/** Whether it says a CRC; meters before DSMR 4 do not. */
export function hasCrc(frame: Uint8Array): boolean {
  return partsOf(frame).digits !== ''
}

/** A telegram in its parts: `/` to `!`, the digits behind, the first line, and the data sets. */
export function partsOf(frame: Uint8Array) {
  const end = frame.lastIndexOf(exclamation)
  const text = latin1(frame.subarray(0, end))
  const line = text.search(/[\r\n]/)
  return {
    covered: frame.subarray(0, end + 1),
    digits: latin1(frame.subarray(end + 1)).trim(),
    identification: text.slice(1, line < 0 ? undefined : line),
    block: line < 0 ? '' : text.slice(line),
  }
}

const crc16 = reflectedCrc(0xa001, 0)
const x25 = reflectedCrc(0x8408, 0xffff)

/** Holley's DTSD545, in Hungary, makes the CRC of X.25 (dsmr_parser, issue 91). */
function fits(bytes: Uint8Array, crc: number): boolean {
  const isHolley = latin1(bytes.subarray(1, 4)) === 'HLY'
  return [bytes, asSent(bytes)].some(
    (sent) => crc16(sent) === crc || (isHolley && (x25(sent) ^ 0xffff) === crc),
  )
}

/** IEC 62056-21 §6.3.2 allows 16 characters behind maker and speed. */
const identificationMax = 64

const slash = 0x2f
const exclamation = 0x21
const opening = 0x28
const brace = 0x29
const newline = 0x0a

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
