/** Whoever stands at the broker: what they see of a street, and what they may say. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../../runtime/link/broker.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { carriesReadings, decodeMessage } from '../../runtime/wire/epoch.ts'
import type { Header } from '../../runtime/wire/header.ts'
import { type Offer, readOffer } from '../../runtime/wire/offer.ts'
import { termsHash } from '../../runtime/wire/terms.ts'
import { everyTopic, parseTopic, topics } from '../../runtime/wire/topic.ts'
import type { Line } from '../sell/buyer.ts'

export type Outside = {
  /** Everything that came, newest last. */
  readonly sent: readonly Sent[]
  /** The newest that stands under a topic, and undefined when it was cleared. */
  retained(topic: string): Uint8Array | undefined
  say(topic: string, payload: Uint8Array | string, retain?: boolean): Promise<void>
  /** Waits until it holds, ten seconds at most. */
  until(holds: () => boolean): Promise<void>
  /** A line to a seller's desk, for a buyer on paper. */
  to(seller: Address): Line
  /** Headers of what a stream published, in the order in which they came. */
  epochs(device: Address, stream?: string): readonly Header[]
  /** The messages themselves. */
  messages(device: Address, stream?: string): readonly Uint8Array[]
  /** The offer of a device or gateway, once it is there. */
  offer(seller: Address): Promise<Offer>
  /** Hashes of the terms of all its streams. */
  terms(device: Address): Promise<Uint8Array[]>
}

type Sent = { readonly topic: string; readonly payload: Uint8Array }

export async function openOutside(
  line: Pick<Broker, 'publish' | 'subscribe'>,
  filter = everyTopic,
): Promise<Outside> {
  const sent: Sent[] = []
  const retained = new Map<string, Uint8Array>()
  await line.subscribe(filter, (topic, payload) => {
    const kept = payload.slice()
    sent.push({ topic, payload: kept })
    if (kept.length === 0) retained.delete(topic)
    else retained.set(topic, kept)
  })
  const until = async (holds: () => boolean) => {
    for (let i = 0; i < 12_000 && !holds(); i += 1) await sleep(5)
  }
  const messages = (device: Address, stream = 'air') => {
    const topic = topics(device).epoch(stream)
    return sent.flatMap((one) => (one.topic === topic ? [one.payload] : []))
  }
  const offer = async (seller: Address) => {
    const { offer: topic } = topics(seller)
    await until(() => retained.has(topic))
    return readOffer(retained.get(topic) as Uint8Array).offer
  }
  return {
    sent,
    retained: (topic) => retained.get(topic),
    say: (topic, payload, retain = false) => line.publish(topic, payload, { retain }),
    until,
    to: (seller) => ({
      ask: (payload) => void line.publish(topics(seller).ask, payload),
      sent,
      retained: (topic) => retained.get(topic),
      until,
    }),
    messages,
    epochs: (device, stream) =>
      messages(device, stream)
        .map((payload) => decodeMessage(payload).header)
        .filter(carriesReadings),
    offer,
    terms: async (device) => (await offer(device)).streams.map(termsHash),
  }
}

/** Everything that was said under topics of this kind to or from anybody. */
export function saidUnder({ sent }: Outside, kind: string): readonly Sent[] {
  return sent.filter(({ topic }) => parseTopic(topic)?.kind === kind)
}
