/**
 * The way to the broker: what the store's outbox holds is published in its order, a window at a time, and
 * leaves it on PUBACK and on nothing else. When the line falls, all that was not acknowledged is sent
 * again, oldest first; the store alone remembers what is due. What the broker refuses (an access list that
 * lacks a topic) is offered again now and then, and holds up nothing else.
 */
import { Fault, whyOf } from '../faults.ts'
import { backOff } from '../time/backoff.ts'
import { bell } from '../time/bell.ts'
import { never } from '../time/pause.ts'

export type OutboxStore = {
  outgoing(after: number, rowsMax: number, bytesMax: number): Promise<readonly Outgoing[]>
  sent(ids: readonly number[]): Promise<void>
}

type Outgoing = {
  readonly id: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

export type OutboxOptions = {
  readonly store: OutboxStore
  /** Resolves at PUBACK; rejects when the line fell first, or with BROKER_REFUSED. */
  readonly publish: (
    topic: string,
    payload: Uint8Array,
    options: { readonly retain: boolean },
  ) => Promise<void>
  /** Messages on their way at once. Default 32. */
  readonly window?: number
  readonly note?: (note: OutboxNote) => void
  readonly random?: () => number
  /** How long until what the broker refused is offered again, ms. Default 30 s. */
  readonly refusedMs?: number
}

export type OutboxNote =
  | { readonly event: 'published'; readonly topic: string; readonly bytes: number }
  /** Not acknowledged; it will be sent again. */
  | { readonly event: 'unsent'; readonly topic: string; readonly why: string }

export type Outbox = {
  /** Sends until the signal aborts. Rejects only with a fault of the store. */
  start(signal: AbortSignal): Promise<void>
  /** Something new may be there, or the line is back. */
  look(): void
  /** True when all is sent, false when `withinMs` passed first. */
  drained(withinMs: number): Promise<boolean>
}

export function outbox(options: OutboxOptions): Outbox {
  const { store, window = 32, random = Math.random, refusedMs = 30_000 } = options
  const alarm = bell()
  const idle = bell()
  const flight = flights(options, alarm.ring)
  let after = 0
  let looks = 0
  let resting = false

  const forget = async () => {
    const ids = flight.takeAcked()
    if (ids.length > 0) await store.sent(ids)
  }

  /** One turn; how long to wait for the next when nothing rings. */
  const turn = async (): Promise<number> => {
    const seen = looks
    await forget()
    const again = flight.refusedForMs() >= refusedMs
    if (flight.missed() || again) {
      // From the oldest again, once nothing is in flight: so the order stays.
      if (flight.count() > 0) return Number.POSITIVE_INFINITY
      after = 0
      flight.forgetRefusals()
      if (!flight.missed()) return 0
      return backOff(flight.takeFailures(), retryMs.first, retryMs.most, random)
    }
    const room = window - flight.count()
    if (room <= 0) return Number.POSITIVE_INFINITY
    const rows = await store.outgoing(after, room, bytesMax)
    for (const row of rows) {
      after = row.id
      void flight.send(row)
    }
    resting = rows.length === 0 && flight.resting() && seen === looks
    if (resting) idle.ring()
    if (rows.length > 0) return 0
    const sinceMs = flight.refusedForMs()
    return sinceMs < 0 ? Number.POSITIVE_INFINITY : Math.max(1, refusedMs - sinceMs)
  }

  return {
    look() {
      looks += 1
      resting = false
      alarm.ring()
    },
    async start(signal) {
      while (!signal.aborted) await alarm.wait(await turn(), signal)
      await forget()
    },
    async drained(withinMs) {
      // By the clock and not by a timer, which would never come while waits of no time follow each other.
      const untilMs = performance.now() + withinMs
      for (;;) {
        const leftMs = untilMs - performance.now()
        if (resting || leftMs <= 0) return resting
        await idle.wait(leftMs, never)
      }
    },
  }
}

/** What is on its way, and how it went; `landed` is called after each. */
function flights({ publish, note = () => {} }: OutboxOptions, landed: () => void) {
  const flying = new Set<number>()
  let acked: number[] = []
  let missed = false
  let failures = 0
  let refusedAtMs: number | undefined

  return {
    async send({ id, topic, payload, retain }: Outgoing): Promise<void> {
      flying.add(id)
      try {
        await publish(topic, payload, { retain })
        acked.push(id)
        failures = 0
        note({ event: 'published', topic, bytes: payload.length })
      } catch (cause) {
        if (cause instanceof Fault && cause.code === 'BROKER_REFUSED') {
          refusedAtMs ??= performance.now()
        } else {
          missed = true
          failures += 1
        }
        note({
          event: 'unsent',
          topic,
          why: whyOf(cause),
        })
      }
      flying.delete(id)
      landed()
    },
    count: () => flying.size,
    resting: () => flying.size + acked.length === 0 && !missed,
    takeAcked(): number[] {
      const ids = acked
      acked = []
      return ids
    },
    /** True when one of them did not get there. */
    missed: () => missed,
    /** Since when something waits that the broker refused, ms; below 0 when nothing does. */
    refusedForMs: () => (refusedAtMs === undefined ? -1 : performance.now() - refusedAtMs),
    forgetRefusals(): void {
      refusedAtMs = undefined
    },
    /** How many in a row did not; asks for no more tries until the next one fails. */
    takeFailures(): number {
      missed = false
      return failures
    },
  }
}

/** Read from the store at once: enough to fill the line, little enough to hold. */
const bytesMax = 1024 * 1024
const retryMs = { first: 250, most: 30_000 }
