/**
 * Where a file of SML begins and ends on a serial line (SML transport protocol, version 1):
 *
 *   1b1b1b1b 01010101        start
 *   …                        messages, then up to three zeros, so that all is a multiple of four
 *   1b1b1b1b 1a 03 e566      end, how many zeros, CRC of everything before it
 *
 * Four bytes 1b inside are sent twice. The CRC is X.25, low byte first; Holley's meters send that of Kermit
 * (begun with zeros, not inverted), high byte first.
 *
 * Source: BSI TR-03109-1 annex IV, "Smart Message Language" 1.04 §8.
 */
import type { Shape } from '../../runtime/sense/driver.ts'
import { reflectedCrc } from '../crc.ts'

/** Lists of meters are below 1 KiB, signed ones of EDL40 below 2. */
const fileMax = 8192

export const shape: Shape = {
  starts: Uint8Array.of(0x1b),
  idle: new Uint8Array(0),
  sizeMax: fileMax,
  size(bytes) {
    for (let at = 0; at < 8; at += 1) {
      if (at >= bytes.length) return 'more'
      if (bytes[at] !== (at < 4 ? mark : 0x01)) return 0
    }
    return sizeToEnd(bytes)
  },
  flaw(frame) {
    const [high = 0, low = 0] = frame.subarray(-2)
    return checks(frame.subarray(0, -2), high * 256 + low) ? undefined : 'bad checksum'
  },
}

/** Whether this is the CRC, as it stands in the bytes, in either way. */
export function checks(bytes: Uint8Array, sent: number): boolean {
  const right = x25(bytes) ^ 0xffff
  return sent === (((right & 0xff) << 8) | (right >> 8)) || sent === kermit(bytes)
}

/** The messages in an intact frame: without its marks and zeros, what was sent twice once. */
export function contentOf(frame: Uint8Array): Uint8Array {
  const padding = Math.min(frame[frame.length - 3] ?? 0, 3)
  const sent = frame.subarray(8, frame.length - 8 - padding)
  const content: number[] = []
  let run = 0
  for (const byte of sent) {
    run = byte === mark ? run + 1 : 0
    if (run === 8) {
      content.length -= 3
      run = 0
    } else content.push(byte)
  }
  return Uint8Array.from(content)
}

const mark = 0x1b
const end = 0x1a
const x25 = reflectedCrc(0x8408, 0xffff)
const kermit = reflectedCrc(0x8408, 0)

/** Runs of 1b, eight of which are four of the data; four more are a mark, and what follows says which. */
function sizeToEnd(bytes: Uint8Array): number | 'more' {
  for (let at = 8; at < bytes.length; ) {
    let next = at
    while (bytes[next] === mark) next += 1
    if (next >= bytes.length) return 'more'
    const isMark = (next - at) % 8 >= 4
    if (isMark && bytes[next] === end) return next + 4 <= bytes.length ? next + 4 : 'more'
    // Another beginning, or a mark that nobody sends: this file was cut off.
    if (isMark) return 0
    at = next + 1
  }
  return 'more'
}
