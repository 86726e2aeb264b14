/** What was heard at the broker when books were found to be lost, as their recovery reads it. */
import type { Config } from '../config/config.ts'
import type { DeviceKey } from '../sign/key.ts'
import type { Store } from '../store/client.ts'
import type { LostBooks } from '../store/lost.ts'
import { readOwn } from '../stream/lost.ts'
import { type Ack, decodeAcks, recoverAck } from '../wire/ack.ts'
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import { decodeShape } from '../wire/cborshape.ts'
import { Malformed } from '../wire/malformed.ts'
import { paymentShape } from '../wire/payment.ts'
import { verifyLeaf } from '../wire/paymenttree.ts'
import type { Index } from '../wire/shelf.ts'
import { readDocument } from '../wire/signed.ts'
import { parseTopic, topics } from '../wire/topic.ts'

/** The newest index that the device left at its broker. */
export function indexIn({ heard }: LostBooks, key: DeviceKey): Index {
  const payload = heard.find(({ topic }) => topic === topics(key.device).index)?.payload
  const index = payload === undefined ? undefined : readOwn(payload, key)
  if (index === undefined) throw new RangeError('what was heard was not kept whole')
  return index
}

/** Our own documents at the broker that are newer than those in our ledger. */
export async function standingOf(key: DeviceKey, store: Store, { heard }: LostBooks) {
  const ours = []
  for (const { topic, payload } of heard) {
    const kind = parseTopic(topic)?.kind
    if (kind !== 'offer' && kind !== 'setup' && kind !== 'index') continue
    const there = versionOf(kind, payload, key)
    const known = await store.retained(topic)
    const here = known === undefined ? undefined : versionOf(kind, known, key)
    if (there !== undefined && there >= (here ?? 0)) ours.push({ topic, payload })
  }
  return ours
}

function versionOf(kind: 'offer' | 'setup' | 'index', payload: Uint8Array, key: DeviceKey) {
  const signed = readable(() => readDocument(kind, payload))
  const { version } = (signed?.document ?? {}) as { readonly version?: unknown }
  const isOurs = signed?.signer === key.signingKey && Number.isSafeInteger(version)
  return isOurs ? (version as number) : undefined
}

/**
 * Which channels were paid on since, as far as their gateway's acks tell: all that it has acknowledged and
 * whose newest payment here is another than that. Sessions that only the broker knows end too.
 */
export async function salesOf(
  { gateway }: Config,
  key: DeviceKey,
  store: Store,
  { heard }: LostBooks,
) {
  const own = topics(key.device)
  const sales = await store.sales()
  const acks = heard.flatMap(({ topic, payload }) =>
    topic === own.ack ? (readable(() => decodeAcks(payload)) ?? []) : [],
  )
  const channels = acks
    .filter((ack) => recoverAck(ack) === gateway && ack.period > 0n)
    .filter((ack) => {
      const row = sales.channels.find(({ channel }) => channel === hex(ack.channelId))
      const payment = row?.payment == null ? undefined : paymentOf(row.payment)
      return payment?.split.period !== ack.period || hex(payment.split.root) !== hex(ack.root)
    })
    .map((ack) => ({ channel: hex(ack.channelId), spent: spentIn(ack, key.device) }))
  const ledger = (await store.retainedTopics()).map((topic) => ({ topic }))
  const sessions = new Set(
    [...heard, ...ledger].flatMap(({ topic }) => {
      const parsed = parseTopic(topic)
      return parsed?.kind === 'keys' ? [parsed.session] : []
    }),
  )
  const known = new Set(sales.sessions.map(({ session }) => session))
  return {
    channels,
    sessions: [...sessions].filter((session) => !known.has(session)),
    down: [...sessions].map((session) => own.keys(session)),
  }
}

/** Where the device is alone in the channel, all of its total is the device's. */
function spentIn({ root, total }: Ack, device: Address): string | null {
  return verifyLeaf({ index: 0, device, amount: total }, [], root, total) ? String(total) : null
}

function paymentOf(bytes: Uint8Array) {
  return readable(() => decodeShape(paymentShape, bytes, 'payment'))
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof Malformed) return undefined
    throw cause
  }
}
