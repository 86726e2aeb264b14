/**
 * A reading: one moment of one sensor, as one self-contained SenML-CBOR pack (RFC 8428 §6).
 *
 * The first record carries the base name and the time, every record one field:
 *
 *   base name   `<device>/<stream>/`, then `<subject>/` where one line carries several subjects
 *   clock set   base time in seconds since 1970, and `mono`: ms since boot when the first byte was read
 *   clock unset `boot_`: [boot id, ms since boot]; the `_` makes it must-understand (RFC 8428 §4.4), so
 *               that no reader takes the pack's missing time for "now"
 *   field       name, unit (absent when it has none), and `v`, `vb`, `vs` or `vd`
 */
import type { Address } from './address.ts'
import { parseAddress } from './address.ts'
import { hex, unhex } from './bytes.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from './cbor.ts'
import { Malformed, must } from './malformed.ts'
import { isUnit, type Unit } from './units.ts'

/** A number, a counter past 2^53 (bigint, up to 64 bits), a truth, a text, or bytes such as a digest. */
export type Value = number | bigint | boolean | string | Uint8Array

export type Reading = {
  /** The stream it belongs to: see `isStreamName`. */
  readonly stream: string
  /** Whose moment it is when several share one line: a ship, a meter, a slave. Not empty, no slash. */
  readonly subject?: string
  /** Which run of the device: 32 lower-case hex digits. */
  readonly boot: string
  /** Whole milliseconds since boot when the first byte was read: always known, never steps. */
  readonly monotonicMs: number
  /** Milliseconds since 1970, UTC, for the same instant; absent while the clock is unset. */
  readonly wallMs?: number
  /** At least one field, in the driver's order. */
  readonly values: Readonly<Record<string, Value>>
  /** The unit of each field that has one. */
  readonly units: Readonly<Record<string, Unit>>
}

/** Stream names: a small letter, then small letters, digits, `_`, `-` or `.`; at most 32 in all. */
export function isStreamName(name: string): boolean {
  return /^[a-z][a-z0-9_.-]{0,31}$/.test(name)
}

/** Field names: what RFC 8428 §4.5.1 allows in a name, OBIS codes too, without `/`; at most 64. */
export function isFieldName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/.test(name)
}

/** Subjects: as field names without `:`, so that they are safe wherever names are joined. */
export function isSubject(name: string): boolean {
  return isFieldName(name) && !name.includes(':')
}

/** The last moment that a date can name (ECMA-262 §21.4.1.1), in seconds since 1970. */
const lastTimeS = 8.64e12

/** Below this many seconds SenML means "relative to now" (RFC 8428 §4.5.3). */
const absoluteTimeS = 2 ** 28

const label = { bn: -2, bt: -3, n: 0, u: 1, v: 2, vs: 3, vb: 4, vd: 8 } as const

/** The unit of a field. A sensor may name one `constructor`, which every object has of its own accord. */
export function unitOf({ units }: Pick<Reading, 'units'>, field: string): Unit | undefined {
  return Object.hasOwn(units, field) ? units[field] : undefined
}

/** The pack of a reading that `device` took. */
export function encodePack(reading: Reading, device: Address): Uint8Array {
  const { stream, subject, monotonicMs, wallMs } = reading
  const name = `${device}/${stream}/${subject === undefined ? '' : `${subject}/`}`
  const time: [number | string, Cbor][] =
    wallMs === undefined
      ? [['boot_', [unhex(reading.boot), monotonicMs]]]
      : [
          [label.bt, wallMs / 1000],
          ['mono', monotonicMs],
        ]
  const records = Object.entries(reading.values).map(([field, value], i) => {
    const unit = unitOf(reading, field)
    const record: [number | string, Cbor][] = i === 0 ? [[label.bn, name], ...time] : []
    record.push([label.n, field])
    if (unit !== undefined) record.push([label.u, unit])
    record.push([valueLabel(value), value])
    return new Map(record)
  })
  return encodeCbor(records)
}

/** A pack read back: the reading, and the device that its name claims. */
export type Pack = { readonly device: Address; readonly reading: Reading }

/**
 * Reads a pack. `boot` is the boot that the epoch's header names: a pack with a set clock does not repeat
 * it. Throws Malformed for whatever `encodePack` would not have written.
 */
export function decodePack(bytes: Uint8Array, boot: string): Pack {
  const records = decodeCbor(bytes, 'pack')
  must(Array.isArray(records) && records.length > 0, 'pack: not a list of records')
  const fields = (records as readonly Cbor[]).map((record, i) => field(record, i === 0))
  const [first] = records as readonly CborMap[]
  must(first !== undefined, 'pack: no records')
  const { device, stream, subject } = splitName(first.get(label.bn))
  const values: Record<string, Value> = {}
  const units: Record<string, Unit> = {}
  for (const { name, unit, value } of fields) {
    must(!Object.hasOwn(values, name), 'pack: a field twice')
    values[name] = value
    if (unit !== undefined) units[name] = unit
  }
  const time = packTime(first, boot)
  const named = subject === undefined ? { stream } : { stream, subject }
  return { device, reading: { ...named, ...time, values, units } }
}

function valueLabel(value: Value): number {
  if (typeof value === 'string') return label.vs
  if (typeof value === 'boolean') return label.vb
  return value instanceof Uint8Array ? label.vd : label.v
}

function field(record: Cbor, first: boolean) {
  must(record instanceof Map, 'pack: a record is not a map')
  const keys = [...record.keys()]
  const known: (number | string)[] = [label.n, label.u, label.v, label.vs, label.vb, label.vd]
  if (first) known.push(label.bn, label.bt, 'mono', 'boot_')
  must(
    keys.every((key) => known.includes(key)),
    'pack: a label that this version does not know',
  )
  const name = record.get(label.n)
  must(typeof name === 'string' && isFieldName(name), 'pack: not a field name')
  const unit = record.get(label.u)
  must(unit === undefined || (typeof unit === 'string' && isUnit(unit)), 'pack: unknown unit')
  const held = [label.v, label.vs, label.vb, label.vd].filter((key) => record.has(key))
  must(held.length === 1, 'pack: a field has one value')
  const value = record.get(held[0] as number) as Value
  must(isValue(value) && valueLabel(value) === held[0], 'pack: value of another type')
  return { name, unit, value }
}

function isValue(value: Cbor | undefined): value is Value {
  return (
    ['number', 'bigint', 'boolean', 'string'].includes(typeof value) || value instanceof Uint8Array
  )
}

function splitName(name: Cbor | undefined) {
  must(typeof name === 'string' && name.endsWith('/'), 'pack: no base name')
  const [first = '', stream = '', ...more] = name.slice(0, -1).split('/')
  const device = parseAddress(first)
  must(device !== undefined && device === first, 'pack: the base name has no device')
  must(isStreamName(stream), 'pack: the base name has no stream')
  must(more.length <= 1, 'pack: the base name has too many parts')
  const [subject] = more
  must(subject === undefined || isSubject(subject), 'pack: not a subject')
  return { device, stream, subject }
}

function packTime(first: CborMap, boot: string) {
  const bt = first.get(label.bt)
  const mono = first.get('mono')
  const unset = first.get('boot_')
  if (bt !== undefined) {
    must(unset === undefined, 'pack: set and unset clock at once')
    must(typeof bt === 'number' && bt >= absoluteTimeS, 'pack: base time is not absolute')
    must(bt <= lastTimeS, 'pack: base time is past the end of all calendars')
    return { boot, monotonicMs: wholeMs(mono), wallMs: Math.round(bt * 1000) }
  }
  must(mono === undefined && Array.isArray(unset) && unset.length === 2, 'pack: no time')
  const [id, ms] = unset as readonly Cbor[]
  must(id instanceof Uint8Array && id.length === 16, 'pack: a boot id is 16 bytes')
  if (hex(id).slice(2) !== boot) throw new Malformed('pack: of another boot than its epoch')
  return { boot, monotonicMs: wholeMs(ms) }
}

function wholeMs(value: Cbor | undefined): number {
  must(Number.isSafeInteger(value) && (value as number) >= 0, 'pack: time is not whole ms')
  return value as number
}
