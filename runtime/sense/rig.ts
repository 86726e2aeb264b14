/** A sensor on a live line where the clock is simulated: for the conformance kit. */
import { mock } from 'node:test'
import type { Driver } from './driver.ts'
import { mockPort } from './mock.ts'
import type { OptionValues } from './options.ts'
import type { OpenPort } from './port.ts'
import { supervise } from './supervisor.ts'

export type Rigged = {
  readonly driver: Driver
  readonly options: OptionValues
  readonly capture: Uint8Array
  answer?(question: Uint8Array): Uint8Array | undefined
  /** Whether it speaks at all in the beginning; left out, it does. */
  readonly answers?: boolean
}

/** What a reading says, without when. */
type Said = { readonly subject?: string; readonly values: Readonly<Record<string, unknown>> }

/**
 * Starts the sensor under supervision; `end` stops it and gives the process its own clock back. Only one at
 * a time: `setTimeout` of the whole process is simulated.
 */
export function rig({ driver, options, capture, answer, answers = true }: Rigged) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = mockPort()
  const readings: Said[] = []
  const stop = new AbortController()
  let speaks = answers
  let nowMs = 0

  const open: OpenPort = async (line) => {
    const opened = await port.open(line)
    async function write(question: Uint8Array) {
      await opened.write(question)
      port.written.length = 0
      const said = speaks ? answer?.(question) : undefined
      if (said !== undefined) setTimeout(() => port.say(said), answerMs)
    }
    return { ...opened, write }
  }
  const line = supervise({
    ...{ name: 'sensor', path: '/dev/simulated', driver, options, open },
    clock: { boot: '00'.repeat(16), monotonicMs: () => nowMs, wall: () => undefined },
    random: () => 0.5,
    moment: ({ subject, values }) =>
      void readings.push(subject === undefined ? { values } : { subject, values }),
    doubt: () => {},
    note: () => {},
  })
  const ended = line.start(stop.signal)

  async function pass(ms: number, stepMs = 20) {
    for (let passed = 0; passed < ms; passed += stepMs) {
      nowMs += stepMs
      mock.timers.tick(stepMs)
      await new Promise(setImmediate)
    }
  }

  async function until(holds: () => boolean, mostMs: number) {
    for (let passed = 0; passed < mostMs && !holds(); passed += 100) await pass(100)
  }

  return {
    port,
    readings,
    pass,
    until,
    answers(from: boolean) {
      speaks = from
    },
    /** The capture is said, or one is asked for it; the readings that came of it. */
    async speak(): Promise<Said[]> {
      const before = readings.length
      await until(() => line.health().state === 'open' || line.health().state === 'silent', 60_000)
      if (answer === undefined) port.say(capture)
      else await until(() => readings.length > before, 30_000)
      await pass(1_000, 100)
      const said = readings.slice(before)
      return answer === undefined ? said : said.slice(0, 1)
    },
    async end() {
      stop.abort()
      await pass(100)
      await ended
      mock.timers.reset()
    },
  }
}

/** From a question to its answer. */
const answerMs = 20
