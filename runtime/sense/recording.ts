/**
 * A line as a file: what came and when, to be played again in the place of a port.
 *
 *   {"recording":1,"port":"/dev/ttyUSB0","baudRate":9600}
 *   {"ms":0,"hex":"424d001c0015"}
 *   {"ms":1003,"hex":"424d001c0014"}
 *
 * `ms` counts from the opening of the line. In a config `port: recording:FILE` plays it at the pace at which
 * it came, over and over. What is written to it goes nowhere, nor does it change its rate: it stands in for a
 * sensor that speaks unasked.
 */
/** What a port begins with that is none. */
export const recordingScheme = 'recording:'

export type Recorded = { readonly ms: number; readonly bytes: Uint8Array }

/** The first line of a recording. */
export function recordingHead(port: string, baudRate: number): string {
  return `${JSON.stringify({ recording: 1, port, baudRate })}\n`
}

export function recordingLine({ ms, bytes }: Recorded): string {
  return `${JSON.stringify({ ms, hex: Buffer.from(bytes).toString('hex') })}\n`
}

/** The chunks of a recording, or why this text is none, with the line. */
export function readRecording(text: string): readonly Recorded[] | string {
  const [head = '', ...rows] = text.trimEnd().split('\n')
  if (parsed(head)?.recording !== 1) return 'line 1 is not that of a recording'
  const chunks: Recorded[] = []
  for (const [i, row] of rows.entries()) {
    const { ms, hex } = parsed(row) ?? {}
    const before = chunks.at(-1)?.ms ?? 0
    const timely = typeof ms === 'number' && ms >= before && ms <= lastMs
    if (!timely || typeof hex !== 'string' || !/^([0-9a-f]{2})+$/i.test(hex)) {
      return `line ${i + 2} is no chunk: a time that does not go back, and hex digits`
    }
    chunks.push({ ms, bytes: Buffer.from(hex, 'hex') })
  }
  return chunks.length === 0 ? 'nothing was recorded' : chunks
}

/** A timer can wait no longer. */
const lastMs = 2 ** 31 - 1

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
