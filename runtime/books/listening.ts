/** What a device hears at its broker, who of it takes what, and when it must leave it. */
import type { Config } from '../config/config.ts'
import { Fault, fault } from '../faults.ts'
import { openBroker } from '../link/broker.ts'
import { type Lookout, type LookoutStore, lookout, lookoutLimits } from '../stream/lookout.ts'
import { bell } from '../time/bell.ts'
import { pause } from '../time/pause.ts'
import type { Note } from '../watch/log.ts'
import type { Address } from '../wire/address.ts'
import { topics } from '../wire/topic.ts'

/** How long a broker may take to let us in, and then to say what it retains, before books are mended. */
const againMs = { ready: 5_000, said: 30_000 }

/**
 * Hears once more, before books are mended, what stands at the broker: whoever spoke there may have spoken
 * on. Says how it went. The line has an id of its own, so that it throws nobody out.
 */
export async function hearAgain(
  { broker, folder }: Pick<Config, 'broker' | 'folder'>,
  { device, signingKey }: { readonly device: Address; readonly signingKey: Address },
  store: LookoutStore,
): Promise<string> {
  const line = openBroker({ ...broker, clientId: `${device}-recover` })
  try {
    await line.ready(againMs.ready)
    const look = lookout({ device, signingKey, store, line, folder, cloned() {}, restored() {} })
    const heard = await look.hearAgain(AbortSignal.timeout(againMs.said))
    return heard
      ? 'what stands at the broker was heard again'
      : `the broker has nothing of ours: ${before}`
  } catch (cause) {
    if (!(cause instanceof Fault && cause.code.startsWith('BROKER_'))) throw cause
    return `${cause.message}: ${before}`
  } finally {
    await line.close()
  }
}

const before = 'what was heard before counts'

type Line = {
  subscribe(
    filter: string,
    handler: (topic: string, payload: Uint8Array, retained: boolean) => void,
  ): Promise<void>
  onConnect(listener: (forgot: boolean) => void): void
}

export type Ears = {
  readonly device: Address
  readonly shop: {
    readonly filters: readonly string[]
    handle(topic: string, payload: Uint8Array): void
  }
  /** Takes an enrolment; true when it is new, and the offer is to show it. */
  readonly enrol: (payload: Uint8Array) => Promise<boolean>
  readonly showEnrolment: () => Promise<void>
  readonly store: { sendRetainedAgain(only?: string): Promise<void> }
  readonly out: { look(): void }
  /** Whoever answers for work that is begun here. */
  readonly own: (work: Promise<unknown>) => void
}

/** Requests, grants and acks go to the shop; an enrolment renews the offer. */
export async function listenToBroker(line: Line, ears: Ears): Promise<void> {
  const { device, shop, store, out, own } = ears
  // A filter that the broker refuses stands in health, and is asked for again at the next connection.
  const hear: Line['subscribe'] = (filter, handler) =>
    line.subscribe(filter, handler).catch(() => {})
  for (const filter of shop.filters) await hear(filter, shop.handle)
  const enrol = async (payload: Uint8Array) => {
    if (await ears.enrol(payload)) await ears.showEnrolment()
  }
  await hear(topics(device).enrolment, (_topic, payload) => own(enrol(payload)))
  // A broker that lost its disk has forgotten what we left there. One that has not holds all of it but the
  // status, in whose place it put our last will.
  let first = true
  line.onConnect((forgot) => {
    own(store.sendRetainedAgain(first || forgot ? undefined : topics(device).status))
    first = false
    out.look()
  })
}

export type Watchtower = {
  readonly look: Lookout
  /** Aborts when somebody else speaks with our key. */
  readonly twin: AbortController
  /**
   * Waits for a twin until the signal comes, and leaves everything there again at a broker that was restored
   * from an older day. When there is one, what stands at the broker is kept, and then
   * the line is left for good: two clients of one id throw each other out for ever.
   */
  start(signal: AbortSignal): Promise<void>
}

/**
 * Listens for our own index: are the books whole, and do we speak alone? Where `lost`, what the books know
 * already, says no, the line is not even made: each start would throw a twin out once more.
 */
export function keepLookout(parts: {
  readonly key: { readonly device: Address; readonly signingKey: Address }
  readonly store: LookoutStore
  readonly lost: { readonly twin?: string } | undefined
  readonly broker: Line & { connected(): boolean; vanish(): void }
  readonly folder: string
  readonly note: Note
  /** Sends again all that is to stand at the broker, which has forgotten some of it and does not know. */
  readonly restate: () => Promise<void>
}): Watchtower {
  const { key, store, lost, broker, folder, note, restate } = parts
  const { device, signingKey } = key
  const twin = new AbortController()
  const cloned = (what: string) => {
    const { message, cure, code } = fault('DEVICE_CLONED', { device, what })
    note('error', 'cloned', { code, message, cure })
    twin.abort()
  }
  if (lost?.twin !== undefined) cloned(lost.twin)
  if (lost !== undefined) broker.vanish()
  const older = bell()
  let isOlder = false
  const restored = () => {
    isOlder = true
    older.ring()
  }
  const look = lookout({ device, signingKey, store, line: broker, folder, cloned, restored })
  return {
    ...{ twin, look },
    async start(signal) {
      const end = AbortSignal.any([twin.signal, signal])
      while (!end.aborted) {
        await older.wait(Number.POSITIVE_INFINITY, end)
        if (!isOlder || end.aborted) continue
        isOlder = false
        note('warn', 'broker restored', { device })
        await restate()
      }
      if (signal.aborted || lost !== undefined) return
      const late = new AbortController()
      const until = AbortSignal.any([signal, late.signal])
      await Promise.race([look.keepTwin(until), pause(lookoutLimits.twinMs, until)])
      late.abort()
      broker.vanish()
      note('error', 'line left', { device })
    },
  }
}
