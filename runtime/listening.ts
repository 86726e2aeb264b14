/** What a device hears at its broker, and who of it takes what. */
import { fault } from './faults.ts'
import { type Lookout, type LookoutStore, lookout } from './stream/lookout.ts'
import type { Note } from './watch/log.ts'
import type { Address } from './wire/address.ts'
import { topics } from './wire/topic.ts'

type Line = {
  subscribe(filter: string, handler: (topic: string, payload: Uint8Array) => void): Promise<void>
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
}

/** Listens for our own index: are the books whole, and do we speak alone? */
export function keepLookout(parts: {
  readonly key: { readonly device: Address; readonly signingKey: Address }
  readonly store: LookoutStore
  readonly broker: Line & { connected(): boolean }
  readonly folder: string
  readonly note: Note
}): Watchtower {
  const { key, store, broker, folder, note } = parts
  const { device, signingKey } = key
  const twin = new AbortController()
  const cloned = (what: string) => {
    const { message, cure, code } = fault('DEVICE_CLONED', { device, what })
    note('error', 'cloned', { code, message, cure })
    twin.abort()
  }
  return { twin, look: lookout({ device, signingKey, store, line: broker, folder, cloned }) }
}
