/** The outside witness: hears all that crosses the broker, and asks the device how much it has stored. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openBroker } from '../../runtime/link/broker.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { everyTopic, parseTopic, topics } from '../../runtime/wire/topic.ts'
import type { Life, Testimony } from './testimony.ts'

export type Kind = (typeof kinds)[number]
/** What crosses the broker all the time while somebody buys: moments at which a death may hurt. */
export const kinds = ['epoch', 'open', 'ask', 'answer', 'keys'] as const

export type Witness = {
  /** A new life begins; returns what it is to be told of, and who ends it. */
  born(): {
    /** Said in the device's own log. */
    readonly told: (stream: string, count: number) => void
    /** Where this life answers GET /metrics. */
    readonly at: (url: string) => void
    /** How often /metrics answered. */
    dead(): Promise<number>
  }
  /** Resolves when the broker next hands on a message of this kind to or from the device. */
  next(kind: Kind): Promise<void>
  /** All that the broker was given before this call. */
  testimony(): Promise<Testimony>
  close(): Promise<void>
}

export async function openWitness(parts: {
  readonly device: Address
  readonly brokerUrl: string
}): Promise<Witness> {
  const { device, brokerUrl } = parts
  const broker = openBroker({ url: brokerUrl, clientId: 'witness' })
  const lives: Life[] = []
  const closed = new AbortController()
  const epochs: Uint8Array[] = []
  const opens: { stream: string; payload: Uint8Array }[] = []
  const offers: Uint8Array[] = []
  const waiting = new Set<{ readonly kind: Kind; done(): void }>()
  let sync: (() => void) | undefined

  await broker.ready()
  await broker.subscribe(everyTopic, (topic, payload) => {
    const parsed = parseTopic(topic)
    const kept = payload.slice()
    if (parsed?.kind === 'epoch') epochs.push(kept)
    if (parsed?.kind === 'open') opens.push({ stream: parsed.stream, payload: kept })
    if (topic === topics(device).offer) offers.push(kept)
    if (topic === syncTopic) sync?.()
    if (parsed?.seller !== device) return
    for (const wait of waiting) if (wait.kind === parsed.kind) wait.done()
  })

  return {
    born() {
      const counts = new Map<string, number>()
      const logged = new Map<string, number>()
      const fromMs = monotonicMs()
      const stop = new AbortController()
      const most = (stream: string, count: number) =>
        counts.set(stream, Math.max(counts.get(stream) ?? 0, count))
      let url: string | undefined
      const polled = poll(() => url, AbortSignal.any([stop.signal, closed.signal]), most)
      return {
        at(found) {
          url = found
        },
        told(stream, count) {
          const sum = (logged.get(stream) ?? 0) + count
          logged.set(stream, sum)
          most(stream, sum)
        },
        async dead() {
          lives.push({ fromMs, toMs: monotonicMs(), stored: counts })
          stop.abort()
          return polled
        },
      }
    },
    next: (kind) =>
      new Promise((resolve) => {
        const wait = {
          kind,
          done() {
            waiting.delete(wait)
            resolve()
          },
        }
        waiting.add(wait)
      }),
    async testimony() {
      const heard = new Promise<void>((resolve) => {
        sync = resolve
      })
      await broker.publish(syncTopic, '')
      await heard
      return { lives, epochs, opens, offers }
    },
    close() {
      closed.abort()
      return broker.close()
    },
  }
}

/** The broker hands messages on in the order in which it took them, so what came before this was heard. */
const syncTopic = 'wayside/1/witness'
const pollMs = 40

async function poll(
  url: () => string | undefined,
  signal: AbortSignal,
  most: (stream: string, count: number) => void,
): Promise<number> {
  let answers = 0
  while (!signal.aborted) {
    try {
      const body = await (await fetch(`${url()}/metrics`, { signal })).text()
      const lines = body.matchAll(/^wayside_readings_stored_total\{stream="([^"]+)"\} (\d+)$/gm)
      for (const [, stream = '', count] of lines) most(stream, Number(count))
      answers += 1
    } catch {
      // It is dead, or not born yet.
    }
    await sleep(pollMs)
  }
  return answers
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
