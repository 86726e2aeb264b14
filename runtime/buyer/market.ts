/**
 * The market: every offer on the broker that we can believe, newest version only.
 *
 * An offer is believed when the device's own first key signed it (the device's id is that key's address),
 * or when the operator that we named enrolled the key that signed it. Without a named operator an
 * enrolment proves nothing: anyone can enrol anything.
 */
import type { Address } from '../wire/address.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { type Enrolment, readEnrolment } from '../wire/enrolment.ts'
import { Malformed, must } from '../wire/malformed.ts'
import { type LeftOut, type Offer, readOffer } from '../wire/offer.ts'
import { type Terms, termsHash } from '../wire/terms.ts'
import { everyOffer, parseTopic } from '../wire/topic.ts'
import type { BuyerLimits } from './limits.ts'
import { type KeptOffer, type Offers, openOffers, type Worth } from './offers.ts'
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
  /** Forgets everything and hears nothing more: what is bought from was chosen. */
  close(): void
}

export type MarketOptions = {
  readonly line: Pick<Line, 'subscribe'>
  readonly wanted: Wanted
  /** What we have bought under before: older offers are no news, whoever says them. */
  readonly seen: Versions
  readonly tally: Pick<Tally, 'finding' | 'note'>
  readonly limits: Pick<BuyerLimits, 'offersMax' | 'offerBytesMax'>
}

type State = MarketOptions & {
  /** Of each seller the newest of every key that signs for it: a stranger's does not hide the true one. */
  readonly offers: Offers
  /** Of the operator that was named, by device: its own signature bounds them, and `offersMax`. */
  readonly enrolments: Map<Address, Enrolled>
  /** That there was no room was told, and so many entries that were left out. */
  full: boolean
  leftOut: number
  closed: boolean
}

type Enrolled = { readonly bytes: Uint8Array; readonly enrolment: Enrolment }

/** Reads offers and enrolments from now on. */
export async function openMarket(options: MarketOptions): Promise<Market> {
  const { line, wanted, limits } = options
  const enrolments = new Map<Address, Enrolled>()
  const offers = openOffers(limits, (kept) => worthOf(state, kept))
  const state: State = { ...options, offers, enrolments, full: false, leftOut: 0, closed: false }
  await line.subscribe(everyOffer, (topic, payload) => take(state, topic, payload, takeOffer))
  if (wanted.operator !== undefined) {
    await line.subscribe(everyEnrolment, (topic, payload) =>
      take(state, topic, payload, takeEnrolment),
    )
  }
  return {
    listings: () => listingsOf(state),
    // Nobody is enrolled to speak for an operator: only its own key does.
    gateway: (operator) => offers.get(operator, operator)?.offer,
    close() {
      state.closed = true
      offers.clear()
      enrolments.clear()
    },
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
  if (state.closed || seller === undefined || payload.length === 0) return
  if (!isSought(state, seller)) return
  try {
    read(state, seller, payload)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    state.tally.finding('malformed message', { why: error.message })
  }
}

/** Whether anything of that seller can be of use: what cannot is not even read. */
function isSought({ wanted }: State, seller: Address): boolean {
  const { operator, devices } = wanted
  if (devices === undefined || devices.includes(seller)) return true
  return operator === undefined || seller === operator
}

function takeOffer(state: State, seller: Address, payload: Uint8Array): void {
  const { offers, seen, tally } = state
  const { offer, enrolment, leftOut } = readOffer(payload)
  const { device, signingKey, version } = offer
  must(device === seller, "offer: on another device's topic")
  const bought = seen.get(versionName(offer)) ?? 0
  if (version < bought) {
    const why = `version ${version}, of which we have had ${bought}`
    tally.finding('stale offer', { device, why })
    return
  }
  if (version <= (offers.get(device, signingKey)?.offer.version ?? -1)) return
  const streams = streamsOf(state, offer)
  const bytes = payload.length
  const put = offers.put({
    offer,
    streams,
    bytes,
    ...(enrolment === undefined ? {} : { enrolment }),
  })
  if (!put) tellFull(state, device)
  tellLeftOut(state, device, leftOut)
}

/** A device of a later version may sell what we do not understand: said, as often as serves anybody. */
function tellLeftOut(state: State, device: Address, leftOut: readonly LeftOut[]): void {
  const { devices, streams } = state.wanted
  if (devices !== undefined && !devices.includes(device)) return
  for (const { of, name, why } of leftOut) {
    const isWanted = of === 'rail' || (streams?.includes(name) ?? true)
    if (!isWanted || state.leftOut >= leftOutToldMax) continue
    state.leftOut += 1
    state.tally.note({ event: 'left out', device, of, name, why })
  }
}

const leftOutToldMax = 100

function takeEnrolment(state: State, seller: Address, payload: Uint8Array): void {
  const { enrolments, wanted, limits } = state
  const enrolment = readEnrolment(payload)
  const { device, operator, version } = enrolment
  must(device === seller, "enrolment: on another device's topic")
  const known = enrolments.get(seller)
  const isNewer = known === undefined || version > known.enrolment.version
  if (operator !== wanted.operator || !isNewer) return
  if (known === undefined && enrolments.size >= limits.offersMax) tellFull(state, device)
  else enrolments.set(seller, { bytes: payload.slice(), enrolment })
}

function tellFull(state: State, device: Address): void {
  const why = 'name operator, devices or streams to choose among fewer'
  state.tally.finding('too many offers', { device, why }, state.full)
  state.full = true
}

/** The believed one with the highest version of each device. */
function listingsOf(state: State): Listing[] {
  const newest = new Map<Address, Listing>()
  for (const kept of state.offers.all()) {
    const listing = listingOf(state, kept)
    if (listing === undefined) continue
    const { device, version } = kept.offer
    const before = newest.get(device)?.offer.version ?? -1
    if (version > before) newest.set(device, listing)
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, listing]) => listing)
}

function listingOf(state: State, kept: KeptOffer): Listing | undefined {
  const { offer, streams } = kept
  const { devices } = state.wanted
  if (devices !== undefined && !devices.includes(offer.device)) return undefined
  if (streams.length === 0) return undefined
  const word = wordFor(state, kept)
  if (!word.believed) return undefined
  const { enrolment } = word
  return { offer, streams, ...(enrolment === undefined ? {} : { enrolment }) }
}

function streamsOf({ wanted }: State, { streams }: Offer): ListedStream[] {
  return streams
    .filter(({ stream }) => wanted.streams?.includes(stream) ?? true)
    .map((terms) => ({ terms, hash: hex(termsHash(terms)) }))
}

function worthOf(state: State, kept: KeptOffer): Worth {
  const { operator, devices } = state.wanted
  const { offer, streams } = kept
  const isGateway = offer.device === offer.operator && offer.signingKey === offer.operator
  if (operator !== undefined && offer.operator !== operator) return 'no use'
  if (operator !== undefined && isGateway) return 'believed'
  const isWanted = streams.length > 0 && (devices?.includes(offer.device) ?? true)
  if (!isWanted && !isGateway) return 'no use'
  const { believed } = wordFor(state, kept)
  if (operator !== undefined) return believed ? 'believed' : 'perhaps'
  if (!believed) return 'no use'
  // Where no operator is named anybody's word is as good as another's, but for a device that is.
  return isWanted && devices !== undefined ? 'believed' : 'perhaps'
}

type Word = { readonly believed: boolean; readonly enrolment?: Uint8Array }

/** Why this offer's key is believed to speak for its device, if it is. */
function wordFor({ wanted, enrolments }: State, { offer, enrolment: within }: KeptOffer): Word {
  const { device, operator, signingKey } = offer
  const retained = enrolments.get(device)
  const bytes = retained?.bytes ?? (offer.enrolment && unhex(offer.enrolment))
  const vouches = (retained?.enrolment ?? within)?.signingKey === signingKey
  const enrolment = vouches && bytes !== undefined ? { enrolment: bytes } : {}
  if (wanted.operator === undefined) return { believed: signingKey === device, ...enrolment }
  return { believed: vouches && operator === wanted.operator, ...enrolment }
}
