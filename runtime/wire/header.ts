/**
 * The header: what a device signs about one epoch, and all that the world may see of it.
 *
 * Fixed width, big-endian, so that a contract or another language reads it by offset (docs/wire.md):
 *
 *     0 version 1 · 1 reserved · 2 u16 length of the header
 *     4 device 20 · 24 stream, ASCII, zero-padded 32 · 56 u32 generation · 60 u32 number
 *    64 hash of the stream's previous header 32                       ← the first 96 bytes: the place
 *    96 kind · 97 clock quality · 98 u16 flags (0) · 100 u32 count
 *   104 root 32 · 136 boot id 16
 *   152 opened monotonic · 160 opened wall · 168 closed monotonic · 176 closed wall: u64 ms (wall 0: unset)
 *   184 u32 body bytes · 188 reserved 4
 *   192 body hash · 224 key commitment · 256 terms · 288 setup: 32 each
 *   320 boot that sealed it 16 · 336 the tree head's signature 65      ← interrupted only
 *
 * Its signature (r‖s‖v, 65 bytes) stands beside it, over SHA-256("wayside/1 header\0" ‖ header).
 */
import { sha256 } from '#crypto'
import { type Address, addressBytes, addressFrom } from './address.ts'
import { equal, hex, text, unhex, utf8 } from './bytes.ts'
import type { ClockQuality } from './clock.ts'
import { must } from './malformed.ts'
import { isStreamName } from './reading.ts'

/** The five kinds we write; a number is a kind of a later version, to be reported and passed over. */
export type Kind = (typeof kindNames)[number] | number

/** Where an epoch stands: fixed when it opens, bound into the sealed body as its AAD. */
export type Place = {
  readonly device: Address
  readonly stream: string
  readonly generation: number
  readonly number: number
  /** SHA-256 of the stream's previous header without its signature; zeros before the first. */
  readonly previous: Uint8Array
}

export type Header = Place & {
  readonly kind: Kind
  readonly clock: ClockQuality
  readonly flags: number
  /** Readings in the epoch; zero for kinds that carry none. */
  readonly count: number
  readonly root: Uint8Array
  /** 32 hex digits. */
  readonly boot: string
  readonly openedMonotonicMs: number
  readonly openedWallMs?: number
  readonly closedMonotonicMs: number
  readonly closedWallMs?: number
  readonly bodyBytes: number
  readonly bodyHash: Uint8Array
  readonly commitment: Uint8Array
  readonly terms: Uint8Array
  readonly setup: Uint8Array
  /** Only of kind `interrupted`: which boot sealed it, and the signature of the last tree head. */
  readonly interrupted?: { readonly boot: string; readonly headSignature: Uint8Array }
}

export const headerSize = 320
export const interruptedSize = 401
export const placeSize = 96
export const signatureSize = 65
export const zeroHash = new Uint8Array(32)

export function encodePlace(place: Place): Uint8Array {
  const out = new Uint8Array(placeSize)
  writePlace(place, out, headerSize)
  // The length belongs to the header, not to the place that is fixed before its kind is known.
  out.fill(0, 2, 4)
  return out
}

export function encodeHeader(header: Header): Uint8Array {
  const { interrupted } = header
  if ((header.kind === 'interrupted') !== (interrupted !== undefined)) {
    throw new RangeError('an interrupted header, and no other, carries its last tree head')
  }
  const out = new Uint8Array(interrupted === undefined ? headerSize : interruptedSize)
  const view = new DataView(out.buffer)
  writePlace(header, out, out.length)
  out[96] = kindCode(header.kind)
  out[97] = clockNames.indexOf(header.clock)
  view.setUint16(98, header.flags)
  view.setUint32(100, header.count)
  out.set(header.root, 104)
  out.set(unhex(header.boot), 136)
  view.setBigUint64(152, BigInt(header.openedMonotonicMs))
  view.setBigUint64(160, BigInt(header.openedWallMs ?? 0))
  view.setBigUint64(168, BigInt(header.closedMonotonicMs))
  view.setBigUint64(176, BigInt(header.closedWallMs ?? 0))
  view.setUint32(184, header.bodyBytes)
  out.set(header.bodyHash, 192)
  out.set(header.commitment, 224)
  out.set(header.terms, 256)
  out.set(header.setup, 288)
  if (interrupted !== undefined) {
    out.set(unhex(interrupted.boot), 320)
    out.set(interrupted.headSignature, 336)
  }
  return out
}

/** Throws Malformed for bytes that `encodeHeader` would not have written, except for later kinds. */
export function decodeHeader(bytes: Uint8Array): Header {
  must(bytes.length >= headerSize, 'header: fewer than 320 bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  must(bytes[0] === 1, 'header: not version 1')
  must(view.getUint16(2) === bytes.length, 'header: its length is not what it says')
  must(bytes[1] === 0 && view.getUint32(188) === 0, 'header: reserved bytes are not zero')
  const code = bytes[96] ?? 0
  const kind: Kind = kindNames[code - 1] ?? code
  must(code !== 0, 'header: kind 0 is none')
  const size = kind === 'interrupted' ? interruptedSize : headerSize
  must(bytes.length === size || typeof kind === 'number', 'header: not the length of its kind')
  const clock = clockNames[bytes[97] ?? 255]
  must(clock !== undefined, 'header: no such clock quality')
  const times = readTimes(view, clock)
  const cut = (at: number, length: number) => bytes.slice(at, at + length)
  const interrupted = {
    boot: hex(cut(320, 16)).slice(2),
    headSignature: cut(336, signatureSize),
  }
  const sums = { count: view.getUint32(100), root: cut(104, 32), commitment: cut(224, 32) }
  checkSums(kind, sums)
  return {
    ...readPlace(bytes, view),
    kind,
    clock,
    flags: view.getUint16(98),
    ...sums,
    boot: hex(cut(136, 16)).slice(2),
    ...times,
    bodyBytes: view.getUint32(184),
    bodyHash: cut(192, 32),
    terms: cut(256, 32),
    setup: cut(288, 32),
    ...(kind === 'interrupted' ? { interrupted } : {}),
  }
}

/** What the next header of the stream names: SHA-256 of this one without its signature. */
export function headerHash(headerBytes: Uint8Array): Uint8Array {
  return sha256(headerBytes)
}

/** What the device signs. */
export function headerDigest(headerBytes: Uint8Array): Uint8Array {
  return sha256(headerTag, headerBytes)
}

function writePlace(place: Place, out: Uint8Array, length: number): void {
  if (!isStreamName(place.stream)) throw new RangeError(`not a stream name: ${place.stream}`)
  const view = new DataView(out.buffer)
  out[0] = 1
  view.setUint16(2, length)
  out.set(addressBytes(place.device), 4)
  out.set(utf8(place.stream), 24)
  view.setUint32(56, place.generation)
  view.setUint32(60, place.number)
  out.set(place.previous, 64)
}

function readPlace(bytes: Uint8Array, view: DataView): Place {
  const name = bytes.subarray(24, 56)
  const end = name.indexOf(0)
  const used = end === -1 ? name : name.subarray(0, end)
  must(
    used.every((byte) => byte < 0x80),
    'header: the stream is not ASCII',
  )
  const stream = text(used)
  must(isStreamName(stream), 'header: not a stream name')
  must(
    name.subarray(used.length).every((byte) => byte === 0),
    'header: the stream is not zero-padded',
  )
  return {
    device: addressFrom(bytes.subarray(4, 24)),
    stream,
    generation: view.getUint32(56),
    number: view.getUint32(60),
    previous: bytes.slice(64, 96),
  }
}

/** Empty epochs are not made, and what carries no readings has nothing to prove or to open. */
function checkSums(kind: Kind, { count, root, commitment }: Sums): void {
  if (typeof kind === 'number') return
  if (kind === 'readings' || kind === 'interrupted') {
    must(count > 0, 'header: an epoch without readings')
    return
  }
  const isClear = count === 0 && equal(root, zeroHash) && equal(commitment, zeroHash)
  must(isClear, 'header: count, root or commitment of a kind that has no readings')
}

type Sums = Pick<Header, 'count' | 'root' | 'commitment'>

function readTimes(view: DataView, clock: ClockQuality) {
  const ms = (at: number): number => {
    const value = view.getBigUint64(at)
    must(value <= BigInt(Number.MAX_SAFE_INTEGER), 'header: a time past 2^53 ms')
    return Number(value)
  }
  const [openedMonotonicMs, openedWall, closedMonotonicMs, closedWall] = [152, 160, 168, 176].map(
    ms,
  ) as [number, number, number, number]
  must(closedMonotonicMs >= openedMonotonicMs, 'header: closed before it opened')
  must(clock !== 'unset' || openedWall + closedWall === 0, 'header: wall time of an unset clock')
  return {
    openedMonotonicMs,
    closedMonotonicMs,
    ...(openedWall === 0 ? {} : { openedWallMs: openedWall }),
    ...(closedWall === 0 ? {} : { closedWallMs: closedWall }),
  }
}

function kindCode(kind: Kind): number {
  return typeof kind === 'number' ? kind : kindNames.indexOf(kind) + 1
}

const kindNames = ['readings', 'interrupted', 'tombstone', 'clock map', 'generation'] as const
const clockNames: readonly ClockQuality[] = ['unset', 'rtc', 'synced']
const headerTag = utf8('wayside/1 header\0')
