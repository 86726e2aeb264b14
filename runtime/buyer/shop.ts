/**
 * Shopping: every chosen device as a seller, the gateway beside them, and one queue of readings.
 *
 * It ends in order: nothing more is bought; what is paid for is waited for; the gateway takes the last
 * books; every session is ended; then the queue ends.
 */

import { pause } from '../time/pause.ts'
import type { Address } from '../wire/address.ts'
import { unhex } from '../wire/bytes.ts'
import type { Offer } from '../wire/offer.ts'
import type { Price } from '../wire/price.ts'
import type { Signer } from '../wire/signer.ts'
import type { Books } from './books.ts'
import { type Feed, openFeed, type Parcel } from './feed.ts'
import { type GatewayLine, openGatewayLine } from './gateway.ts'
import { gathered } from './gather.ts'
import type { Till } from './index.ts'
import type { BuyerLimits } from './limits.ts'
import { listen } from './listen.ts'
import type { ListedStream, Listing } from './market.ts'
import { type Orders, openOrders } from './orders.ts'
import { type OrderTime, openOrderTime } from './ordertime.ts'
import { openQueue, type Queue } from './queue.ts'
import type { BuyRange } from './range.ts'
import { openSeller, type Seller, type SellerOptions } from './seller.ts'
import { type Line, openSession } from './session.ts'
import { openSetups } from './setups.ts'
import { type Summary, summing } from './summary.ts'
import type { Tally } from './tally.ts'

export type Shop = {
  next(): Promise<Parcel | undefined>
  /** Parcels that wait. */
  waiting(): number
  stop(): void
  close(): Promise<void>
  summary(): Summary
}

export type ShopOptions = {
  readonly line: Line
  readonly books: Books
  readonly signer: Signer
  readonly listings: readonly Listing[]
  readonly operator: Address
  /** Both undefined for own data. */
  readonly till: Till | undefined
  readonly gateway: Offer | undefined
  readonly ceiling: Price
  readonly aheadMs: number
  readonly resume: boolean
  readonly range: BuyRange | undefined
  readonly tally: Tally
  readonly limits: BuyerLimits
  readonly signal: AbortSignal
}

/** Promises of so many ms are made together: one period for all devices that buy in the moment. */
const gatherMs = 20

type State = ShopOptions & {
  readonly orders: Orders
  readonly time: OrderTime
  readonly queue: Queue<Parcel>
  /** Aborted when nothing more is to be bought, and when nothing more is waited for. */
  readonly buying: AbortController
  readonly ending: AbortController
}

/** Opens a line to every seller and begins to buy. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const { listings, till, tally, limits, signal } = options
  const sum = summing(options)
  const state = stateOf(options)
  const { queue, buying, ending } = state
  const stop = () => buying.abort()
  const abort = () => {
    stop()
    ending.abort()
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })

  if (!options.resume) for (const { offer } of listings) beginAnew(options, offer.device)
  const gateway = openGateway(state)
  const waitMs = listings.length > 1 ? gatherMs : 0
  const together = gathered(till?.purse, waitMs, ending.signal, () => gateway?.look())
  const sellers = listings.map((listing) => sellerFor(state, listing, together))
  await Promise.all(sellers.map((seller, i) => listen(state, seller, listings[i] as Listing)))
  const ended = run(state, sellers, gateway).then(
    () => queue.end(),
    (cause) => queue.end(cause),
  )
  return {
    async next() {
      const parcel = await queue.next()
      if (parcel?.item !== undefined) tally.count('readings')
      if (queue.size() === limits.waitingMax - 1) for (const seller of sellers) seller.look()
      return parcel
    },
    waiting: queue.size,
    stop,
    async close() {
      stop()
      await ended
    },
    summary: () => sum(sellers),
  }
}

/** What an earlier run asked for and did not read is not waited for; a new order tells the device so. */
function beginAnew({ books, till, range }: ShopOptions, device: Address): void {
  books.together(() => {
    books.bought.forget(device)
    if (keeps(range)) books.bodies.forget(device)
    if (till !== undefined) books.sessions.drop(device, till.purse.channel.id)
  })
}

/** A range with an end is bought beside what a later run resumes: it moves no cursor. */
function keeps(range: BuyRange | undefined): boolean {
  return range?.to === undefined
}

function stateOf(options: ShopOptions): State {
  const { books, listings, limits, tally } = options
  const time = openOrderTime({ wallMs: Date.now, monotonicMs: nowMs, note: tally.note })
  const orders = openOrders({
    books,
    signer: options.signer,
    purse: options.till?.purse,
    seller: sellerOf(options),
    terms: listings.flatMap(({ streams }) => streams.map(({ hash }) => hash)),
    ceiling: options.ceiling,
    orderMs: limits.orderMs,
    wallMs: time.nowMs,
  })
  const [buying, ending] = [new AbortController(), new AbortController()]
  return { ...options, orders, time, queue: openQueue(), buying, ending }
}

/** Sellers first, then the gateway, so that its last books are the last promise's. */
async function run(
  { buying, ending, limits }: State,
  sellers: readonly Seller[],
  gateway: GatewayLine | undefined,
): Promise<void> {
  const sold = new AbortController()
  const patience = afterwards(buying.signal, limits.endMs, ending)
  const acks = gateway?.start(sold.signal, ending.signal)
  try {
    await Promise.all(sellers.map((seller) => seller.start(buying.signal, ending.signal)))
  } catch (cause) {
    ending.abort()
    throw cause
  } finally {
    sold.abort()
    await acks
    buying.abort()
    ending.abort()
    await patience
  }
}

function sellerFor(state: State, listing: Listing, buy: SellerOptions['buy']): Seller {
  const { buying, tally, limits, queue } = state
  const feeds = listing.streams.map((listed) => feedFor(state, listing, listed, () => seller))
  const seller: Seller = openSeller({
    ...state,
    purse: state.till?.purse,
    listing,
    feeds,
    buy,
    room: () => queue.size() < limits.waitingMax,
    broke() {
      if (!buying.signal.aborted) tally.note({ event: 'budget used up' })
      buying.abort()
    },
    nowMs,
  })
  return seller
}

function feedFor(
  { books, till, resume, range, tally, queue, limits }: State,
  listing: Listing,
  listed: ListedStream,
  seller: () => Seller,
): Feed {
  const { device } = listing.offer
  const channel = till?.purse.channel.id ?? ''
  const { stream } = listed.terms
  const { signingKey } = listing.offer
  return openFeed({
    books,
    listing,
    listed,
    meter: { channel, device, stream, terms: listed.hash },
    setup: openSetups({ books, of: { device, stream }, signingKey, tally, keeps: keeps(range) }),
    resume,
    ranged: range !== undefined,
    keeps: keeps(range),
    tally,
    emit: queue.push,
    prepaid: (want) => till?.purse.meter(device, want) ?? true,
    forgone: (want) => till?.purse.release(device, want),
    cheated: () => seller().distrust(),
    keptBytesMax: limits.keptBytesMax,
    nowMs,
  })
}

function openGateway(state: State): GatewayLine | undefined {
  const { gateway: offer, operator, till, orders, time, books, line, tally, limits } = state
  if (offer === undefined || till === undefined) return undefined
  const dial = async () => {
    const row = await orders.row(operator, unhex(offer.hpke))
    const session = await openSession({
      line,
      row,
      reserve: (count) => books.sessions.reserve(operator, row.channel, count),
      onKeys: () => {},
      malformed: (why) => tally.finding('malformed message', { why }),
      limits,
    })
    return { session, row }
  }
  return openGatewayLine({ operator, orders, time, dial, purse: till.purse, tally, limits })
}

const nowMs = () => performance.now()

/** One order names a device when it is the only one, else the operator for its fleet. */
function sellerOf({ listings, operator }: ShopOptions): Address {
  const [only] = listings
  return listings.length === 1 && only !== undefined ? only.offer.device : operator
}

/** Once the first signal came, lets so much time pass, and aborts the second. */
async function afterwards(first: AbortSignal, ms: number, second: AbortController): Promise<void> {
  await new Promise<void>((go) => {
    if (first.aborted) go()
    first.addEventListener('abort', () => go(), { once: true })
  })
  await pause(ms, second.signal)
  second.abort()
}
