/**
 * The demo's auditor: hears what everybody may hear, is handed the buyer's session keys, and then says
 * with its own eyes which epochs that buyer's keys open, which they do not, and what they should cost.
 */
import { DatabaseSync } from 'node:sqlite'
import { openBroker } from '../runtime/link/broker.ts'
import { hex } from '../runtime/wire/bytes.ts'
import { carriesReadings, decodeMessage, type Message, openEpoch } from '../runtime/wire/epoch.ts'
import { decodeKeysBody, type KeysBody } from '../runtime/wire/keysbody.ts'
import { leafKey } from '../runtime/wire/keytree.ts'
import { Malformed } from '../runtime/wire/malformed.ts'
import { type Offer, readOffer } from '../runtime/wire/offer.ts'
import { coveredMs, due } from '../runtime/wire/price.ts'
import { openMessage, type SessionKeys, sessionName } from '../runtime/wire/session.ts'
import { isFree, type Terms, termsHash } from '../runtime/wire/terms.ts'
import { everyTopic, parseTopic } from '../runtime/wire/topic.ts'

export type Audit = {
  /** Sealed epochs with readings that crossed the broker, free streams included. */
  readonly published: number
  /** `<stream>/<number>` of every priced epoch that the buyer's keys opened and verified. */
  readonly opened: readonly string[]
  /** Priced epochs of the ordered streams that they did not open. */
  readonly closed: number
  /** Epochs sealed after the buyer had stopped, and those of them that its keys open. */
  readonly afterStop: { readonly sealed: number; readonly opened: number }
  /** What the opened epochs cost by the offer, in the token's smallest unit. */
  readonly price: bigint
  /** One opened epoch with its key, for whoever wants to try it. */
  readonly sample?: { readonly stream: string; readonly number: number; readonly key: string }
}

export type Auditor = {
  ready(): Promise<void>
  /** From here on, what is sealed is after the stop. */
  buyerStopped(): void
  audit(sessions: readonly SessionKeys[]): Audit
  close(): Promise<void>
}

export function openAuditor(url: string): Auditor {
  const broker = openBroker({ url, clientId: 'auditor' })
  const epochs: { readonly message: Message; readonly afterStop: boolean }[] = []
  const keys = new Map<string, Uint8Array[]>()
  let offer: Offer | undefined
  let stopped = false

  const hear = (topic: string, payload: Uint8Array) => {
    const parsed = parseTopic(topic)
    if (parsed?.kind === 'epoch') {
      epochs.push({ message: decodeMessage(payload), afterStop: stopped })
    } else if (parsed?.kind === 'offer') {
      const read = readOffer(payload).offer
      if (read.streams.length > 0) offer = read
    } else if (parsed?.kind === 'keys') {
      keys.set(parsed.session, [...(keys.get(parsed.session) ?? []), payload])
    }
  }
  return {
    async ready() {
      await broker.ready()
      await broker.subscribe(everyTopic, hear)
    },
    buyerStopped() {
      stopped = true
    },
    audit: (sessions) => {
      // Every version that was ever released, so that nothing which was given once is overlooked.
      const bodies = sessions.flatMap((session) =>
        (keys.get(sessionName(session.id)) ?? []).flatMap((payload) => bodyOf(payload, session)),
      )
      return auditOf(epochs, bodies, offer)
    },
    close: () => broker.close(),
  }
}

/** The session keys of a buyer that is buying, from its own books. */
export function sessionsOf(buyerFolder: string): SessionKeys[] {
  const db = new DatabaseSync(`${buyerFolder}/buyer.db`, { readOnly: true })
  try {
    return db.prepare('SELECT id, ask, answer, keys FROM session').all() as SessionKeys[]
  } finally {
    db.close()
  }
}

function bodyOf(payload: Uint8Array, session: SessionKeys): KeysBody[] {
  const opened = openMessage(payload, session, 'keys')
  return opened === undefined ? [] : [decodeKeysBody(opened.plain)]
}

function auditOf(
  epochs: readonly { readonly message: Message; readonly afterStop: boolean }[],
  bodies: readonly KeysBody[],
  offer: Offer | undefined,
): Audit {
  const priced = new Map<string, Terms>(
    (offer?.streams ?? [])
      .filter((terms) => !isFree(terms))
      .map((terms) => [hex(termsHash(terms)), terms]),
  )
  const sealed = epochs.filter(({ message }) => carriesReadings(message.header))
  const covered = new Map<string, bigint>()
  const opened: string[] = []
  const afterStop = { sealed: 0, opened: 0 }
  let closed = 0
  let sample: Audit['sample']
  for (const { message, afterStop: late } of sealed) {
    const { stream, generation, number, terms } = message.header
    const entry = priced.get(hex(terms))
    if (entry === undefined) continue
    if (late) afterStop.sealed += 1
    const key = keyOf(bodies, stream, generation, number)
    if (key === undefined) {
      closed += 1
      continue
    }
    if (!verifies(message, key)) continue
    opened.push(`${stream}/${number}`)
    if (late) afterStop.opened += 1
    sample ??= { stream, number, key: hex(key) }
    const more = coveredMs({ ...message.header, nominalMs: entry.epochMs })
    covered.set(hex(terms), (covered.get(hex(terms)) ?? 0n) + more)
  }
  let price = 0n
  for (const [terms, ms] of covered) {
    const { amount, perMs } = priced.get(terms)?.price ?? { amount: '0', perMs: 1 }
    price += due(ms, { amount: BigInt(amount), perMs: BigInt(perMs) })
  }
  const found = { published: sealed.length, opened, closed, afterStop, price }
  return sample === undefined ? found : { ...found, sample }
}

/** Signature and body hash held when it was decoded; here commitment, root, count and every pack. */
function verifies(message: Message, key: Uint8Array): boolean {
  try {
    openEpoch(message, key)
    return true
  } catch (error) {
    if (error instanceof Malformed) return false
    throw error
  }
}

function keyOf(bodies: readonly KeysBody[], stream: string, generation: number, number: number) {
  for (const { covers } of bodies) {
    for (const cover of covers) {
      if (cover.stream !== stream || cover.generation !== generation) continue
      for (const run of cover.runs) {
        const key = leafKey(run.nodes, number)
        if (key !== undefined) return key
      }
    }
  }
  return undefined
}
