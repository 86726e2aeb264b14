/**
 * The turn that keeps one device's feeds going, over a session that is open:
 *
 *   open what has keys → fetch what is missing → say again what did not come → buy what is seen
 *
 * With nothing paid ahead, no more is promised to a device while something that is paid for has not come,
 * so one cheat costs one batch; with it, one cheat costs what `ahead` covers.
 */

import { pause } from '../time/pause.ts'
import type { Answer } from '../wire/answer.ts'
import { charge } from '../wire/price.ts'
import { type Refusal, sentence } from '../wire/refusal.ts'
import { type Request, rangesMax } from '../wire/request.ts'
import type { Feed } from './feed.ts'
import { fetchMissing } from './history.ts'
import type { Purchase, Short } from './purse.ts'
import type { SellerOptions } from './seller.ts'
import type { Session } from './session.ts'
import { firstRanges, rangesOf, type Want } from './want.ts'

export type Trade = {
  /** One turn; without `fresh` nothing new is bought. `renew`: only another order helps. */
  turn(fresh: boolean, ending: AbortSignal): Promise<'renew' | undefined>
  /** The session is new: what is outstanding must be said there too, or `all` that was promised. */
  owe(all: boolean): void
  /** True when nothing that is paid for and seen is still to come. */
  isDone(): boolean
}

export type TradeOptions = SellerOptions & {
  readonly ask: (request: Request, ending: AbortSignal) => Promise<Answer | undefined>
  readonly fetch: Session['fetch']
  /** Takes a state that the device signed. */
  readonly learn: (answer: Answer) => boolean
  /** Newest version of the keys that we hold. */
  readonly keysVersion: () => bigint
  /** Asks the broker for the keys that it retains. */
  readonly hearKeysAgain: () => Promise<void>
}

/** Refusals after which only another order helps. */
export const renews: ReadonlySet<string> = new Set([
  'order-older',
  'order-ended',
  'session-ended',
  'order-session',
])

export type TradeState = TradeOptions & {
  /** The newest promise was not taken, as far as we know: it is said again. */
  owing: boolean
  /** The device has lost its books: what it was promised is shown before anything is promised on top. */
  unknown: boolean
  saidMs: number
  /** Why the last purchase was not made. */
  short: Short | undefined
  /** The refusal that was told last, until something is taken: the same one again is no news. */
  told: string
  /** What it was paid for and did not deliver was bought once more. */
  paidAgain: boolean
  /** Feeds of which a whole window was not stored: the next one reaches behind the hole. */
  readonly holes: Set<Feed>
}

export function openTrade(options: TradeOptions): Trade {
  const state: TradeState = {
    ...options,
    owing: true,
    unknown: false,
    saidMs: 0,
    short: undefined,
    told: '',
    paidAgain: false,
    holes: new Set(),
  }
  return {
    turn: (fresh, ending) => turn(state, fresh, ending),
    owe(all) {
      state.owing = true
      state.unknown = all
    },
    isDone: () => lateSince(state) === undefined,
  }
}

type Turned = Promise<'renew' | undefined>

async function turn(state: TradeState, fresh: boolean, ending: AbortSignal): Turned {
  const { feeds, limits } = state
  for (const feed of feeds) {
    feed.open()
    if (fresh && (await fetchMissing(state, feed, ending)) === 'renew') return 'renew'
  }
  const late = lateSince(state)
  const waitedMs = state.nowMs() - Math.max(late ?? 0, state.saidMs)
  const isLate = late !== undefined && waitedMs > limits.undeliveredMs
  if (isLate && !state.owing) tellLate(state)
  if (isLate) await state.hearKeysAgain()
  if (isLate || state.owing) return sayAgain(state, ending)
  const count = fresh && state.room() ? batchOf(state) : 0
  return count > 0 ? buyMore(state, count, ending) : undefined
}

/**
 * Epochs that may be promised now: on sight a batch when nothing is owed, else as many as `ahead` covers
 * beside what is owed.
 */
function batchOf({ feeds, listing, aheadMs, limits }: TradeState): number {
  const owed = feeds.reduce((sum, feed) => sum + (feed.undelivered()?.epochs ?? 0), 0)
  const covered = listing.streams.reduce(
    (sum, { terms }) => sum + Math.floor(aheadMs / terms.epochMs),
    0,
  )
  return owed === 0 ? Math.max(limits.batchMax, covered) : covered - owed
}

/** Since when the oldest epoch that is paid for has not come. */
function lateSince({ feeds }: TradeState): number | undefined {
  const since = feeds.flatMap((feed) => feed.undelivered()?.sinceMs ?? [])
  return since.length === 0 ? undefined : Math.min(...since)
}

function tellLate({ feeds, listing, tally }: TradeState): void {
  const epochs = feeds.reduce((sum, feed) => sum + (feed.undelivered()?.epochs ?? 0), 0)
  tally.note({ event: 'undelivered', device: listing.offer.device, epochs })
}

async function buyMore(state: TradeState, count: number, ending: AbortSignal): Turned {
  const { feeds, purse, listing } = state
  const { device } = listing.offer
  const all = feeds.flatMap((feed) => feed.wants())
  const seen = firstRanges(all.slice(0, count), rangesMax)
  // What is seen comes first: nothing is paid ahead of a backlog.
  const { wants: later, amount: ahead } = seen.length < all.length ? nothing : aheadOf(state)
  if (seen.length === 0 && later.length === 0) return undefined
  if (purse === undefined) {
    markAsked(state, seen)
    return say(state, seen, { kind: 'take', buy: rangesOf(seen) }, ending)
  }
  const bought = await state.buy({ device, wants: [...seen, ...later], ahead })
  if (ending.aborted) return undefined
  if (typeof bought === 'string') {
    if (bought === 'over the budget') state.broke()
    else if (bought !== state.short) state.tally.note({ event: 'waiting', device, why: bought })
    state.short = bought
    return undefined
  }
  state.short = undefined
  markAsked(state, bought.taken)
  state.tally.note({ event: 'promised', device, amount: bought.payment.leaf.amount })
  return promise(state, bought, ending)
}

function promise(state: TradeState, { payment, taken }: Purchase, ending: AbortSignal): Turned {
  const buy = rangesOf(taken).slice(0, rangesMax)
  return say(state, taken, { kind: 'promise', payment, buy }, ending)
}

/** Everything that was asked for and has not come, once more, under the newest tree. */
async function sayAgain(state: TradeState, ending: AbortSignal): Turned {
  const { feeds, purse, listing } = state
  const taken = feeds.flatMap((feed) => feed.outstanding())
  state.owing = false
  if (taken.length === 0 && !state.unknown) return undefined
  if (purse === undefined) {
    const buy = rangesOf(taken).slice(0, rangesMax)
    return say(state, taken, { kind: 'take', buy }, ending)
  }
  const payment = await purse.payment(listing.offer.device)
  return payment === undefined ? undefined : promise(state, { payment, taken }, ending)
}

/** What is still to be promised so that the next `aheadMs` are paid for; refilled at half. */
function aheadOf({ feeds, purse, listing, books, aheadMs }: TradeState): {
  readonly wants: readonly Want[]
  readonly amount: bigint
} {
  const leaf = purse?.leaf(listing.offer.device)
  if (aheadMs === 0 || leaf === undefined) return nothing
  let amount = 0n
  const wants: Want[] = []
  for (const [i, feed] of feeds.entries()) {
    const terms = listing.streams[i]?.terms
    if (terms === undefined || !feed.isEndless()) continue
    const price = { amount: BigInt(terms.price.amount), perMs: BigInt(terms.price.perMs) }
    amount += charge(books.bought.coveredMs(feed.meter), BigInt(aheadMs), price)
    wants.push(...feed.ahead(Math.ceil(aheadMs / terms.epochMs) + 1))
  }
  return 2n * (leaf.amount - leaf.spent) >= amount ? nothing : { wants, amount }
}

function markAsked({ feeds }: TradeState, wants: readonly Want[]): void {
  for (const feed of feeds) feed.asked(of(feed, wants))
}

/** Says what we buy, and heeds the answer. */
async function say(
  state: TradeState,
  wants: readonly Want[],
  request: Request,
  ending: AbortSignal,
): Turned {
  state.owing = true
  state.saidMs = state.nowMs()
  const answer = await state.ask(request, ending)
  if (answer === undefined) return undefined
  if (answer.kind === 'refusal') return heed(state, answer.refusal, wants, ending)
  state.owing = false
  state.unknown = false
  state.told = ''
  state.learn(answer)
  return undefined
}

async function heed(
  state: TradeState,
  refusal: Refusal,
  wants: readonly Want[],
  ending: AbortSignal,
): Turned {
  const { code } = refusal
  tellRefused(state, refusal)
  state.time.heed(state.listing.offer.device, refusal, state.purse === undefined)
  if (renews.has(code)) return 'renew'
  // The promise was taken and is at its end. At its exposure, though, a device of a fleet may have missed
  // the ack of the tree that it holds: the newest tree, said again, is one that is acked next.
  if (code === 'promise-used-up') {
    state.owing = false
    state.unknown = false
  }
  if (code === 'keys-unconfirmed') {
    // The seller need not repeat what is confirmed: we have it for good.
    state.books.settle()
    await state.ask({ kind: 'confirm', version: state.keysVersion() }, ending)
  } else if (code === 'range-unknown') {
    state.owing = false
    for (const feed of state.feeds) feed.refused(of(feed, wants))
  } else if (code.startsWith('promise-')) {
    if (code === 'promise-used-up') payAgainOnce(state)
    const standing = await state.ask({ kind: 'state' }, ending)
    if (standing !== undefined) state.learn(standing)
  }
  await pause(state.limits.retryMs, ending)
  return undefined
}

/**
 * Paid on sight, a promise covers what was asked for: a seller that finds it used up counts otherwise, as one
 * does that lost its books. What it owes is bought again, from where it stands: once. A seller that does so
 * again owes for ever, and no more is bought of it.
 */
function payAgainOnce(state: TradeState): void {
  const { feeds, tally, listing, aheadMs } = state
  if (aheadMs > 0 || state.paidAgain) return
  state.paidAgain = true
  const epochs = feeds.reduce((sum, feed) => sum + feed.outstanding().length, 0)
  tally.note({ event: 'paid again', device: listing.offer.device, epochs })
  for (const feed of feeds) feed.buyAgain()
}

function tellRefused(state: TradeState, refusal: Refusal): void {
  const { tally, listing, told } = state
  state.told = refusal.code
  if (refusal.code === told) return
  tally.note({ event: 'refused', seller: listing.offer.device, why: sentence(refusal) })
}

const nothing = { wants: [], amount: 0n }

function of(feed: Feed, wants: readonly Want[]): Want[] {
  return wants.filter(({ meter }) => meter.stream === feed.meter.stream)
}
