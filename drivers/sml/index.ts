/**
 * SML, the Smart Message Language of electricity meters in Germany (and some of heat): what comes out of the
 * infrared eye in front of them, unasked, every one to four seconds, at 9600 baud 8N1.
 *
 * Transport and its CRC: transport.ts. Coding: tree.ts. Messages: file.ts. Each entry is a code, a unit, a
 * scaler (a power of ten) and a whole number; the value is exact, past 2^53 too where it is whole.
 *
 * Fields are OBIS codes (obis.ts) with the unit of the meter: Wh and W, not kWh. Octet strings are said as
 * text where they are, else in hex. Until a PIN was entered, many meters say the counters only, in whole kWh.
 *
 * Source: BSI TR-03109-1 annex IV; FNN "Lastenheft EDL"; IEC 62056-61 and 62056-6-2 (units). Quirks as known
 * to those who read such meters: libsml (volkszaehler.org). Checked: test/captures/sml.
 *
 * What can go wrong, and what then happens:
 *   noise, sunlight in the eye        bad checksum, a doubt; bytes are given up to the next beginning
 *   a message with a wrong CRC        read and marked `unchecked`, for the file's own is right
 *   power of DZG's DVS74 and WS74     marked as signed though it is not: read as it was meant
 *   no list in the file               doubt `no list of values`
 */
import {
  type Driver,
  defineDriver,
  doubt,
  type Said,
  uncheckedField,
  type Value,
} from '../../runtime/sense/driver.ts'
import { type Gathered, gather, obisName, shifted } from '../obis.ts'
import { fields } from './fields.ts'
import { type Entry, listsOf, type Time, type ValueList } from './file.ts'
import { contentOf, shape } from './transport.ts'
import type { Whole } from './tree.ts'
import { units } from './units.ts'

export const sml: Driver = defineDriver({
  id: 'sml',
  title: 'SML electricity meters (Germany: EMH, Iskraemeco, Itron, Holley, DZG, …)',
  models: {},
  serial: { baudRate: 9600 },
  otherBaudRates: [115_200],
  warmUpMs: 0,
  silenceMs: 30_000,
  options: {},
  fields: { ...fields, ...uncheckedField },
  check: 'CRC-16 of the file and of each message',
  shape,
  begin: () => undefined,
  decode(frame, memory) {
    const found = listsOf(contentOf(frame))
    if (typeof found === 'string') return { memory, said: doubt(found) }
    const said = say(found.lists)
    return { memory, said: said.ok && !found.intact ? { ...said, unchecked: true } : said }
  },
})

function say(lists: readonly ValueList[]): Said {
  const into: Gathered = { values: {}, units: {} }
  for (const { server, entries } of lists) {
    if (server !== undefined) gather(into, 'server', hex(server))
    for (const entry of entries) {
      gather(into, 'status', entry.status === undefined ? undefined : plain(entry.status))
      read(entry, server, into)
    }
  }
  if (!lists.some(({ entries }) => entries.length > 0)) return doubt('no list of values')
  const told = lists.flatMap(({ time, entries }) => [time, ...entries.map((entry) => entry.time)])
  const { index, unix } = Object.assign({}, ...told.toReversed()) as {
    [K in 'index' | 'unix']?: number
  }
  gather(into, 'secIndex', index)
  const time = unix === undefined ? undefined : instant({ unix })
  const { values, units: those } = into
  return time === undefined
    ? { ok: true, values, units: those }
    : { ok: true, values, units: those, time }
}

function read(
  { code, unit, scaler, value }: Entry,
  server: Uint8Array | undefined,
  into: Gathered,
): void {
  const [a, b, c, d, e, f] = code
  const name = obisName(`${a}-${b}:${c}.${d}.${e}*${f}`)
  if (name === undefined) return
  if (value.kind === 'truth') gather(into, name, value.value)
  if (value.kind === 'bytes' && value.bytes.length > 0) gather(into, name, textOf(value.bytes))
  if (value.kind !== 'whole' || Math.abs(scaler) > scalerMax) return
  const [our, exponent = 0, per = 1] = units[unit ?? 255] ?? []
  const whole = misreads(server, name) ? asMeant(value) : value.value
  gather(into, name, scaled(whole, scaler + exponent, per), our)
}

/** Beyond it nothing is an amount. */
const scalerMax = 18

/**
 * DZG's DVS74 (and its sisters) says the power 328.05 W as 53 80 25: two bytes and signed, where the number
 * takes two without a sign. Its negative power comes in four bytes. The maker named the numbers of these
 * meters; others of the same years, such as DVSB20, say small negative powers in two bytes and mean them.
 * Source: libsml, issue 132 and pull request 136. WS74, for a single phase, does the same under numbers that
 * he did not name: seen was 50071463, with 507 W as 53 c6 0c (vzlogger, issue 544; libsml, issue 125).
 */
function misreads(server: Uint8Array | undefined, name: string): boolean {
  if (server?.length !== 10 || latin1(server.subarray(2, 5)) !== 'DZG') return false
  const number = server.subarray(5).reduce((all, byte) => all * 256 + byte, 0)
  return misread.some(([from, to, power]) => number >= from && number <= to && power.test(name))
}

/** Power of all phases and of each, imported less exported. */
const netPower = /^1-0:(16|36|56|76)\.7\.0$/
const misread = [
  [42_000_000, 48_999_999, netPower],
  [55_000_000, 58_999_999, netPower],
  [50_000_000, 50_999_999, /^1-0:36\.7\.0$/],
] as const

function asMeant({ value, signed, size }: Whole): bigint {
  return signed && size < 4 ? BigInt.asUintN(8 * size, value) : value
}

/** Zeros at the end of a number are its scaler's: without them a large counter may be whole. */
function scaled(value: bigint, exponent: number, per: number): Value {
  let [digits, power] = [value.toString(), exponent]
  while (power < 0 && digits.length > 1 && digits.endsWith('0')) {
    digits = digits.slice(0, -1)
    power += 1
  }
  const exact = shifted(digits, power, per)
  const fits = typeof exact === 'number' || (exact < 2n ** 64n && exact >= -(2n ** 63n))
  return fits ? exact : Number(exact)
}

function plain(value: bigint): Value {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** A moment between 2010 and 2106; a meter that was never set counts from 1970. */
function instant({ unix }: Extract<Time, { readonly unix: number }>): string | undefined {
  if (unix < 1_262_304_000 || unix > 0xffff_ffff) return undefined
  return `${new Date(unix * 1000).toISOString().slice(0, 19)}Z`
}

function textOf(bytes: Uint8Array): string {
  const text = latin1(bytes)
  return /^[ -~]+$/.test(text) ? text : hex(bytes)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
