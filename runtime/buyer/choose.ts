/** From what is on the market to what is bought: which devices, on which rail, up to which price. */
import { fault } from '../faults.ts'
import { pause } from '../time/pause.ts'
import type { Address } from '../wire/address.ts'
import type { Offer, OfferedRail } from '../wire/offer.ts'
import { isWithin, type Price } from '../wire/price.ts'
import type { Listing, Market, Wanted } from './market.ts'
import type { BuyNote } from './tally.ts'

/** Where one is willing to pay; what is absent is any. */
export type RailWanted = { readonly chainId?: number; readonly token?: Address }

/**
 * Waits for offers that fit: the first one, then a moment for the rest. Throws OFFER_MISSING, or the reason
 * of the signal.
 */
export async function waitForListings(
  market: Market,
  wanted: Wanted,
  limits: Waits,
  signal: AbortSignal,
): Promise<readonly Listing[]> {
  const found = () => market.listings().length > 0
  if (!(await within(limits.offerMs, found, signal))) {
    signal.throwIfAborted()
    throw missing(spell(wanted), limits)
  }
  const count = wanted.devices?.length
  await within(limits.discoverMs, () => market.listings().length === count, signal)
  return market.listings()
}

/** The operator's gateway, whose offer may come after its devices'. Throws as `waitForListings` does. */
export async function gatewayOf(
  market: Market,
  operator: Address,
  limits: Waits,
  signal: AbortSignal,
): Promise<Offer> {
  await within(limits.offerMs, () => market.gateway(operator) !== undefined, signal)
  const offer = market.gateway(operator)
  if (offer === undefined) signal.throwIfAborted()
  if (offer === undefined) throw missing(`the gateway of operator ${operator}`, limits)
  return offer
}

type Waits = { readonly offerMs: number; readonly discoverMs: number }

function missing(wanted: string, { offerMs }: Waits) {
  return fault('OFFER_MISSING', { wanted, seconds: offerMs / 1000 })
}

/** Looks until it holds or the time is over; says which. */
async function within(ms: number, holds: () => boolean, signal: AbortSignal): Promise<boolean> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(ms)])
  while (!holds() && !end.aborted) await pause(lookMs, end)
  return holds()
}

const lookMs = 50

/** The one operator that all of them belong to: one budget pays one. Throws OFFER_OPERATORS. */
export function soleOperator(listings: readonly Listing[]): Address {
  const operators = [...new Set(listings.map(({ offer }) => offer.operator))]
  const [only] = operators
  if (only === undefined || operators.length > 1) {
    throw fault('OFFER_OPERATORS', { operators: operators.join(', ') })
  }
  return only
}

/** What is bought on, and from whom. */
export type Payable = {
  /** Undefined for one's own devices: they are read on none. */
  readonly rail?: OfferedRail
  readonly takers: readonly Listing[]
}

/**
 * The rail that we are willing to use and most of them take, the first of several. Takers have one receiver
 * and gateway too, or a channel could not pay them all. The others are left aside and told, such as a device
 * that takes no money and gives its free streams to everybody. Throws OFFER_RAIL when none is left, or one
 * that was named.
 */
export function payable(
  found: readonly Listing[],
  options: { readonly own?: boolean; readonly rail?: RailWanted; readonly wanted?: Wanted },
  note: (note: BuyNote) => void,
): Payable {
  const { own, rail: willing = {}, wanted = {} } = options
  if (own) return { takers: found }
  const best = commonRail(found, willing)
  const { chainId = 'any chain', token = 'any token' } = willing
  if (best === undefined) {
    const rails = railWords(found.flatMap(({ offer }) => offer.rails))
    throw fault('OFFER_RAIL', { rails, wanted: `${token} on ${chainId}` })
  }
  const pays = railWords([best.rail])
  for (const { offer, streams } of found.filter((one) => !best.takers.includes(one))) {
    const takes = railWords(offer.rails)
    if (wanted.devices?.includes(offer.device)) {
      throw fault('OFFER_RAIL', { rails: takes, wanted: pays })
    }
    const names = streams.map(({ terms }) => terms.stream)
    note({ event: 'left aside', device: offer.device, streams: names, takes, pays })
  }
  return best
}

function commonRail(found: readonly Listing[], { chainId, token }: RailWanted) {
  let best: Required<Payable> | undefined
  for (const { offer } of found) {
    for (const rail of offer.rails) {
      if (chainId !== undefined && rail.chainId !== chainId) continue
      if (token !== undefined && rail.token !== token) continue
      const takers = found.filter(
        ({ offer: other }) =>
          other.receiver === offer.receiver &&
          other.gateway === offer.gateway &&
          other.rails.some((one) => isSame(rail, one)),
      )
      if (takers.length > (best?.takers.length ?? 0)) best = { rail, takers }
    }
  }
  return best
}

/** What offers take, for people. */
function railWords(rails: readonly OfferedRail[]): string {
  const words = rails.map(({ chainId, tokenName }) => `${tokenName} on ${chainId}`)
  return [...new Set(words)].join(', ') || 'no money'
}

/** The ceiling of the order: the one given, or the dearest price there is. Throws OFFER_PRICE. */
export function ceilingFor(listings: readonly Listing[], given: Price | undefined): Price {
  let ceiling: Price = given ?? { amount: 0n, perMs: 1n }
  for (const { offer, streams } of listings) {
    for (const { terms } of streams) {
      const price = { amount: BigInt(terms.price.amount), perMs: BigInt(terms.price.perMs) }
      if (isWithin(price, ceiling)) continue
      if (given === undefined) ceiling = price
      else {
        throw fault('OFFER_PRICE', {
          stream: terms.stream,
          device: offer.device,
          price: `${price.amount} per ${price.perMs} ms`,
          ceiling: `${given.amount} per ${given.perMs} ms`,
        })
      }
    }
  }
  return ceiling
}

function isSame(a: OfferedRail, b: OfferedRail): boolean {
  return a.chainId === b.chainId && a.settlement === b.settlement && a.token === b.token
}

function spell({ operator, devices, streams }: Wanted): string {
  const what = streams?.join(', ') ?? 'any stream'
  const who = devices?.join(', ') ?? 'any device'
  return operator === undefined ? `${what} of ${who}` : `${what} of ${who} under ${operator}`
}
