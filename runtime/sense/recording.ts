/**
 * A line as a file: what came, what was asked, and when, to be played again in the place of a port.
 *
 *   {"recording":1,"port":"/dev/ttyUSB0","baudRate":9600}
 *   {"ms":2,"asked":"ff0186000000000079"}     written to the line
 *   {"ms":31,"hex":"ff86026047"}              come from it
 *   {"ms":33,"hex":"000000d1"}
 *
 * One JSON object a line; `ms` counts from the opening of the line and never goes back. In a config `port:
 * recording:FILE` plays it → runtime/sense/playback.ts
 */
import { readFileSync, statSync } from 'node:fs'

/** What a port begins with that is none. */
export const recordingScheme = 'recording:'

/** Bytes that came from the line, or that were written to it. */
export type Recorded = { readonly ms: number; readonly bytes: Uint8Array; readonly asked?: true }

/** The first line of a recording. */
export function recordingHead(port: string, baudRate: number): string {
  return `${JSON.stringify({ recording: 1, port, baudRate })}\n`
}

export function recordingLine({ ms, bytes, asked }: Recorded): string {
  const hex = Buffer.from(bytes).toString('hex')
  return `${JSON.stringify(asked ? { ms, asked: hex } : { ms, hex })}\n`
}

/** What this file recorded, or why it is no recording, with the line. */
export function loadRecording(path: string): readonly Recorded[] | string {
  let text: string
  try {
    const found = statSync(path)
    // A pipe would never end, and a directory has no lines.
    if (!found.isFile()) return 'it is no file'
    if (found.size > recordingBytesMax) return `it is larger than ${recordingBytesMax} bytes`
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    return (cause as Error).message
  }
  return readRecording(text)
}

/** The rows of a recording, or why this text is none, with the line. */
export function readRecording(text: string): readonly Recorded[] | string {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  if (parsed(head)?.recording !== 1) return 'line 1 is not that of a recording'
  const rows: Recorded[] = []
  let beforeMs = 0
  for (const [i, line] of lines.entries()) {
    const row = rowOf(line, beforeMs)
    if (typeof row === 'string') return `line ${i + 2} ${row}`
    beforeMs = row.ms
    rows.push(row)
  }
  return rows.length === 0 ? 'nothing was recorded' : rows
}

/** One line after the first, or what is wrong with it. */
function rowOf(line: string, beforeMs: number): Recorded | string {
  const { ms, hex, asked, ...more } = parsed(line) ?? {}
  const bytes = bytesOf(hex ?? asked)
  if (bytes === undefined || (hex !== undefined && asked !== undefined) || hasKeys(more)) {
    return 'is neither {"ms", "hex"} nor {"ms", "asked"} in hex digits'
  }
  if (typeof ms !== 'number' || ms < 0 || ms > lastMs) return `has no \`ms\` from 0 to ${lastMs}`
  if (ms < beforeMs) return `goes back in time: ${ms} ms after ${beforeMs} ms`
  return hex === undefined ? { ms, bytes, asked: true } : { ms, bytes }
}

function bytesOf(hex: unknown): Uint8Array | undefined {
  return typeof hex === 'string' && /^([0-9a-f]{2})+$/i.test(hex)
    ? Buffer.from(hex, 'hex')
    : undefined
}

/** A timer can wait no longer. */
const lastMs = 2 ** 31 - 1

/** All of it is held while it plays: four hours of a line that is never silent at 9600 baud. */
const recordingBytesMax = 32 * 1024 * 1024

function parsed(row: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(row)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function hasKeys(value: object): boolean {
  return Object.keys(value).length > 0
}
