/**
 * The shelf: the signed documents that the device leaves retained at the broker (offer, setups, index) and
 * its status. A document that says nothing new keeps its bytes and its version; a version only grows, and
 * the store's ledger of retained topics is where it is remembered.
 */
import { bell } from '../time/bell.ts'
import { pause } from '../time/pause.ts'
import type { Address } from '../wire/address.ts'
import { equal, hex, utf8 } from '../wire/bytes.ts'
import { type Json, jcs } from '../wire/jcs.ts'
import type { Offer } from '../wire/offer.ts'
import type { Setup } from '../wire/setup.ts'
import type { Index } from '../wire/shelf.ts'
import { type DocumentKind, readDocument, signDocument } from '../wire/signed.ts'
import { parseTopic, topics } from '../wire/topic.ts'

export type ShelfStore = {
  retained(topic: string): Promise<Uint8Array | undefined>
  retainedTopics(): Promise<readonly string[]>
  setRetained(topic: string, payload: Uint8Array): Promise<void>
  /** Takes away what is retained there, and remembers the version of a document. */
  takeDown(topic: string, version?: number): Promise<void>
  versionTakenDown(topic: string): Promise<number>
  shelf(): Promise<readonly ShelfRow[]>
}

type Mark = {
  readonly number: number
  readonly monotonicMs: number
  readonly wallMs: number | null
}
type ShelfRow = {
  readonly stream: string
  readonly generations: Readonly<Index['streams'][number]['generations']>
  readonly first: Mark
  readonly last: Mark
  readonly lastHash: Uint8Array
  readonly tombstones: Readonly<Index['streams'][number]['tombstones']>
}

export type ShelfOptions = {
  readonly device: Address
  readonly sign: (digest: Uint8Array) => Uint8Array
  readonly store: ShelfStore
  readonly offer: Omit<Offer, 'version'>
  readonly setups: readonly Omit<Setup, 'version'>[]
  /** At most one index in this time. Default 10 s. */
  readonly indexEveryMs?: number
  /** Something new is in the outbox. */
  readonly changed?: () => void
  /** This index will be sent. Called before it can be. */
  readonly wrote?: (index: Uint8Array) => void
}

export type Shelf = {
  /** The offer with its version, as it is published now. */
  offer(): Offer
  /** Publishes another offer, as after an enrolment; one that says nothing new keeps its version. */
  setOffer(offer: Omit<Offer, 'version'>): Promise<void>
  /** What the headers of a stream name: the hash of its signed setup. */
  setupHash(stream: string): Uint8Array
  /** Says whether the device is there; the last will says `off` for one that vanished. */
  status(state: StatusState): Promise<void>
  /** There are new headers: the index is to be written again. */
  look(): void
  /** Keeps the index true until the signal aborts, and once more then. */
  start(signal: AbortSignal): Promise<void>
}

export type StatusState = 'on' | 'off'

/** Advisory and unsigned: {"state": "on" | "off"}. */
export function statusPayload(state: StatusState): Uint8Array {
  return utf8(JSON.stringify({ state }))
}

/** Publishes offer and setups, takes away those of streams that are no more, and opens the shelf. */
export async function openShelf(options: ShelfOptions): Promise<Shelf> {
  const { device, store, offer, setups, changed = () => {} } = options
  const names = topics(device)
  const alarm = bell()
  const documents = documentsOf(options)

  const hashes = new Map<string, Uint8Array>()
  for (const setup of setups) {
    const payload = await documents.put('setup', names.setup(setup.stream), setup)
    hashes.set(setup.stream, readDocument('setup', payload).hash)
  }
  for (const topic of await store.retainedTopics()) {
    const parsed = parseTopic(topic)
    const gone = parsed?.kind === 'setup' && !hashes.has(parsed.stream)
    if (gone) await takeDown(store, topic)
  }
  const putOffer = async (said: Omit<Offer, 'version'>) => {
    const offered = readDocument('offer', await documents.put('offer', names.offer, said))
    changed()
    return offered.document as unknown as Offer
  }
  let current = await putOffer(offer)

  const writeIndex = async () => {
    const streams = (await store.shelf()).map(indexEntry)
    await documents.put('index', names.index, { device, streams })
    changed()
  }

  return {
    offer: () => current,
    async setOffer(said) {
      current = await putOffer(said)
    },
    setupHash(stream) {
      const hash = hashes.get(stream)
      if (hash === undefined) throw new RangeError(`stream ${stream} has no setup`)
      return hash
    },
    async status(state) {
      await store.setRetained(names.status, statusPayload(state))
      changed()
    },
    look: alarm.ring,
    async start(signal) {
      await writeIndex()
      while (!signal.aborted) {
        await alarm.wait(Number.POSITIVE_INFINITY, signal)
        if (!signal.aborted) await pause(options.indexEveryMs ?? indexEveryMs, signal)
        await writeIndex()
      }
    },
  }
}

/**
 * Takes away everything that this device left at the broker, sessions' keys included; says how many topics
 * that were. What the broker has not acknowledged stays in the ledger, and is taken away later.
 */
export async function takeAllDown(store: ShelfStore): Promise<number> {
  const topics = await store.retainedTopics()
  for (const topic of topics) await takeDown(store, topic)
  return topics.length
}

async function takeDown(store: ShelfStore, topic: string): Promise<void> {
  const kind = parseTopic(topic)?.kind
  const payload = await store.retained(topic)
  const isDocument = kind === 'offer' || kind === 'setup' || kind === 'index'
  if (!isDocument || payload === undefined || payload.length === 0) return store.takeDown(topic)
  await store.takeDown(topic, versioned(kind, payload).version)
}

/** Writes a signed document under the next version, unless it says what the last one said. */
function documentsOf({ sign, store, wrote }: ShelfOptions) {
  return {
    async put(kind: DocumentKind, topic: string, said: object): Promise<Uint8Array> {
      const before = await store.retained(topic)
      const last = before === undefined || before.length === 0 ? undefined : versioned(kind, before)
      if (before !== undefined && last !== undefined) {
        const same = { ...said, version: last.version } as Json
        if (equal(jcs(same), jcs(last.document))) return before
      }
      const version = (last?.version ?? (await store.versionTakenDown(topic))) + 1
      const document = { ...said, version } as Json
      const payload = utf8(signDocument(kind, document, sign))
      if (kind === 'index') wrote?.(payload)
      await store.setRetained(topic, payload)
      return payload
    },
  }
}

function versioned(kind: DocumentKind, payload: Uint8Array) {
  const { document } = readDocument(kind, payload)
  const { version } = document as { readonly version: number }
  return { document, version }
}

function indexEntry(row: ShelfRow): Index['streams'][number] {
  const { stream, generations, first, last, lastHash, tombstones } = row
  return {
    stream,
    generations: [...generations],
    first: markOf(first),
    last: markOf(last),
    lastHash: hex(lastHash),
    tombstones: [...tombstones],
  }
}

function markOf({ number, monotonicMs, wallMs }: Mark) {
  return { number, monotonicMs, ...(wallMs === null ? {} : { wallMs }) }
}

const indexEveryMs = 10_000
