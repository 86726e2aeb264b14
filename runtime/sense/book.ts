/** What is known and counted of one sensor, from one life of its port to the next. */
import type { Clock } from '../wire/clock.ts'
import type { Reading } from '../wire/reading.ts'
import type { Breaker } from './breaker.ts'
import type { Driver, Serial } from './driver.ts'
import type { Moment } from './moment.ts'
import type { OptionValues } from './options.ts'
import type { OpenPort } from './port.ts'
import type { Stamp } from './stamp.ts'

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
  /** Of a device that is asked: closed as ever, open while it is left alone, half-open at a probe. */
  readonly breaker?: Breaker['state']
}

/** Reasons that are counted one by one: a driver of another package may word each of its doubts anew. */
export const reasonsMax = 500

export type Book = ReturnType<typeof openBook>

export function openBook({ name, driver, path, clock, ...sensor }: Supervised) {
  // A map: a driver of another package may name a doubt `constructor`.
  const doubts = new Map<string, number>()
  const count = { opened: 0, frames: 0, moments: 0, bytesSkipped: 0 }
  let state: SensorHealth['state'] = 'stopped'
  let lastFrameMs: number | undefined
  let silenceSeen = false
  let warmUntilMs = Number.NEGATIVE_INFINITY
  let breaker: Breaker['state'] | undefined

  function doubt(reason: string) {
    const name = doubts.has(reason) || doubts.size < reasonsMax ? reason : 'other'
    doubts.set(name, (doubts.get(name) ?? 0) + 1)
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
    /** How its driver asks it now. */
    asks(next: Breaker['state'] | undefined) {
      const left = next === 'open' && breaker !== 'open' && !silenceSeen
      breaker = next
      if (!left) return
      silenceSeen = true
      state = 'silent'
      sensor.note('device does not answer', { name, path })
    },
    health: (): SensorHealth => ({
      ...{ name, driver: driver.id, path, state, ...count, doubts: Object.fromEntries(doubts) },
      ...(lastFrameMs !== undefined && { lastFrameMonotonicMs: lastFrameMs }),
      ...(breaker !== undefined && { breaker }),
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
