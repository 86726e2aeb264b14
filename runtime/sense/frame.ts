/**
 * Cuts a byte stream into frames.
 *
 * A serial port deals bytes in arbitrary pieces. When the bytes in hand are not a frame, the cutter gives
 * up one byte, never a whole frame: the next true start may hide inside the broken one. What it gives up
 * it counts, so that a noisy cable shows in the health report; a frame that is whole but not intact is
 * handed out with its flaw, to be counted as a doubt. It never holds more than one frame between calls.
 */
import type { Shape } from './shape.ts'

/** One whole frame: where it began in the stream, and what is wrong with it, if anything. */
export type Frame = {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly flaw?: string
}

export type Cutter = {
  /** Takes the next bytes; the frames that are now whole, in order. */
  push(chunk: Uint8Array): Frame[]
  /** The line has ended: the frames in what is still held. */
  finish(): Frame[]
  /** Gives up what is held; from here on frames are cut by this shape. */
  drop(next: Shape): void
  /** Bytes given up so far, line ends between frames not counted. */
  skipped(): number
  /** Where the bytes still held begin. */
  heldFrom(): number
}

export function cutter(first: Shape): Cutter {
  let shape = first
  let roles = rolesIn(first)
  let held: Uint8Array = nothing
  let heldFrom = 0
  let skipped = 0

  function cut(bytes: Uint8Array, ended: boolean): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < bytes.length) {
      const role = roles[bytes[at] as number] as number
      const size = role & start ? frameSize(shape, bytes, at, ended) : 0
      if (size === 'more') break
      const offset = heldFrom + at
      const found = size > 0 ? frameOf(shape, offset, viewOf(bytes, at, at + size)) : undefined
      if (found !== undefined) frames.push(found)
      const intact = found !== undefined && found.flaw === undefined
      if (!intact && !(role & idle)) skipped += 1
      at += intact ? size : 1
    }
    held = at < bytes.length ? bytes.subarray(at) : nothing
    heldFrom += at
    return frames
  }

  return {
    push(chunk) {
      // A copy, of which frames are views: whoever hands in the chunk may write over it.
      return cut(held.length === 0 ? new Uint8Array(chunk) : joined(held, chunk), false)
    },
    finish: () => cut(held, true),
    drop(next) {
      shape = next
      roles = rolesIn(next)
      skipped += held.length
      heldFrom += held.length
      held = nothing
    },
    skipped: () => skipped,
    heldFrom: () => heldFrom,
  }
}

const nothing = new Uint8Array(0)

/** What a byte may be between frames: the start of one, of no account, both or neither. */
const start = 1
const idle = 2

/** For each of the 256 bytes its role, worked out once a shape: a polled line changes shapes at every turn. */
const rolesOf = new WeakMap<Shape, Uint8Array>()

function rolesIn(shape: Shape): Uint8Array {
  const known = rolesOf.get(shape)
  if (known !== undefined) return known
  const roles = new Uint8Array(256)
  for (const byte of shape.starts) roles[byte] = start
  for (const byte of shape.idle) roles[byte] = (roles[byte] ?? 0) | idle
  rolesOf.set(shape, roles)
  return roles
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

/** The bytes themselves where they are all asked for: a view costs as much as reading a short frame. */
function viewOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return from === 0 && to >= bytes.length ? bytes : bytes.subarray(from, to)
}

function frameOf(shape: Shape, offset: number, bytes: Uint8Array): Frame {
  const flaw = shape.flaw(bytes)
  return flaw === undefined ? { offset, bytes } : { offset, bytes, flaw }
}

/** Size of the frame that begins here, 0 when none does, 'more' when it takes more bytes to say. */
function frameSize(shape: Shape, bytes: Uint8Array, from: number, ended: boolean): number | 'more' {
  const to = Math.min(from + shape.sizeMax, bytes.length)
  const size =
    shape.sizeAt === undefined
      ? shape.size(viewOf(bytes, from, to), ended)
      : shape.sizeAt(bytes, from, to, ended)
  if (size !== 'more') return size > shape.sizeMax ? 0 : size
  return ended || to - from >= shape.sizeMax ? 0 : 'more'
}
