/**
 * Keeps ports open and turns what comes out of them into readings: a port for each sensor, or one for several
 * that take turns on it (bus.ts).
 *
 *   opening ──→ open ──(no intact frame for silenceMs)──→ backoff ──→ opening ──→ silent ──→ open
 *      │          └────(hang-up, or the port ends)──────→ backoff
 *      └──(cannot be opened)──────────────────────────────→ backoff
 *
 * An unplugged adapter may give no event at all, so silence is answered by opening the port anew. Delays
 * between attempts grow with full jitter, and are forgotten only after a minute with frames: a port that
 * flaps must not be hammered. The first frame after a silence starts the sensor's warm-up, because the
 * silence may have been a power cut; at start there was none.
 *
 * A moment's time is when its first byte was read. Every byte is accounted for: it is in a frame or
 * skipped, every frame is in a moment or a doubt.
 */
import { backOff } from '../time/backoff.ts'
import { pause } from '../time/pause.ts'
import { type Book, openBook, type SensorHealth, type Supervised } from './book.ts'
import { converse } from './bus.ts'
import { type End, listen } from './listen.ts'
import type { Port } from './port.ts'

/** One port, and the sensors behind it. */
export type Line = {
  /** Works until the signal; ends with the port closed and every open moment handed out. Never rejects. */
  start(signal: AbortSignal): Promise<void>
  health(): readonly SensorHealth[]
}

export type Supervisor = Omit<Line, 'health'> & { health(): SensorHealth }

/** A line for each port: sensors whose driver takes turns share the one that they name. */
export function superviseAll(sensors: readonly Supervised[]): Line[] {
  const shared = Object.groupBy(sensors, ({ driver, path, name }) =>
    driver.bus === undefined ? `alone ${name}` : `port ${path}`,
  )
  return Object.values(shared).map((sharers = []) => lineOf(sharers))
}

/** One sensor that has its port to itself. */
export function supervise(sensor: Supervised): Supervisor {
  const { start, health } = lineOf([sensor])
  return { start, health: () => health()[0] as SensorHealth }
}

type Occupant = { readonly sensor: Supervised; readonly book: Book }

function lineOf(sensors: readonly Supervised[]): Line {
  const occupants = sensors.map((sensor) => ({ sensor, book: openBook(sensor) }))
  const [first] = occupants as [Occupant, ...Occupant[]]
  const { random = Math.random } = first.sensor
  const live = first.sensor.driver.bus === undefined ? alone(first) : converse(occupants)
  const each = (tell: (book: Book) => void) => {
    for (const { book } of occupants) tell(book)
  }
  return {
    async start(signal) {
      for (let failures = 0; !signal.aborted; failures += 1) {
        if (await once(occupants, live, signal)) failures = 0
        if (signal.aborted) break
        each((book) => book.turn('backoff'))
        await pause(backOff(failures, reopenFirstMs, reopenMostMs, random), signal)
      }
      each((book) => book.turn('stopped'))
    },
    health: () => occupants.map(({ book }) => book.health()),
  }
}

/** What is done with an open port, to its end. */
type Live = (port: Port, signal: AbortSignal) => Promise<End>

function alone({ sensor, book }: Occupant): Live {
  return (port, signal) => listen(port, { ...sensor, ...book.hears, signal })
}

/** One life of the port: opened, heard to its end, closed. True when it was a long and good one. */
async function once(
  occupants: readonly Occupant[],
  live: Live,
  signal: AbortSignal,
): Promise<boolean> {
  const [{ sensor }] = occupants as [Occupant, ...Occupant[]]
  const { path, driver, clock } = sensor
  const name = occupants.map((one) => one.sensor.name).join(', ')
  for (const { book } of occupants) book.turn('opening')
  let port: Port
  try {
    port = await sensor.open({ path, ...driver.serial, ...sensor.serial })
  } catch (error) {
    sensor.note('port not opened', { name, path, why: (error as Error).message })
    return false
  }
  for (const { book } of occupants) book.opened()
  const openedMs = clock.monotonicMs()
  const end = await live(port, signal)
  await port.close()
  if (end === 'silent') for (const { book } of occupants) book.silent()
  else if (end !== 'stopped') sensor.note('port lost', { name, path, why: end.message })
  const lastMs = Math.max(openedMs, ...occupants.map(({ book }) => book.lastFrameMs() ?? openedMs))
  return lastMs - openedMs >= stableMs
}

/** Between two attempts to open a port: the bound of the first wait, and of the longest. */
const reopenFirstMs = 500
const reopenMostMs = 30_000

/** Frames over this long, and the next failure starts from the shortest delay again. */
const stableMs = 60_000
