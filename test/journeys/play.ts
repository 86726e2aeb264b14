/**
 * One row of the table, in a process of its own: `play.ts <long|short> <name> <log folder> <broker>…`
 * tells the journey on all those brokers at once, and says over the channel to its parent how each ended.
 * What it opened ends with it: at SIGTERM, and when the parent is gone.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flavour } from './brokers.ts'
import { type Journey, tell } from './journey.ts'
import { journeys } from './rows/index.ts'

/** How one cell ended. */
export type Ended = {
  readonly broker: Flavour
  readonly seconds: number
  /** The first line of what went wrong, and the file with all of it; absent when all was well. */
  readonly why?: string
  readonly log?: string
}

/** How long a street may take to go to bed. */
const endMs = 20_000

const [how, name, folder = '', ...brokers] = process.argv.slice(2)
const one = journeys.find((each) => each.name === name)
if (one === undefined) throw new Error(`there is no journey ${name}`)
const played = brokers.map((broker) => play(one, broker as Flavour))

const end = (why: unknown) => {
  for (const cell of played) cell.fail(why)
}
for (const event of ['SIGTERM', 'disconnect'])
  process.on(event, () => end(new Error('ended early')))
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, end)
await Promise.all(played.map(({ ended }) => ended))
process.exit()

function play(journey: Journey, broker: Flavour) {
  const long = how === 'long'
  const { withinS = 120, longWithinS = withinS } = journey
  const startedMs = performance.now()
  const afters: (() => Promise<void>)[] = []
  const words: string[] = []
  const early = Promise.withResolvers<never>()
  const patience = (long ? longWithinS : withinS) * 1000
  const late = setTimeout(() => early.reject(new Error(`took over ${patience / 1000} s`)), patience)
  const t = {
    diagnostic: (text: string) => void words.push(text),
    after: (fn: () => Promise<void>) => void afters.push(fn),
    long,
  }
  const red = (said: string) => void words.push(said)
  const ended = finish()
  return {
    ended,
    fail: early.reject,
  }

  async function finish(): Promise<void> {
    let failure: unknown
    try {
      await Promise.race([tell(journey, broker, t, red), early.promise])
    } catch (cause) {
      failure = cause ?? new Error('nothing was said')
    }
    clearTimeout(late)
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10
    for (const after of afters.reverse()) {
      await Promise.race([after().catch((cause) => (failure ??= cause)), sleep(endMs)])
    }
    const log = join(folder, `${journey.name.replaceAll(' ', '-')}.${broker}.log`)
    const spelled = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)
    if (failure !== undefined) words.push(spelled)
    writeFileSync(log, `${words.join('\n')}\n`)
    const bad = failure === undefined ? {} : { why: firstLine(failure), log }
    await new Promise((done) => process.send?.({ broker, seconds, ...bad } satisfies Ended, done))
  }
}

function firstLine(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure)
  return message.trim().split('\n')[0] ?? ''
}
