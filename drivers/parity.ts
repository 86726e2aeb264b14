/**
 * Lines of seven data bits and even parity that were read as eight bits without: each byte has its parity in
 * front, and `/` is af. A port that is opened as the driver says takes the parity off itself; what was kept
 * of one that was not, `cat` with no `stty` before it, is read here.
 */
import type { Shape } from '../runtime/sense/driver.ts'

/** The frames of a shape whose every start is seven bits, as they are or with their parity. */
export function orWithParity(shape: Shape): Shape {
  return {
    ...shape,
    starts: both(shape.starts),
    idle: both(shape.idle),
    size: (bytes, ended) => shape.size(withoutParity(bytes), ended),
    flaw(frame) {
      if (hasParity(frame) && !frame.every(isEven)) return 'wrong parity'
      return shape.flaw(withoutParity(frame))
    },
  }
}

/** The seven bits of each byte, where the first has its parity; else the bytes themselves. */
export function withoutParity(bytes: Uint8Array): Uint8Array {
  return hasParity(bytes) ? bytes.map((byte) => byte & 0x7f) : bytes
}

function both(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(
    new Set([...bytes, ...bytes.map((byte) => (isEven(byte) ? byte : byte | 0x80))]),
  )
}

function hasParity([first = 0]: Uint8Array): boolean {
  return first >= 0x80
}

function isEven(byte: number): boolean {
  let bits = byte ^ (byte >> 4)
  bits ^= bits >> 2
  return ((bits ^ (bits >> 1)) & 1) === 0
}
