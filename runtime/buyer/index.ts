/**
 * `wayside/buyer`: find streams, pay for them within a budget, and read verified readings.
 *
 *     const buyer = await openBuyer({ broker: 'mqtt://…', folder, signer, budget: '1.50', chain })
 *     for await (const item of buyer.readings()) console.log(item.stream, item.reading.values)
 *
 * A reading that is handed out was signed by the key that its device's id or its operator's enrolment
 * names, stands in its stream's chain of headers, came under the terms that were ordered, and is proven to
 * be in its epoch. What fails any of that is a finding: counted, told, never paid for.
 */
import { randomBytes } from '#crypto'
import { smallestUnits } from '../config/quantity.ts'
import { fault } from '../faults.ts'
import { type Broker, openBroker } from '../link/broker.ts'
import type { BrokerSettings } from '../link/settings.ts'
import { hex } from '../wire/bytes.ts'
import type { OfferedRail } from '../wire/offer.ts'
import type { Price } from '../wire/price.ts'
import type { Signer } from '../wire/signer.ts'
import { type Books, openBooks } from './books.ts'
import {
  ceilingFor,
  gatewayOf,
  payable,
  type RailWanted,
  soleOperator,
  waitForListings,
} from './choose.ts'
import type { Cursor } from './cursors.ts'
import { type BuyerChain, channelFor, fund } from './fund.ts'
import type { Item } from './item.ts'
import { type BuyerLimits, buyerLimits } from './limits.ts'
import { lineNotes } from './linenotes.ts'
import { type Listing, openMarket, type Wanted } from './market.ts'
import { openPurse, type Purse } from './purse.ts'
import type { BuyRange, Point } from './range.ts'
import type { Line } from './session.ts'
import { type Shop, startShop } from './shop.ts'
import type { Summary } from './summary.ts'
import { type BuyNote, openTally, type SetupFound } from './tally.ts'

export { csv, ndjson } from './lines.ts'
export { chainAt, signerIn } from './means.ts'
export type {
  BrokerSettings,
  BuyerChain,
  BuyerLimits,
  BuyNote,
  BuyRange,
  Item,
  Listing,
  Point,
  SetupFound,
  Summary,
  Wanted,
}

export type BuyerOptions = {
  /** The broker's URL, all settings of a line to it, or an open line, which stays open. */
  readonly broker: string | BrokerSettings | Line
  /** Where the books are kept; one process at a time. Losing it loses track of money: keep it. */
  readonly folder: string
  /** The key that pays. For own data: the operator's. */
  readonly signer: Signer
  /** Which devices and streams; name the operator wherever you know it. */
  readonly wanted?: Wanted
  /** The most that this run promises, in the token's own unit: `1.50`. Not for own data. */
  readonly budget?: string
  /** The most that is paid for a time, in the token's smallest unit; else the price that is offered. */
  readonly ceiling?: Price
  /** How far promises may run ahead of delivery; 0, the default, pays on sight. */
  readonly aheadMs?: number
  /** Goes on behind the last reading that an earlier run handed out; else begins with what comes next. */
  readonly resume?: boolean
  /**
   * From when, or from which epoch on; with an end, exactly that is bought from what is stored, and the
   * readings end. Where `resume` goes on from an earlier run, only a stream that is new begins here.
   */
  readonly range?: BuyRange
  /** Reads the operator's own devices: an order at price 0, no channel, no chain. */
  readonly own?: boolean
  readonly rail?: RailWanted
  /** Opens the chain when the channel may need a deposit; without it the channel must be funded. */
  readonly chain?: (rail: OfferedRail) => Promise<BuyerChain | undefined>
  readonly note?: (note: BuyNote) => void
  readonly limits?: Partial<BuyerLimits>
  /** Ends everything at once, `stop` in order; while sellers are looked for, `openBuyer` throws its reason. */
  readonly signal?: AbortSignal
}

export type Buyer = {
  /** What is bought from. */
  readonly listings: readonly Listing[]
  /**
   * Verified readings in the order of each stream, as they open. Asking for the next one says that the
   * last is done with (see `taken`): a resumed run begins behind it. Ends after `stop`, or when the budget
   * is used up. Call it once. Throws what made buying impossible. `byHand`: asking for the next one says
   * nothing, only `taken` does; the cursor goes behind what was said without a gap.
   */
  readings(options?: { readonly byHand?: boolean }): AsyncGenerator<Item, void, undefined>
  /** Readings, and words to the cursor, that wait to be read. */
  waiting(): number
  /** Where each stream goes on, behind what an earlier run handed out; empty without `resume`. */
  readonly resumed: readonly Resumed[]
  /** Buys nothing more; what is paid for still comes, and then the readings end. */
  stop(): void
  /** Resolves when everything has ended and the books are closed; stops first. */
  close(): Promise<void>
  summary(): Summary
}

/**
 * Finds what is wanted, funds a channel, and begins to buy. Throws BROKER_UNREACHABLE, BROKER_LOGIN,
 * BROKER_TLS, BROKER_VERSION, BROKER_UNFIT, CERT_INVALID, KEY_EXPOSED, INPUT_UNREADABLE, OFFER_MISSING,
 * OFFER_OPERATORS, OWN_KEY, RANGE_INVALID, OFFER_RAIL, OFFER_PRICE, BUDGET_INVALID, FOLDER_LOCKED,
 * CHANNEL_WITHDRAWING, and what the chain throws.
 */
export async function openBuyer(options: BuyerOptions): Promise<Buyer> {
  const { wanted = {}, signal = new AbortController().signal } = options
  checkRange(options)
  const limits = { ...buyerLimits, ...options.limits }
  const tally = openTally(options.note ?? (() => {}))
  const { line, broker } = lineOf(options.broker, options.note)
  const books = await openBooks(options.folder).catch(async (cause) => {
    await broker?.close()
    throw cause
  })
  const leave = async () => {
    await broker?.close()
    await books.close()
  }
  try {
    await broker?.ready(limits.connectMs)
    const market = await openMarket({ line, wanted, seen: books.versions.all(), tally, limits })
    const found = await waitForListings(market, wanted, limits, signal)
    const operator = soleOperator(found)
    if (options.own && options.signer.address !== operator) {
      throw fault('OWN_KEY', { key: options.signer.address, operator })
    }
    const { rail, takers: listings } = payable(found, options, tally.note)
    const till = rail && (await openTill(options, books, { rail, listings }, tally.note))
    const gateway = till && (await gatewayOf(market, operator, limits, signal))
    market.close()
    const offers = [
      ...listings.map(({ offer }) => offer),
      ...(gateway === undefined ? [] : [gateway]),
    ]
    books.together(() => offers.forEach(books.versions.saw))
    const resumed = options.resume ? resumedIn(books, listings) : []
    if (options.resume) tellAbsent(books, listings, wanted, tally.note)
    const shop = await startShop({
      line,
      books,
      signer: options.signer,
      listings,
      operator,
      till,
      gateway,
      ceiling: options.own ? { amount: 0n, perMs: 1n } : ceilingFor(listings, options.ceiling),
      aheadMs: options.aheadMs ?? 0,
      resume: options.resume ?? false,
      range: options.range,
      tally,
      limits,
      signal,
    })
    return buyerOf({ listings, resumed }, shop, leave)
  } catch (cause) {
    await leave()
    throw cause
  }
}

function resumedIn({ cursors }: Books, listings: readonly Listing[]): Resumed[] {
  return listings.flatMap(({ offer: { device }, streams }) =>
    streams.flatMap(({ terms: { stream } }) => {
      const cursor = cursors.get(device, stream)
      return cursor === undefined
        ? []
        : [{ device, stream, number: cursor.head.number, taken: cursor.taken }]
    }),
  )
}

/** What was paid for does not vanish without a word because its seller did. */
function tellAbsent(
  { bought }: Books,
  listings: readonly Listing[],
  { devices }: Wanted,
  note: (note: BuyNote) => void,
): void {
  const present = new Set(listings.map(({ offer }) => offer.device))
  for (const { device, epochs } of bought.owed()) {
    const isWanted = devices?.includes(device) ?? true
    if (isWanted && !present.has(device)) note({ event: 'absent', device, epochs })
  }
}

function checkRange({ range, resume = false }: BuyerOptions): void {
  const { from, to } = range ?? {}
  if (from === undefined || to === undefined) return
  if (resume) {
    throw fault('RANGE_INVALID', { why: 'a range with an end has nothing to resume behind it' })
  }
  const backwards =
    'number' in from
      ? 'number' in to && to.number < from.number
      : 'wallMs' in to && to.wallMs <= from.wallMs
  if (backwards) throw fault('RANGE_INVALID', { why: 'it ends before it begins' })
}

/** Everything up to epoch `number` was handed out, and so many readings of the next. */
export type Resumed = Pick<Cursor, 'device' | 'stream' | 'taken'> & { readonly number: number }

/** What pays: the rail, the channel's purse, and what was put in. */
export type Till = {
  readonly rail: OfferedRail
  readonly purse: Purse
  readonly budget: bigint
  readonly deposited: bigint
}

function buyerOf(
  { listings, resumed }: Pick<Buyer, 'listings' | 'resumed'>,
  shop: Shop,
  leave: () => Promise<void>,
): Buyer {
  let left: Promise<void> | undefined
  return {
    ...{ listings, resumed },
    waiting: shop.waiting,
    async *readings({ byHand = false } = {}) {
      const line = inLine()
      for (;;) {
        const parcel = await shop.next()
        if (parcel === undefined) return
        const { item } = parcel
        const taken = line(parcel.taken)
        // What throws or breaks off in the consumer does not come back here, so this one comes again.
        if (item !== undefined) yield { ...item, taken }
        if (item === undefined || !byHand) taken()
      }
    },
    stop: shop.stop,
    close() {
      left ??= shop.close().finally(leave)
      return left
    },
    summary: shop.summary,
  }
}

/** The cursor never goes past a reading that is not done with: each one is heeded behind those before it. */
function inLine() {
  const waiting: { said: boolean; readonly taken: () => void }[] = []
  return (taken: () => void) => {
    const mine = { said: false, taken }
    waiting.push(mine)
    return () => {
      mine.said = true
      while (waiting[0]?.said) waiting.shift()?.taken()
    }
  }
}

async function openTill(
  options: BuyerOptions,
  books: Books,
  { rail, listings }: { readonly rail: OfferedRail; readonly listings: readonly Listing[] },
  note: (note: BuyNote) => void,
): Promise<Till> {
  const { signer, budget: text = '0' } = options
  const { decimals } = rail
  const budget = /^[0-9]+(\.[0-9]+)?$/.test(text) ? smallestUnits(text, decimals) : undefined
  if (budget === undefined) throw fault('BUDGET_INVALID', { budget: text, decimals })
  const offer = (listings[0] as Listing).offer
  const channel = channelFor(books, signer.address, offer, rail)
  const purse = openPurse({ books, signer, channel, budget })
  const chain = await options.chain?.(rail)
  try {
    const put = chain && (await fund(chain, channel, rail, purse.total() + budget, signer))
    if (put !== undefined) note({ event: 'deposited', ...put })
    return { rail, purse, budget, deposited: put?.amount ?? 0n }
  } finally {
    chain?.close()
  }
}

/** The line to buy over; `broker` is the one that we opened, and shall close. */
function lineOf(
  given: BuyerOptions['broker'],
  note: BuyerOptions['note'] = () => {},
): { readonly line: Line; readonly broker?: Broker } {
  if (typeof given !== 'string' && 'publish' in given) return { line: given }
  const settings = typeof given === 'string' ? { url: given } : given
  const clientId = `wayside-buyer-${hex(randomBytes(8)).slice(2)}`
  const broker = openBroker({ ...settings, clientId, note: lineNotes(note) })
  return { line: broker, broker }
}
