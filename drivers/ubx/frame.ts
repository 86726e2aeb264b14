/**
 * The three languages of a u-blox port, told apart by their first byte, and where their frames end.
 *
 * A length in a UBX head is believed only where it is one that its message can have: a flipped bit there
 * would otherwise swallow seconds of what follows.
 */
import { badChecksum, type Shape } from '../../runtime/sense/driver.ts'
import { nmea0183 } from '../nmea0183/index.ts'
import { messages } from './messages.ts'

export const [sync1, sync2, rtcm] = [0xb5, 0x62, 0xd3]

/** What no table knows may be as long as the raw measurements of all satellites that a receiver can see. */
const payloadMax = 8192

export const shape: Shape = {
  starts: Uint8Array.of(sync1, rtcm, ...nmea0183.shape.starts),
  idle: nmea0183.shape.idle,
  sizeMax: payloadMax + 8,
  size(bytes, ended) {
    if (bytes[0] === sync1) return ubxSize(bytes)
    if (bytes[0] === rtcm) return rtcmSize(bytes)
    return sentenceSize(bytes, ended)
  },
  flaw(frame) {
    if (frame[0] === sync1) return fletcher(frame) ? undefined : badChecksum
    if (frame[0] === rtcm) return crc24(frame) === 0 ? undefined : badChecksum
    return nmea0183.shape.flaw(frame)
  },
}

/** A whole message: two marks, class, id, length, payload, and the check over all but the marks. */
export function message(group: number, id: number, payload: readonly number[]): Uint8Array {
  const size = payload.length
  const frame = Uint8Array.of(sync1, sync2, group, id, size & 0xff, size >> 8, ...payload, 0, 0)
  frame.set(sums(frame), frame.length - 2)
  return frame
}

function ubxSize(bytes: Uint8Array): number | 'more' {
  if (bytes.length > 1 && bytes[1] !== sync2) return 0
  if (bytes.length < 6) return 'more'
  const [, , group = 0, id = 0, low = 0, high = 0] = bytes
  const payload = low | (high << 8)
  if (!canBe(group, id, payload)) return 0
  const whole = payload + 8
  return whole > bytes.length ? 'more' : whole
}

/** Later firmware lengthens a message by a few bytes, and a poll has no payload at all. */
const growthMax = 64

function canBe(group: number, id: number, payload: number): boolean {
  const known = messages[(group << 8) | id]
  if (known === undefined) return payload <= payloadMax
  if (known.more !== undefined) return payload <= 40 + 30 * 128
  return payload === 0 || (payload >= known.size && payload <= known.size + growthMax)
}

function sentenceSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  const { sizeMax, size } = nmea0183.shape
  const found = size(bytes.length > sizeMax ? bytes.subarray(0, sizeMax) : bytes, ended)
  return found === 'more' && bytes.length >= sizeMax ? 0 : found
}

/** Six zero bits, ten bits of length, the message, and a CRC of 24 bits (RTCM 10403.3 §4). */
function rtcmSize(bytes: Uint8Array): number | 'more' {
  if (bytes.length > 1 && ((bytes[1] ?? 0) & 0xfc) !== 0) return 0
  if (bytes.length < 3) return 'more'
  const whole = (((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0)) + 6
  return whole > bytes.length ? 'more' : whole
}

function fletcher(frame: Uint8Array): boolean {
  const [a, b] = sums(frame)
  return a === frame.at(-2) && b === frame.at(-1)
}

/** Fletcher's two sums over class, id, length and payload (RFC 1145, kept to 8 bits). */
function sums(frame: Uint8Array): [number, number] {
  let [a, b] = [0, 0]
  for (let at = 2; at < frame.length - 2; at += 1) {
    a = (a + (frame[at] ?? 0)) & 0xff
    b = (b + a) & 0xff
  }
  return [a, b]
}

/** CRC-24Q, zero over a frame with its CRC. */
function crc24(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x800000 ? (crc << 1) ^ 0x1864cfb : crc << 1
  }
  return crc & 0xffffff
}
