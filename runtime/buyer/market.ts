/**
 * The market: every offer on the broker that we can believe, newest version only.
 *
 * An offer is believed when the device's own first key signed it (the device's id is that key's address),
 * or when the operator that we named enrolled the key that signed it. Without a named operator an
 * enrolment proves nothing: anyone can enrol anything.
 */
import type { Address } from '../wire/address.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { readEnrolment } from '../wire/enrolment.ts'
import { Malformed } from '../wire/malformed.ts'
import { type Offer, readOffer } from '../wire/offer.ts'
import { type Terms, termsHash } from '../wire/terms.ts'
import { parseTopic } from '../wire/topic.ts'
import type { Line } from './session.ts'

/** Which offers we look for; what is absent is any. */
export type Wanted = {
  readonly operator?: Address
  readonly devices?: readonly Address[]
  readonly streams?: readonly string[]
}

/** A device that sells something we want. */
export type Listing = {
  readonly offer: Offer
  /** 133 bytes, for evidence; absent when no operator has enrolled the device. */
  readonly enrolment?: Uint8Array
  readonly streams: readonly ListedStream[]
}

export type ListedStream = { readonly terms: Terms; readonly hash: Hex }

export type Market = {
  /** The devices that sell what is wanted, in the order of their addresses. */
  listings(): Listing[]
  /** The offer of an operator's gateway. */
  gateway(operator: Address): Offer | undefined
}

/** Reads offers and enrolments from now on. */
export async function openMarket(
  line: Pick<Line, 'subscribe'>,
  wanted: Wanted,
  hooks: { readonly malformed: (why: string) => void },
): Promise<Market> {
  const offers = new Map<Address, Offer>()
  const enrolments = new Map<Address, Uint8Array>()

  await line.subscribe('wayside/1/+/offer', (topic, payload) => take(topic, payload, offer))
  if (wanted.operator !== undefined) {
    await line.subscribe('wayside/1/+/enrolment', (topic, payload) => take(topic, payload, enrol))
  }

  return {
    listings: () =>
      [...offers.values()]
        .sort((a, b) => (a.device < b.device ? -1 : 1))
        .flatMap((offer) => list(offer) ?? []),
    gateway: (operator) => offers.get(operator),
  }

  function take(
    topic: string,
    payload: Uint8Array,
    read: (seller: Address, payload: Uint8Array) => void,
  ) {
    const seller = parseTopic(topic)?.seller
    // An empty retained message is a topic that was cleared.
    if (seller === undefined || payload.length === 0) return
    try {
      read(seller, payload)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      hooks.malformed(error.message)
    }
  }

  function offer(seller: Address, payload: Uint8Array) {
    const { offer } = readOffer(payload)
    if (offer.device !== seller) throw new Malformed("offer: on another device's topic")
    const known = offers.get(seller)
    if (known === undefined || offer.version > known.version) offers.set(seller, offer)
  }

  function enrol(seller: Address, payload: Uint8Array) {
    const { device, operator } = readEnrolment(payload)
    if (device !== seller) throw new Malformed("enrolment: on another device's topic")
    if (operator === wanted.operator) enrolments.set(seller, payload)
  }

  function list(offer: Offer): Listing | undefined {
    const { device } = offer
    if (wanted.devices !== undefined && !wanted.devices.includes(device)) return undefined
    const streams = offer.streams
      .filter(({ stream }) => wanted.streams === undefined || wanted.streams.includes(stream))
      .map((terms) => ({ terms, hash: hex(termsHash(terms)) }))
    if (streams.length === 0) return undefined
    const enrolment = believed(offer)
    if (enrolment === false) return undefined
    return { offer, streams, ...(enrolment === undefined ? {} : { enrolment }) }
  }

  /** The enrolment that speaks for this offer's key; undefined when it needs none, false when it has none. */
  function believed({ device, operator, signingKey, enrolment }: Offer) {
    const own = enrolment === undefined ? enrolments.get(device) : unhex(enrolment)
    const fits = own !== undefined && vouches(own, signingKey)
    if (wanted.operator !== undefined) return fits && operator === wanted.operator ? own : false
    if (signingKey !== device) return false
    return fits ? own : undefined
  }

  function vouches(enrolment: Uint8Array, signingKey: Address): boolean {
    return readEnrolment(enrolment).signingKey === signingKey
  }
}
