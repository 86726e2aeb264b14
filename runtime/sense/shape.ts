/**
 * Shapes: how the bytes of a line fall into frames, for the cutter in frame.ts.
 *
 *   headed     a fixed start, the size in the head     Plantower, UBX, Modbus, M-Bus, MH-Z19, SDS011
 *   stuffed    between two marks, bytes escaped        SHDLC, SML, SLIP
 *   textLine   a line of ASCII with a start character  NMEA 0183, AIS, D0; DSMR with its own `size`
 *
 * A driver with another shape writes the type below itself; nothing else in the runtime needs to know.
 */
export type Shape = {
  /** Bytes that a frame may begin with; all others are given up without a further look. */
  readonly starts: Uint8Array
  /** Bytes between frames that say nothing, such as line ends: passed over and not counted. */
  readonly idle: Uint8Array
  /** The largest frame; the cutter never holds more. */
  readonly sizeMax: number
  /**
   * The size of the frame that begins with these bytes: 0 when none does, 'more' when it takes more
   * bytes to say. `ended` is true when no more will come.
   */
  size(bytes: Uint8Array, ended: boolean): number | 'more'
  /**
   * The same of what begins at `from` in these bytes, of which those before `to` may be looked at. Left out,
   * `size` is handed a view of them, which costs as much as reading a line of text.
   */
  sizeAt?(bytes: Uint8Array, from: number, to: number, ended: boolean): number | 'more'
  /** Why a whole frame is not intact, in one of few fixed sentences; undefined when it is. */
  flaw(frame: Uint8Array): string | undefined
}

/** Frames with a fixed start and their size in the head, such as `42 4d <length> …`. */
export function headed(shape: {
  readonly start: Uint8Array
  /** Bytes that must be in hand before the size is known. */
  readonly headSize: number
  /** The whole frame in bytes, start to checksum; 0 when this head is of no frame. */
  readonly size: (head: DataView) => number
  readonly sizeMax: number
  readonly flaw: (frame: Uint8Array) => string | undefined
}): Shape {
  const { start, headSize, sizeMax, flaw } = shape
  return {
    starts: start.slice(0, 1),
    idle: new Uint8Array(0),
    sizeMax,
    flaw,
    size(bytes) {
      for (let i = 0; i < start.length && i < bytes.length; i += 1) {
        if (bytes[i] !== start[i]) return 0
      }
      if (bytes.length < headSize) return 'more'
      const whole = shape.size(new DataView(bytes.buffer, bytes.byteOffset, headSize))
      return whole > bytes.length ? 'more' : whole
    },
  }
}

/** Frames between two equal marks, in which the mark itself is escaped, such as `7e … 7e`. */
export function stuffed(shape: {
  readonly mark: number
  readonly sizeMax: number
  readonly flaw: (frame: Uint8Array) => string | undefined
}): Shape {
  const { mark, sizeMax, flaw } = shape
  return {
    starts: Uint8Array.of(mark),
    idle: new Uint8Array(0),
    sizeMax,
    flaw,
    size(bytes) {
      const end = bytes.indexOf(mark, 1)
      if (end < 0) return 'more'
      // Two marks in a row: the end of one frame and the start of the next.
      return end === 1 ? 0 : end + 1
    },
  }
}

/** Lines of printable ASCII that begin with one of `starts`; `size` or `sizeAt` may ask more of them. */
export function textLine(shape: {
  readonly starts: string
  readonly sizeMax: number
  readonly flaw: (frame: Uint8Array) => string | undefined
  readonly size?: Shape['size']
  readonly sizeAt?: NonNullable<Shape['sizeAt']>
}): Shape {
  const { starts, sizeMax, flaw, size, sizeAt = lineSize } = shape
  const line = {
    starts: Uint8Array.from(starts, (letter) => letter.charCodeAt(0)),
    idle: Uint8Array.of(0x0d, 0x0a),
    sizeMax,
    flaw,
  }
  if (size !== undefined) return { ...line, size }
  return { ...line, size: (bytes, ended) => sizeAt(bytes, 0, bytes.length, ended), sizeAt }
}

/** A number inside a frame, read at a byte offset. */
export const u16be = (frame: Uint8Array, at: number): number =>
  ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0)

export const i16be = (frame: Uint8Array, at: number): number => (u16be(frame, at) << 16) >> 16

/** 'bad checksum' unless the last two bytes are the sum, big-endian, of all bytes before them. */
export function sum16(frame: Uint8Array): string | undefined {
  let sum = 0
  for (let i = 0; i < frame.length - 2; i += 1) sum += frame[i] ?? 0
  return (sum & 0xffff) === u16be(frame, frame.length - 2) ? undefined : badChecksum
}

/** The exclusive or of these bytes, or of those from `from` up to `to`. */
export function xor8(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = 0
  for (let at = from; at < to; at += 1) sum ^= bytes[at] ?? 0
  return sum
}

/** The flaw of a frame whose checksum is wrong; `decode --no-checksum` overlooks this one and the next. */
export const badChecksum = 'bad checksum'
/** The flaw of a frame that should have a checksum and ends without. */
export const missingChecksum = 'no checksum where one belongs'

function lineSize(bytes: Uint8Array, from: number, to: number, ended: boolean): number | 'more' {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === 0x0d || byte === 0x0a) return at - from
    if (byte < 0x20 || byte > 0x7e) return 0
  }
  return ended ? to - from : 'more'
}
