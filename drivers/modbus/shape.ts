/**
 * Where RTU frames begin and end. RTU marks neither: a silence of 3.5 characters does, which a USB adapter
 * does not pass on. So length and CRC end a frame: the length follows from the function, and from a count.
 *
 *   answerShape   a line on which we asked: only the answer to that question is one
 *   lineShape     a line that is only heard: both directions, and the same bytes may begin either
 */
import type { Shape } from '../../runtime/sense/driver.ts'
import { answerSize, expectedSize } from './answer.ts'
import { crcHolds } from './crc.ts'
import { ownSize } from './own.ts'
import { encodeRequest, frameSizeMax, type Request, requestSize } from './request.ts'

/**
 * The answer of this unit to this request, or its exception; all else is given up byte by byte. So is the
 * request itself, which adapters of two wires hear when they send it.
 */
export function answerShape(unit: number, request: Request): Shape {
  const size = expectedSize(request)
  const reads = 'count' in request
  const sent = encodeRequest(unit, request)
  return {
    starts: Uint8Array.of(unit),
    idle: new Uint8Array(0),
    sizeMax: frameSizeMax,
    flaw: badChecksum,
    size(bytes) {
      const code = bytes[1]
      const count = bytes[2]
      if (code === undefined) return 'more'
      if (code === (request.function | 0x80)) return bytes.length < 5 ? 'more' : 5
      if (code !== request.function) return 0
      if (reads && count === undefined) return 'more'
      if (reads && count !== size - 5) return 0
      if (reads && isEcho(bytes, sent) && !crcHolds(bytes.subarray(0, size))) {
        return bytes.length < sent.length ? 'more' : 0
      }
      const whole = reads ? size : answerSize(bytes)
      if (whole === 'more' || whole === 0) return whole
      return bytes.length < whole ? 'more' : whole
    },
  }
}

/**
 * Every frame of either direction. A frame that is whole both ways is the one whose CRC holds, and so is one
 * that no book knows (own.ts).
 */
export const lineShape: Shape = {
  starts: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  idle: new Uint8Array(0),
  sizeMax: frameSizeMax,
  flaw: badChecksum,
  size(bytes, ended) {
    const sizes = [answerSize(bytes), requestSize(bytes)]
    const whole = sizes.filter(
      (size): size is number => size !== 'more' && size > 0 && size <= bytes.length,
    )
    const intact = whole.find((size) => crcHolds(bytes.subarray(0, size)))
    if (intact !== undefined) return intact
    const own = ownSize(bytes)
    if (own !== 'more' && own > 0) return own
    const longer = [...sizes, own].some((size) => size === 'more' || size > bytes.length)
    if (longer && !ended) return 'more'
    return whole.length === 0 ? 0 : Math.min(...whole)
  },
}

/** These bytes are the first, or all, of what was sent. Most are not by their third. */
function isEcho(bytes: Uint8Array, sent: Uint8Array): boolean {
  const many = Math.min(bytes.length, sent.length)
  for (let at = 2; at < many; at += 1) if (bytes[at] !== sent[at]) return false
  return true
}

function badChecksum(frame: Uint8Array): string | undefined {
  return crcHolds(frame) ? undefined : 'bad checksum'
}
