/**
 * One device as a seller: the session that is kept open with it, and the trade over it. It acts at its own
 * pace: messages only say "look".
 */
import { type Bell, bell } from '../time/bell.ts'
import { pause } from '../time/pause.ts'
import type { Answer } from '../wire/answer.ts'
import { unhex } from '../wire/bytes.ts'
import type { KeysBody } from '../wire/keysbody.ts'
import { sentence } from '../wire/refusal.ts'
import { recoverState } from '../wire/state.ts'
import { beginFeeds } from './begin.ts'
import type { Books } from './books.ts'
import type { Feed } from './feed.ts'
import type { BuyerLimits } from './limits.ts'
import type { Listing } from './market.ts'
import type { Orders } from './orders.ts'
import type { OrderTime } from './ordertime.ts'
import type { Purchase, Purse, Short } from './purse.ts'
import type { BuyRange } from './range.ts'
import { type Line, openSession, type Session } from './session.ts'
import type { SessionRow } from './sessions.ts'
import type { Tally } from './tally.ts'
import { openTrade, renews, type Trade } from './trade.ts'
import type { Wish } from './want.ts'

export type Seller = {
  readonly feeds: readonly Feed[]
  /** Something came: a message, keys, room for readings. */
  look(): void
  /** A key that was paid for did not open its epoch: nothing more is bought here. */
  distrust(): void
  /** Buys until `buying` aborts, then waits for what is paid until `ending` does. Throws SEAT_MOVED. */
  start(buying: AbortSignal, ending: AbortSignal): Promise<void>
}

export type SellerOptions = {
  readonly line: Line
  readonly books: Books
  readonly orders: Orders
  readonly time: OrderTime
  readonly listing: Listing
  /** One for each stream of the listing, in its order. */
  readonly feeds: readonly Feed[]
  /** Undefined for own data. */
  readonly purse: Purse | undefined
  /** Promises together with the other sellers of the moment. */
  readonly buy: (wish: Wish) => Promise<Purchase | Short>
  readonly aheadMs: number
  /** What feeds that did not resume begin with. */
  readonly range: BuyRange | undefined
  readonly tally: Tally
  readonly limits: BuyerLimits
  /** True while the consumer keeps up. */
  readonly room: () => boolean
  /** Nothing more fits the budget. */
  readonly broke: () => void
  readonly nowMs: () => number
}

type Open = {
  readonly session: Session
  readonly row: SessionRow
  /** The newest request counter that is ours. */
  readonly reserved: bigint
  /** The device has taken requests here that are not: whoever has our keys can shut us out. */
  shared: boolean
}

type State = SellerOptions & {
  readonly bell: Bell
  open: Open | undefined
  trusted: boolean
  /** The device knows nothing of what we promised it. */
  forgot: boolean
  keysVersion: bigint
  /** The keys of earlier runs, as the welcome tells: nothing is bought before they are here. */
  keysDue: { readonly version: bigint; readonly sinceMs: number }
}

export function openSeller(options: SellerOptions): Seller {
  const state: State = {
    ...options,
    bell: bell(),
    open: undefined,
    trusted: true,
    forgot: false,
    keysVersion: 0n,
    keysDue: { version: 0n, sinceMs: 0 },
  }
  const trade = openTrade({
    ...options,
    ask: async (request, ending) => state.open?.session.ask(request, ending),
    fetch: async (...fetch) => state.open?.session.fetch(...fetch),
    learn: (answer) => learn(state, answer),
    keysVersion: () => state.keysVersion,
    hearKeysAgain: async () => {
      // A broker that refuses it now took it before; then it is asked again with the next promise.
      await state.open?.session.hearKeysAgain().catch(() => {})
    },
  })
  return {
    feeds: options.feeds,
    look: state.bell.ring,
    distrust() {
      state.trusted = false
    },
    async start(buying, ending) {
      buying.addEventListener('abort', state.bell.ring, { once: true })
      const entering = AbortSignal.any([buying, ending])
      while (!entering.aborted && state.trusted && !isOver(state)) {
        // A seller that ends every session must not have us sign orders as fast as it says so.
        if (state.open !== undefined) await pause(state.limits.retryMs, entering)
        if (entering.aborted) break
        state.open?.session.close()
        const open = await dial(state)
        state.open = open
        if (!(await enter(state, open, entering))) continue
        trade.owe(state.forgot)
        const { session, row } = open
        const begun = await beginFeeds({ ...state, fetch: session.fetch }, entering)
        if (begun === 'renew') state.orders.forget(row)
        if (begun === 'begun') await serve(state, trade, open, buying, ending)
      }
      if (state.open !== undefined) await leave(state, trade, state.open, ending)
    },
  }
}

async function dial(state: State): Promise<Open> {
  const { line, books, orders, listing, tally, limits } = state
  const { device, hpke } = listing.offer
  const row = await orders.row(device, unhex(hpke))
  state.keysVersion = 0n
  const reserve = (count: number) => books.sessions.reserve(device, row.channel, count)
  let reserved = reserve(0)
  const session = await openSession({
    line,
    row,
    reserve(count) {
      reserved = reserve(count)
      return reserved
    },
    onKeys: (keys) => takeKeys(state, keys),
    malformed: (why) => tally.finding('malformed message', { device, why }),
    limits,
  })
  return {
    session,
    row,
    shared: false,
    get reserved() {
      return reserved
    },
  }
}

/** Sends the order until it is taken; false when only another one helps, or when the signal came. */
async function enter(state: State, open: Open, signal: AbortSignal): Promise<boolean> {
  const { limits, orders, tally, listing } = state
  const { session, row } = open
  const { device } = listing.offer
  let last = { code: '', times: 0 }
  for (; !signal.aborted; await pause(limits.retryMs, signal)) {
    const answer = await session.order(signal)
    if (answer?.kind === 'refusal') {
      const { code } = answer.refusal
      const why = sentence(answer.refusal)
      // Of a fleet the gateway gives the time; one that bends it would end the orders of all others.
      state.time.heed(device, answer.refusal, state.purse === undefined)
      last = { code, times: code === last.code ? last.times + 1 : 1 }
      // The first order of a device often comes before its gateway's first word: told when it stays so.
      const tellAt = code === 'time-unknown' ? 3 : 1
      if (last.times === tellAt) tally.note({ event: 'refused', seller: device, why })
      if (!renews.has(code)) continue
      orders.forget(row)
      return false
    }
    const taken = answer !== undefined && learn(state, answer)
    if (open.shared) {
      orders.forget(row)
      return false
    }
    if (!taken) continue
    const version = answer.kind === 'welcome' ? answer.keysVersion : 0n
    state.keysDue = { version, sinceMs: state.nowMs() }
    tally.note({ event: 'ordered', seller: device, session: session.name })
    return true
  }
  return false
}

/** Turn after turn, until the end or until the session has to be renewed. */
async function serve(
  state: State,
  trade: Trade,
  open: Open,
  buying: AbortSignal,
  ending: AbortSignal,
): Promise<void> {
  const { orders, limits } = state
  const { row } = open
  while (!ending.aborted && !orders.isStale(row)) {
    const isLast = buying.aborted || !state.trusted || isOver(state)
    const renew = (await trade.turn(!isLast && hasKeys(state), ending)) === 'renew'
    if (renew || open.shared) return orders.forget(row)
    if (isLast && trade.isDone()) return
    await state.bell.wait(limits.gapMs, ending)
  }
}

/** Nothing more can come: every range has its end behind it. */
function isOver({ feeds }: State): boolean {
  return feeds.every((feed) => feed.isComplete())
}

/** What earlier runs bought is not bought again; keys that do not come are not waited for without end. */
function hasKeys({ keysVersion, keysDue, limits, nowMs }: State): boolean {
  return keysVersion >= keysDue.version || nowMs() - keysDue.sinceMs > limits.undeliveredMs
}

/** An orderly end: the seller need not keep the session, and neither do we. */
async function leave(
  { orders, limits }: State,
  trade: Trade,
  { session, row }: Open,
  ending: AbortSignal,
): Promise<void> {
  const soon = AbortSignal.any([ending, AbortSignal.timeout(limits.askMs)])
  const isOver = trade.isDone() && (await session.ask({ kind: 'end' }, soon)) !== undefined
  if (isOver) orders.forget(row)
  session.close()
}

/** Takes what the device says, signed, of where we stand. False while it has no grant for us. */
function learn(state: State, answer: Answer): boolean {
  const { listing, tally, time, purse, open } = state
  if (answer.kind !== 'welcome' && answer.kind !== 'state') return true
  const { state: standing, place, payment } = answer
  const { device, signingKey } = listing.offer
  if (recoverState(standing) !== signingKey || standing.device !== device) {
    tally.finding('wrong signature', { device, why: 'of a state' })
    return false
  }
  if (standing.timeMs > 0) time.hear(device, standing.timeMs)
  if (open !== undefined && !open.shared && standing.counter > open.reserved) {
    open.shared = true
    tally.finding('session shared', { device, why: 'somebody else asks in it: ordering anew' })
  }
  if (purse === undefined) return true
  if (place === undefined) return false
  purse.seat(device, place.index)
  state.forgot = payment === undefined && (purse.leaf(device)?.amount ?? 0n) > 0n
  if (payment !== undefined) purse.recover(device, payment, standing.delivered)
  return true
}

function takeKeys(state: State, keys: KeysBody): void {
  const { books, feeds, listing, tally, limits } = state
  const { device } = listing.offer
  // What was not kept is not held, and so this version is none that we confirm.
  if (books.soon(() => books.keys.add(device, keys.covers, limits.keyRunsMax)))
    state.keysVersion = keys.version
  else tally.finding('too many keys', { device })
  for (const feed of feeds) feed.open()
  state.bell.ring()
}
