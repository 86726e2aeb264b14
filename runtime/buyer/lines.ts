/** A reading as a line of text for programs: NDJSON, or CSV as RFC 4180 has it. */
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import type { Reading, Value } from '../wire/reading.ts'

/** A reading and where it stands: enough to ask for its proof, or to go on behind it. */
export type Placed = {
  readonly device: Address
  readonly generation: number
  /** The epoch's number in its stream's chain. */
  readonly epoch: number
  /** Which reading of the epoch, from 0. */
  readonly index: number
  readonly reading: Reading
}

/** One JSON object, no line end. Integers past 2^53 keep every digit, bytes are `0x` hex. */
export function ndjson(placed: Placed): string {
  return exactJson(readingFields(placed))
}

/** What a reading is as a JSON object; `time` is UTC, and null when the device's clock was unset. */
export function readingFields({ device, generation, epoch, index, reading }: Placed) {
  const { stream, subject, wallMs, boot, monotonicMs, values, units } = reading
  return {
    device,
    stream,
    generation,
    epoch,
    index,
    ...(subject === undefined ? {} : { subject }),
    time: wallMs === undefined ? null : new Date(wallMs).toISOString(),
    boot,
    monotonicMs,
    values,
    units,
  }
}

/** JSON in which a bigint is a number of any length and bytes are `0x` hex. */
export function exactJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, exact, indent)
}

export type Csv = { readonly header: string; line(placed: Placed): string }

/** CSV with one column for each of these fields behind where the reading stands; no line ends. */
export function csv(fields: Iterable<string>): Csv {
  const names = [...new Set(fields)]
  return {
    header: [...placeColumns, ...names].map(cell).join(','),
    line(placed) {
      const {
        device,
        stream,
        generation,
        epoch,
        index,
        subject = '',
        ...at
      } = readingFields(placed)
      const place = [device, stream, subject, generation, epoch, index]
      const values = names.map((name) =>
        Object.hasOwn(at.values, name) ? at.values[name] : undefined,
      )
      return [...place, at.time ?? '', at.boot, at.monotonicMs, ...values].map(cell).join(',')
    },
  }
}

const placeColumns = [
  'device',
  'stream',
  'subject',
  'generation',
  'epoch',
  'index',
  'time',
  'boot',
  'monotonic_ms',
]

/** RFC 4180 §2: quoted when it holds a comma, a quote or a line end; a quote is doubled. */
function cell(value: Value | undefined): string {
  if (value === undefined) return ''
  const text = value instanceof Uint8Array ? hex(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(value.toString())
  return value instanceof Uint8Array ? hex(value) : value
}

/** JSON.rawJSON (ECMAScript 2026), which TypeScript's library does not have yet. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
