/**
 * Packs in a hurry: the bytes of `encodePack`, with everything that repeats from reading to reading (base
 * name, field names, units) written once and copied from then on. A test holds the two to equal bytes.
 */
import type { Address } from './address.ts'
import { concat, unhex } from './bytes.ts'
import { encodeCbor } from './cbor.ts'
import { type Reading, unitOf, type Value } from './reading.ts'
import type { Unit } from './units.ts'

/** The encoder of one device's packs. Every call returns fresh bytes. */
export function packEncoder(device: Address): (reading: Reading) => Uint8Array {
  const shapes = new Map<string, Shape>()
  const out = writer()

  const shapeOf = (reading: Reading): Shape => {
    const { stream, subject } = reading
    const path = subject === undefined ? stream : `${stream}/${subject}`
    const known = shapes.get(path)
    if (known !== undefined && fits(known, reading)) return known
    // Ships come and go on one line: the bound keeps the cache from growing with them.
    if (shapes.size >= shapesMax) shapes.clear()
    const shape = shapeFor(reading, `${device}/${path}/`)
    shapes.set(path, shape)
    return shape
  }

  return (reading) => {
    const { monotonicMs, wallMs, values } = reading
    const { names, records, base, boot } = shapeOf(reading)
    out.begin()
    out.head(4, names.length)
    for (let i = 0; i < names.length; i += 1) {
      const members = i > 0 ? 0 : wallMs === undefined ? 2 : 3
      out.record(records[i] as Uint8Array, members)
      out.value(values[names[i] as string] as Value)
      if (i > 0) continue
      out.bytes(base)
      if (wallMs === undefined) out.bytes(boot)
      else {
        out.byte(0x22)
        out.number(wallMs / 1000)
        out.bytes(monoLabel)
      }
      out.number(monotonicMs)
    }
    return out.end()
  }
}

/** What one source's readings have in common, spelled. */
type Shape = {
  readonly names: readonly string[]
  readonly units: readonly (Unit | undefined)[]
  readonly bootId: string
  /** Of each field: the map's head, its name, its unit. */
  readonly records: readonly Uint8Array[]
  readonly base: Uint8Array
  /** The label `boot_` and the boot id behind it, up to the time. */
  readonly boot: Uint8Array
}

function fits(shape: Shape, reading: Reading): boolean {
  const { boot, values } = reading
  let i = 0
  for (const name in values) {
    if (shape.names[i] !== name || shape.units[i] !== unitOf(reading, name)) return false
    i += 1
  }
  return i === shape.names.length && boot === shape.bootId
}

function shapeFor(reading: Reading, base: string): Shape {
  const { boot, values } = reading
  const names = Object.keys(values)
  return {
    names,
    units: names.map((name) => unitOf(reading, name)),
    bootId: boot,
    records: names.map((name) => {
      const unit = unitOf(reading, name)
      const named = labelled(0x00, name)
      return unit === undefined
        ? concat(Uint8Array.of(0xa2), named)
        : concat(Uint8Array.of(0xa3), named, labelled(0x01, unit))
    }),
    base: labelled(0x21, base),
    boot: concat(encodeCbor('boot_'), Uint8Array.of(0x82), encodeCbor(unhex(boot))),
  }
}

/** A growing buffer that knows how CBOR spells (RFC 8949 §3). */
function writer() {
  let buffer = new Uint8Array(4096)
  let view = new DataView(buffer.buffer)
  let at = 0

  const room = (size: number) => {
    if (at + size <= buffer.length) return
    const larger = new Uint8Array(2 * (at + size))
    larger.set(buffer)
    buffer = larger
    view = new DataView(buffer.buffer)
  }
  const bytes = (value: Uint8Array) => {
    room(value.length)
    // For a name of a few bytes a loop is quicker than a call into the engine.
    if (value.length > 48) buffer.set(value, at)
    else for (let i = 0; i < value.length; i += 1) buffer[at + i] = value[i] as number
    at += value.length
  }
  const byte = (value: number) => {
    room(1)
    buffer[at] = value
    at += 1
  }
  const head = (major: number, value: number) => {
    room(9)
    at += writeHead(view, at, major << 5, value)
  }
  const number = (value: number) => {
    room(9)
    const size = writeNumber(view, at, value)
    if (size > 0) at += size
    else bytes(encodeCbor(value))
  }

  return {
    begin(): void {
      at = 0
    },
    end: () => buffer.slice(0, at),
    byte,
    bytes,
    head,
    number,
    /** A record's beginning, whose map has so many members more. */
    record(beginning: Uint8Array, more: number): void {
      const start = at
      bytes(beginning)
      buffer[start] = (beginning[0] as number) + more
    },
    /** A value behind the label of its type. */
    value(value: Value): void {
      byte(valueLabel(value))
      if (typeof value === 'number') number(value)
      else bytes(encodeCbor(value))
    },
  }
}

/** Writes a whole or double-precision number; returns its size, or 0 for the rare rest. */
function writeNumber(view: DataView, at: number, value: number): number {
  if (Number.isSafeInteger(value)) {
    return value >= 0 ? writeHead(view, at, 0x00, value) : writeHead(view, at, 0x20, -1 - value)
  }
  // Half and single precision have rules of their own.
  if (Math.fround(value) === value || !Number.isFinite(value)) return 0
  view.setUint8(at, 0xfb)
  view.setFloat64(at + 1, value)
  return 9
}

/** Writes a head in its shortest spelling; returns its size. */
function writeHead(view: DataView, at: number, type: number, value: number): number {
  if (value < 24) {
    view.setUint8(at, type | value)
    return 1
  }
  if (value < 0x100) {
    view.setUint16(at, ((type | 24) << 8) | value)
    return 2
  }
  if (value < 0x1_0000) {
    view.setUint8(at, type | 25)
    view.setUint16(at + 1, value)
    return 3
  }
  if (value < 0x1_0000_0000) {
    view.setUint8(at, type | 26)
    view.setUint32(at + 1, value)
    return 5
  }
  view.setUint8(at, type | 27)
  view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 5, value % 0x1_0000_0000)
  return 9
}

function valueLabel(value: Value): number {
  if (typeof value === 'number' || typeof value === 'bigint') return 0x02
  if (typeof value === 'string') return 0x03
  return typeof value === 'boolean' ? 0x04 : 0x08
}

/** A map's label and the text under it. */
function labelled(label: number, name: string): Uint8Array {
  return concat(Uint8Array.of(label), encodeCbor(name))
}

const shapesMax = 1024
const monoLabel = encodeCbor('mono')
