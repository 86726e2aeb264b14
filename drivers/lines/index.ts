/**
 * Lines of text, as an Arduino or an ESP32 of one's own prints them: JSON, CSV, or keys and values.
 *
 *   {"t": 23.5, "bme": {"h": 40.2}}          JSON, an object or list a line, or over several → json.ts
 *   23.5,40.2                                CSV, with a header or without   → cells.ts
 *   t=23.5,h=40.2    Temp: 23.5 C            pairs                           → cells.ts
 *
 * A table (a file, or in the config itself) says which of it are fields, in what unit and under what name.
 * Without one every number and truth is read as it comes, under the name that the line has for it (`c1`,
 * `c2` for columns without a header); but only fields of a table stand in the terms of a stream.
 *
 * Nothing guards such a line: every reading of it is unchecked. What can be told is held to, and a line of
 * which one field is not what the table says is no reading at all.
 *
 * What can go wrong, and what then happens:
 *   opened in the midst of a line   the first is a doubt, but for JSON and headers: these show it
 *   half a line                     broken JSON; a wrong number of cells; at the end of a file, half a line
 *   nan, inf, null, empty cells     the field is absent; with none left, doubt `no value`
 *   messages among the lines        doubt `not understood`; with `start` in the table they are passed over
 *   colours, time stamps of a log   are left out                                     → talk.ts
 *   a board starts                  doubt `the board starts`: its boot messages are no readings
 *   a unit that is not known        as it comes, part of the name: `Gas_KOhms`; in a table, a bad value
 *   JSON was heard                  from then on nothing but JSON is read
 *   a reset                         a header that comes again is taken again
 *   no line end for 4096 bytes      doubt `line too long`, up to the next line end
 */
import {
  choice,
  type Driver,
  defineDriver,
  document,
  doubt,
  type Field,
  type LineTable,
  lapse,
  lineTableSchema,
  type OptionValues,
  type Shape,
  type Step,
  uncheckedField,
} from '../../runtime/sense/driver.ts'
import { begin, type Memory, readLine } from './line.ts'
import { withoutPaint } from './talk.ts'

/** Tasmota's longest message is 1,200 bytes; a few sensors more. */
const lineMax = 4096
const minute = 60_000

/** Every byte is in some line: what is text, and whole, only the line can tell. */
const shape: Shape = {
  starts: Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isEnd(byte)),
  idle: Uint8Array.of(0x0d, 0x0a),
  sizeMax: lineMax,
  size(bytes, ended) {
    const end = endIn(bytes)
    if (end >= 0) return end + 1
    return ended || bytes.length >= lineMax ? bytes.length : 'more'
  },
  flaw: () => undefined,
}

export const lines: Driver = defineDriver<Memory>({
  id: 'lines',
  title: 'Lines of text: JSON, CSV or key=value, such as an Arduino or ESP32 prints',
  models: {},
  serial: { baudRate: 9600 },
  otherBaudRates: [115_200],
  warmUpMs: 0,
  silenceMs: 3 * minute,
  options: {
    table: document('what a line means', ['none'], 'none', lineTableSchema),
    format: choice('how lines are written', ['auto', 'json', 'csv', 'pairs'], 'auto'),
    separator: choice(
      'what stands between cells',
      ['auto', 'comma', 'semicolon', 'tab', 'bar', 'space'],
      'auto',
    ),
    decimal: choice('what stands before tenths', ['auto', 'point', 'comma'], 'auto'),
    every: lapse('how often it speaks; three times this is silence', 1_000, 1_440 * minute, minute),
  },
  fields: uncheckedField,
  fieldsWith: (options) => [
    ...Object.entries(tableOf(options)?.fields ?? {}).flatMap(([name, { detail }]) =>
      detail ? [] : name,
    ),
    'unchecked',
  ],
  under(options) {
    const table = tableOf(options)
    return {
      ...lines,
      title: table?.title ?? lines.title,
      silenceMs: 3 * Number(options.every),
      fields: { ...fieldsOf(table), ...uncheckedField },
    }
  },
  shape,
  begin(options) {
    const { format, separator, decimal } = options as unknown as Memory['how']
    const table = tableOf(options)
    return begin({ format, separator, decimal, ...(table !== undefined && { table }) })
  },
  decode(frame, memory): Step<Memory> {
    if (!isEnd(frame.at(-1) ?? 0)) return piece(frame, memory)
    const after = { ...memory, isFirst: false, isRest: false }
    // The rest of a line that was too long is counted with it.
    if (memory.isRest) return { memory: after }
    const line = textOf(frame)
    if (line === undefined) return { memory: after, said: doubt('not text') }
    return readLine(line, after, memory.isFirst)
  },
})

/** A line that has not ended: too long, or cut off by the end of the file. */
function piece(frame: Uint8Array, memory: Memory): Step<Memory> {
  if (frame.length < lineMax) {
    const line = memory.isRest ? undefined : textOf(frame)
    const whole = line?.trim().startsWith('{') ? readLine(line, memory, true) : undefined
    return whole?.said?.ok ? whole : { memory, said: doubt('half a line') }
  }
  const after = { ...memory, isFirst: false, isRest: true }
  return memory.isRest ? { memory: after } : { memory: after, said: doubt('line too long') }
}

/** UTF-8, or Latin-1 as older sketches print a degree sign; undefined with control characters in it. */
function textOf(frame: Uint8Array): string | undefined {
  const bytes = withoutPaint(isEnd(frame.at(-1) ?? 0) ? frame.subarray(0, -1) : frame)
  if (bytes.some((byte) => (byte < 0x20 && byte !== 0x09) || byte === 0x7f)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return String.fromCharCode(...bytes)
  }
}

/** Where the first line end stands; -1 for nowhere. */
function endIn(bytes: Uint8Array): number {
  const [feed, back] = [bytes.indexOf(0x0a), bytes.indexOf(0x0d)]
  return feed < 0 || back < 0 ? Math.max(feed, back) : Math.min(feed, back)
}

function isEnd(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a
}

function tableOf({ table }: OptionValues): LineTable | undefined {
  return typeof table === 'object' ? (table as LineTable) : undefined
}

function fieldsOf(table: LineTable | undefined): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(table?.fields ?? {}).map(([name, { title = name, type, unit, detail }]) => [
      name,
      { title, type, ...(unit !== undefined && { unit }), ...(detail && { detail }) },
    ]),
  )
}
