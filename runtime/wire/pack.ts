/**
 * Packs in a hurry: the bytes of `encodePack`, with everything that repeats from reading to reading (base
 * name, field names, units) written once and copied from then on. A test holds the two to equal bytes.
 */
import type { Address } from './address.ts'
import { unhex } from './bytes.ts'
import { encodeCbor } from './cbor.ts'
import type { Reading, Value } from './reading.ts'

/** The encoder of one device's packs. Every call returns fresh bytes. */
export function packEncoder(device: Address): (reading: Reading) => Uint8Array {
  const names = cache((path: string) => labelled(0x21, `${device}/${path}/`))
  const fields = cache((key: string) => {
    const [name = '', unit] = key.split('\n')
    const named = labelled(0x00, name)
    return unit === undefined ? [named] : [named, labelled(0x01, unit)]
  })
  const boots = cache((boot: string) => encodeCbor(unhex(boot)))
  const out = writer()

  return (reading) => {
    const { stream, subject, monotonicMs, wallMs, values, units } = reading
    const keys = Object.keys(values)
    out.begin()
    out.head(4, keys.length)
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as string
      const unit = units[key]
      const labels = fields(unit === undefined ? key : `${key}\n${unit}`)
      const time = i > 0 ? 0 : wallMs === undefined ? 2 : 3
      out.head(5, labels.length + 1 + time)
      for (const label of labels) out.bytes(label)
      out.value(values[key] as Value)
      if (i > 0) continue
      out.bytes(names(subject === undefined ? stream : `${stream}/${subject}`))
      if (wallMs === undefined) {
        out.bytes(bootLabel)
        out.bytes(boots(reading.boot))
      } else {
        out.byte(0x22)
        out.number(wallMs / 1000)
        out.bytes(monoLabel)
      }
      out.number(monotonicMs)
    }
    return out.end()
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
  const byte = (value: number) => {
    room(1)
    buffer[at] = value
    at += 1
  }
  const bytes = (value: Uint8Array) => {
    room(value.length)
    buffer.set(value, at)
    at += value.length
  }
  const head = (major: number, value: number) => {
    room(9)
    const type = major << 5
    if (value < 24) {
      buffer[at] = type | value
      at += 1
    } else if (value < 0x100) {
      view.setUint16(at, ((type | 24) << 8) | value)
      at += 2
    } else if (value < 0x1_0000) {
      buffer[at] = type | 25
      view.setUint16(at + 1, value)
      at += 3
    } else if (value < 0x1_0000_0000) {
      buffer[at] = type | 26
      view.setUint32(at + 1, value)
      at += 5
    } else {
      buffer[at] = type | 27
      view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000))
      view.setUint32(at + 5, value % 0x1_0000_0000)
      at += 9
    }
  }
  const number = (value: number) => {
    if (Number.isSafeInteger(value)) {
      if (value >= 0) head(0, value)
      else head(1, -1 - value)
    } else if (Math.fround(value) === value || !Number.isFinite(value)) {
      // Half and single precision have rules of their own, and are rare.
      bytes(encodeCbor(value))
    } else {
      room(9)
      buffer[at] = 0xfb
      view.setFloat64(at + 1, value)
      at += 9
    }
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
    /** A value behind the label of its type. */
    value(value: Value): void {
      if (typeof value === 'number') {
        byte(0x02)
        number(value)
        return
      }
      byte(valueLabel(value))
      bytes(encodeCbor(value))
    },
  }
}

function valueLabel(value: Value): number {
  if (typeof value === 'string') return 0x03
  if (typeof value === 'boolean') return 0x04
  return typeof value === 'bigint' ? 0x02 : 0x08
}

/** A map's label and the text under it. */
function labelled(label: number, name: string): Uint8Array {
  return Uint8Array.of(label, ...encodeCbor(name))
}

/** Keeps what was made, up to a bound: ships come and go on one line. */
function cache<T>(make: (key: string) => T): (key: string) => T {
  const kept = new Map<string, T>()
  return (key) => {
    const found = kept.get(key)
    if (found !== undefined) return found
    if (kept.size >= cachedMax) kept.clear()
    const made = make(key)
    kept.set(key, made)
    return made
  }
}

const cachedMax = 1024
const monoLabel = encodeCbor('mono')
/** The key, and the head of the list of two behind it. */
const bootLabel = Uint8Array.of(...encodeCbor('boot_'), 0x82)
