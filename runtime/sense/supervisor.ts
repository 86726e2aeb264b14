/**
 * Keeps one sensor's port open and turns what comes out of it into readings.
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
import type { Clock } from '../wire/clock.ts'
import type { Reading } from '../wire/reading.ts'
import type { Driver, Serial } from './driver.ts'
import { listen, type Stamp } from './listen.ts'
import type { Moment } from './moment.ts'
import type { OptionValues } from './options.ts'
import type { OpenPort, Port } from './port.ts'

export type Supervised = {
  /** The stream that its readings belong to. */
  readonly name: string
  readonly driver: Driver
  readonly options: OptionValues
  readonly path: string
  /** What differs from the driver's own serial settings, such as another speed. */
  readonly serial?: Partial<Serial>
  readonly open: OpenPort
  readonly clock: Clock
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: () => number
  moment(reading: Reading): void
  /** One frame or moment that did not become a reading, and why, in one of few fixed sentences. */
  doubt(reason: string): void
  note(says: string, facts: Readonly<Record<string, string | number>>): void
}

export type SensorHealth = {
  readonly name: string
  readonly driver: string
  readonly path: string
  readonly state: 'opening' | 'open' | 'silent' | 'backoff' | 'stopped'
  /** How often the port was opened. */
  readonly opened: number
  /** Intact frames, and the moments that became readings. */
  readonly frames: number
  readonly moments: number
  readonly doubts: Readonly<Record<string, number>>
  readonly bytesSkipped: number
  readonly lastFrameMonotonicMs?: number
}

export type Supervisor = {
  /** Works until the signal; ends with the port closed and every open moment handed out. Never rejects. */
  start(signal: AbortSignal): Promise<void>
  health(): SensorHealth
}

export function supervise(sensor: Supervised): Supervisor {
  const { name, driver, path, clock, random = Math.random } = sensor
  const book = bookOf(sensor)

  /** One life of the port: opened, heard to its end, closed. True when it was a long and good one. */
  async function once(signal: AbortSignal): Promise<boolean> {
    book.turn('opening')
    let port: Port
    try {
      port = await sensor.open({ path, ...driver.serial, ...sensor.serial })
    } catch (error) {
      sensor.note('port not opened', { name, path, why: (error as Error).message })
      return false
    }
    book.opened()
    const openedMs = clock.monotonicMs()
    const end = await listen(port, { ...sensor, ...book.hears, signal })
    await port.close()
    if (end === 'silent') book.silent()
    else if (end !== 'stopped') sensor.note('port lost', { name, path, why: end.message })
    return (book.lastFrameMs() ?? openedMs) - openedMs >= stableMs
  }

  return {
    async start(signal) {
      for (let failures = 0; !signal.aborted; failures += 1) {
        if (await once(signal)) failures = 0
        if (signal.aborted) break
        book.turn('backoff')
        await pause(backOff(failures, reopenFirstMs, reopenMostMs, random), signal)
      }
      book.turn('stopped')
    },
    health: book.health,
  }
}

/** Between two attempts to open a port: the bound of the first wait, and of the longest. */
const reopenFirstMs = 500
const reopenMostMs = 30_000

/** Frames over this long, and the next failure starts from the shortest delay again. */
const stableMs = 60_000

/** What is known of the sensor from one life of its port to the next, and what is counted. */
function bookOf({ name, driver, path, clock, ...sensor }: Supervised) {
  const doubts: Record<string, number> = {}
  const count = { opened: 0, frames: 0, moments: 0, bytesSkipped: 0 }
  let state: SensorHealth['state'] = 'stopped'
  let lastFrameMs: number | undefined
  let silenceSeen = false
  let warmUntilMs = Number.NEGATIVE_INFINITY

  function doubt(reason: string) {
    doubts[reason] = (doubts[reason] ?? 0) + 1
    sensor.doubt(reason)
  }

  return {
    lastFrameMs: () => lastFrameMs,
    turn(next: SensorHealth['state']) {
      state = next
    },
    opened() {
      count.opened += 1
      state = silenceSeen ? 'silent' : 'open'
    },
    silent() {
      silenceSeen = true
      sensor.note('sensor is silent', { name, path, silenceMs: driver.silenceMs })
    },
    health: (): SensorHealth => ({
      ...{ name, driver: driver.id, path, state, ...count, doubts: { ...doubts } },
      ...(lastFrameMs !== undefined && { lastFrameMonotonicMs: lastFrameMs }),
    }),
    hears: {
      doubt,
      skipped(bytes: number) {
        count.bytesSkipped += bytes
      },
      warming: (nowMs: number) => nowMs < warmUntilMs,
      intact(frames: number, nowMs: number) {
        if (silenceSeen) {
          warmUntilMs = nowMs + driver.warmUpMs
          sensor.note('sensor speaks again', { name, path, warmUpMs: driver.warmUpMs })
        }
        silenceSeen = false
        state = 'open'
        lastFrameMs = nowMs
        count.frames += frames
      },
      emit({ values, units, subject, stamp }: Moment<Stamp>) {
        if (Object.keys(values).length === 0) return doubt('nothing measured')
        const whose = subject === undefined ? {} : { subject }
        count.moments += 1
        sensor.moment({ stream: name, ...whose, boot: clock.boot, ...stamp, values, units })
      },
    },
  }
}
