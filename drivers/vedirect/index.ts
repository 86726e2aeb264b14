/**
 * Victron VE.Direct: solar chargers, battery monitors, inverters and chargers.
 *
 * They speak unasked once a second, 19,200 baud 8N1, in blocks of lines; a battery monitor alternates two:
 *
 *   \r\n <label> \t <value>        one line; the labels are the table in labels.ts
 *   \r\nChecksum\t <byte>          ends a block: the sum of all its bytes is 0 modulo 256
 *   : <hex digits> \n              the HEX protocol of their own tools, which may stand between any two lines
 *                                  and counts in no sum: recognised and skipped
 *
 * A block begins with PID, with H1 (the history of a battery monitor), or with V (BMV-600, which has no PID).
 * Nothing else may begin one: the rest of a broken block would pass its 8-bit sum once in 256 times.
 *
 * Values are the maker's fields in SI units; `---` (not there) and a time to go of −1 (for ever) are absent.
 * Labels that are not in the table are left out.
 *
 * Source: Victron Energy, "VE.Direct Protocol", version 3.34. Checked: test/captures/vedirect.
 *
 * What can go wrong, and what then happens:
 *   noise on the line     bad checksum; bytes are given up to the next beginning of a block
 *   half a line           the sum fails, for the whole block; one of 8 bits is right by chance once in 256
 *                         times, so a line that is none and a label that comes twice are doubts too
 *   HEX traffic           their app is connected: text blocks come late or not at all; nothing is lost
 */
import {
  badChecksum,
  type Driver,
  defineDriver,
  doubt,
  type Shape,
  type Value,
} from '../../runtime/sense/driver.ts'
import { fields, labels } from './labels.ts'
import { productOf } from './products.ts'

const blockMax = 1024

const shape: Shape = {
  starts: Uint8Array.of(0x0d, 0x3a),
  idle: new Uint8Array(0),
  sizeMax: blockMax,
  size(bytes, ended) {
    if (bytes[0] === colon) return hexSize(bytes, ended)
    const begun = beginning(bytes)
    if (begun !== true) return begun === 'more' && !ended ? 'more' : 0
    const end = endOf(bytes)
    if (end === undefined) return ended ? 0 : 'more'
    const isMiddle = bytes[2] === letterV && !/\r\nBMV\t6/.test(latin1(bytes.subarray(0, end)))
    return isMiddle ? 0 : end
  },
  flaw(frame) {
    if (frame[0] === colon) return undefined
    if (sumOf(frame) !== 0) return badChecksum
    const all = linesOf(frame)
    if (!all.every((line) => /^[A-Za-z0-9_#]{1,16}\t[ -~]*$/.test(line))) return 'broken line'
    return new Set(all.map(labelOf)).size < all.length ? 'two blocks in one' : undefined
  },
}

export const vedirect: Driver = defineDriver({
  id: 'vedirect',
  title: 'Victron VE.Direct (MPPT, BMV, SmartShunt, Phoenix)',
  models: {},
  serial: { baudRate: 19_200 },
  otherBaudRates: [],
  warmUpMs: 0,
  silenceMs: 10_000,
  options: {},
  fields,
  check: 'sum of the bytes, 8 bits',
  shape,
  begin: () => undefined,
  decode(frame, memory) {
    if (frame[0] === colon) return { memory }
    const values: Record<string, Value> = {}
    for (const line of linesOf(frame)) {
      const [label = '', text = ''] = line.split('\t')
      const value = labels[label]?.read(text.trim())
      const name = labels[label]?.name ?? label
      if (value !== undefined) values[name] = value
    }
    const product = productOf(String(values.PID))
    if (product !== undefined) values.product = product
    if (Object.keys(values).length === 0)
      return { memory, said: doubt('nothing known in the block') }
    return { memory, said: { ok: true, values } }
  },
})

const colon = 0x3a
const letterV = 0x56
const newline = 0x0a
const beginnings = ['\r\nPID\t', '\r\nH1\t', '\r\nV\t']
const ending = '\r\nChecksum\t'

/** Whether a block begins here; 'more' when these bytes are too few to say. */
function beginning(bytes: Uint8Array): boolean | 'more' {
  const text = latin1(bytes.subarray(0, 6))
  if (beginnings.some((begun) => text.startsWith(begun))) return true
  return beginnings.some((begun) => begun.startsWith(text)) ? 'more' : false
}

/** Bytes up to and with the checksum; HEX frames inside are passed over, for they may hold anything. */
function endOf(bytes: Uint8Array): number | undefined {
  for (let at = 2; at < bytes.length; at += 1) {
    if (bytes[at] === colon) {
      const over = bytes.indexOf(newline, at)
      if (over < 0) return undefined
      at = over
    } else if (bytes[at] === 0x0d && startsAt(bytes, at)) {
      const size = at + ending.length + 1
      return size <= bytes.length ? size : undefined
    }
  }
  return undefined
}

function startsAt(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < ending.length; i += 1) {
    if (bytes[at + i] !== ending.charCodeAt(i)) return false
  }
  return true
}

/** `:` and at most 64 hex digits up to a line end; 0 for anything else. */
function hexSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  for (let at = 1; at < bytes.length && at <= 66; at += 1) {
    if (bytes[at] === newline) return at + 1
    if (!/[0-9A-Fa-f]/.test(String.fromCharCode(bytes[at] ?? 0))) return 0
  }
  return ended || bytes.length > 66 ? 0 : 'more'
}

function sumOf(frame: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < frame.length; at += 1) {
    if (frame[at] === colon && at < frame.length - 1) at = frame.indexOf(newline, at)
    else sum += frame[at] ?? 0
  }
  return sum & 0xff
}

/** The lines of a block without its checksum and without HEX frames. */
function linesOf(frame: Uint8Array): string[] {
  const text = latin1(frame).slice(0, -1 - ending.length)
  return text
    .replace(/:[^\n]*\n/g, '')
    .split('\r\n')
    .slice(1)
}

function labelOf(line: string): string {
  return line.slice(0, line.indexOf('\t'))
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
