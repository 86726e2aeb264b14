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
import { Malformed, must } from '../wire/malformed.ts'
import { type Offer, readOffer } from '../wire/offer.ts'
import { type Terms, termsHash } from '../wire/terms.ts'
import { everyOffer, parseTopic } from '../wire/topic.ts'
import type { Line } from './session.ts'
import type { Tally } from './tally.ts'
import { type Versions, versionName } from './versions.ts'

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

export type MarketOptions = {
  readonly line: Pick<Line, 'subscribe'>
  readonly wanted: Wanted
  /** What we have bought under before: older offers are no news, whoever says them. */
  readonly seen: Versions
  readonly tally: Pick<Tally, 'finding'>
}

type State = MarketOptions & {
  /** Of each seller the newest of every key that signs for it: a stranger's does not hide the true one. */
  readonly offers: Map<Address, Map<Address, Offer>>
  /** Of the operator that was named, by device. */
  readonly enrolments: Map<Address, Uint8Array>
}

/** Reads offers and enrolments from now on. */
export async function openMarket(options: MarketOptions): Promise<Market> {
  const { line, wanted } = options
  const state: State = { ...options, offers: new Map(), enrolments: new Map() }
  await line.subscribe(everyOffer, (topic, payload) => take(state, topic, payload, takeOffer))
  if (wanted.operator !== undefined) {
    await line.subscribe(everyEnrolment, (topic, payload) =>
      take(state, topic, payload, takeEnrolment),
    )
  }
  return {
    listings: () =>
      [...state.offers]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, signed]) =>
          newest([...signed.values()].flatMap((one) => listingOf(state, one) ?? [])),
        ),
    // Nobody is enrolled to speak for an operator: only its own key does.
    gateway: (operator) => state.offers.get(operator)?.get(operator),
  }
}

const everyEnrolment = 'wayside/1/+/enrolment'

function take(
  state: State,
  topic: string,
  payload: Uint8Array,
  read: (state: State, seller: Address, payload: Uint8Array) => void,
): void {
  const seller = parseTopic(topic)?.seller
  // An empty retained message is a topic that was cleared.
  if (seller === undefined || payload.length === 0) return
  try {
    read(state, seller, payload)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    state.tally.finding('malformed message', { why: error.message })
  }
}

function takeOffer({ offers, seen, tally }: State, seller: Address, payload: Uint8Array): void {
  const { offer } = readOffer(payload)
  const { device, signingKey, version } = offer
  must(device === seller, "offer: on another device's topic")
  const bought = seen.get(versionName(offer)) ?? 0
  if (version < bought) {
    const why = `version ${version}, of which we have had ${bought}`
    tally.finding('stale offer', { device, why })
    return
  }
  const signed = offers.get(seller) ?? new Map<Address, Offer>()
  offers.set(seller, signed)
  if (version > (signed.get(signingKey)?.version ?? -1)) signed.set(signingKey, offer)
}

/** The one with the highest version, if any. */
function newest(listings: readonly Listing[]): readonly Listing[] {
  return listings.toSorted((a, b) => b.offer.version - a.offer.version).slice(0, 1)
}

function takeEnrolment({ enrolments, wanted }: State, seller: Address, payload: Uint8Array): void {
  const { device, operator, version } = readEnrolment(payload)
  must(device === seller, "enrolment: on another device's topic")
  const known = enrolments.get(seller)
  const isNewer = known === undefined || version > readEnrolment(known).version
  if (operator === wanted.operator && isNewer) enrolments.set(seller, payload.slice())
}

function listingOf(state: State, offer: Offer): Listing | undefined {
  const { devices, streams: names } = state.wanted
  if (devices !== undefined && !devices.includes(offer.device)) return undefined
  const streams = offer.streams
    .filter(({ stream }) => names === undefined || names.includes(stream))
    .map((terms) => ({ terms, hash: hex(termsHash(terms)) }))
  if (streams.length === 0) return undefined
  const word = wordFor(state, offer)
  if (!word.believed) return undefined
  const { enrolment } = word
  return { offer, streams, ...(enrolment === undefined ? {} : { enrolment }) }
}

type Word = { readonly believed: boolean; readonly enrolment?: Uint8Array }

/** Why this offer's key is believed to speak for its device, if it is. */
function wordFor({ wanted, enrolments }: State, offer: Offer): Word {
  const { device, operator, signingKey } = offer
  const bytes = enrolments.get(device) ?? (offer.enrolment && unhex(offer.enrolment))
  const vouches = bytes !== undefined && readEnrolment(bytes).signingKey === signingKey
  const enrolment = vouches ? { enrolment: bytes } : {}
  if (wanted.operator === undefined) return { believed: signingKey === device, ...enrolment }
  return { believed: vouches && operator === wanted.operator, ...enrolment }
}
