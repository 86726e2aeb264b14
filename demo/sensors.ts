/**
 * Sensors without the sensors: one pseudo-terminal each, carrying real captures at the speed of the wire.
 *
 * Whoever opens the path sees what a USB adapter would show: bytes dealt at the baud rate, a burst a
 * period, lost when nobody reads. The captures are third-party files under test/captures, played over and
 * over as they are.
 */
import { readFile } from 'node:fs/promises'
import { openLine } from './pty.ts'

export type SensorCapture = {
  readonly name: string
  /** What the line carries in one period each: frames, or bursts of sentences. */
  readonly bursts: readonly Uint8Array[]
  readonly baudRate: number
  readonly periodMs: number
}

type SensorStats = {
  readonly bytes: number
  readonly bursts: number
  /** Bursts that nobody was there to read. */
  readonly lost: number
}

export type PlayedSensors = {
  /** Sensor name → the path to open. */
  readonly paths: Readonly<Record<string, string>>
  stats(): Readonly<Record<string, SensorStats>>
  stop(): Promise<void>
}

/** Starts one pty for each. `speedup` shortens the periods (not below what the baud rate needs). */
export async function startSensors(
  captures: readonly SensorCapture[],
  { speedup = 1 }: { readonly speedup?: number } = {},
): Promise<PlayedSensors> {
  const lines = await Promise.all(captures.map((capture) => play(capture, speedup)))
  return {
    paths: Object.fromEntries(lines.map(({ name, path }) => [name, path])),
    stats: () => Object.fromEntries(lines.map(({ name, stats }) => [name, stats()])),
    async stop() {
      await Promise.all(lines.map((line) => line.stop()))
    },
  }
}

/** The Plantower frames that were captured from sensors: one a second. */
export async function plantowerCapture(name: string, model = 'PMS5003T'): Promise<SensorCapture> {
  const cases = JSON.parse(await readFile(captured('plantower/cases.json'), 'utf8')) as {
    readonly name: string
    readonly input_hex: string
  }[]
  const frames = cases.filter((one) => one.name.startsWith(model))
  const bursts = frames.map(({ input_hex }) => new Uint8Array(Buffer.from(input_hex, 'hex')))
  return { name, bursts, baudRate: 9600, periodMs: 1000 }
}

/** A receiver's log as it would come out of it: each second's sentences in one burst. */
export async function nmeaCapture(
  name: string,
  file = 'pygpsdata-nmea2.log',
): Promise<SensorCapture> {
  const log = await readFile(captured(`nmea0183/${file}`), 'latin1')
  const bursts: string[] = []
  let clock = ''
  for (const sentence of log.split(/(?<=\n)/)) {
    // A second begins with the sentence that first tells its time; all receivers here begin with RMC or GGA.
    const told = /^\$..(?:RMC|GGA),(\d{6})/.exec(sentence)?.[1] ?? clock
    if (bursts.length === 0 || (clock !== '' && told !== clock)) bursts.push('')
    clock = told
    bursts[bursts.length - 1] += sentence
  }
  return {
    name,
    bursts: bursts.map((text) => Buffer.from(text, 'latin1')),
    baudRate: 9600,
    periodMs: 1000,
  }
}

type Line = {
  readonly name: string
  readonly path: string
  stats(): SensorStats
  stop(): Promise<void>
}

async function play(capture: SensorCapture, speedup: number): Promise<Line> {
  const { name, bursts, baudRate, periodMs } = capture
  const line = await openLine()
  const count = { bytes: 0, bursts: 0, lost: 0 }
  const wireMs = (bytes: number) => (bytes * 10_000) / baudRate
  let next: NodeJS.Timeout | undefined
  let stopped = false

  /** Deals a burst in pieces, as a UART would, then waits for the next period. */
  function burst(index: number, startMs: number) {
    const bytes = bursts[index % bursts.length] as Uint8Array
    const pieces = Math.ceil(bytes.length / pieceBytes)
    let heard = true
    count.bursts += 1
    const deal = (piece: number) => {
      if (stopped) return
      if (piece < pieces) {
        const part = bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)
        if (heard && line.write(part)) count.bytes += part.length
        else if (heard) {
          heard = false
          count.bursts -= 1
          count.lost += 1
        }
        next = setTimeout(deal, wireMs(part.length), piece + 1)
        return
      }
      const dueMs = startMs + Math.max(periodMs / speedup, wireMs(bytes.length))
      next = setTimeout(() => burst(index + 1, dueMs), Math.max(0, dueMs - performance.now()))
    }
    deal(0)
  }
  burst(0, performance.now())

  return {
    name,
    path: line.path,
    stats: () => ({ ...count }),
    stop() {
      stopped = true
      clearTimeout(next)
      return line.close()
    },
  }
}

function captured(path: string): URL {
  return new URL(`../test/captures/${path}`, import.meta.url)
}

/** As many bytes as a UART's FIFO hands over at once. */
const pieceBytes = 16
