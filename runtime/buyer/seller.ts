/**
 * One device as a seller: the session that is kept open with it, and the trade over it. It acts at its own
 * pace: messages only say "look".
 */
import type { Answer } from '../wire/answer.ts'
import { unhex } from '../wire/bytes.ts'
import type { KeysBody } from '../wire/keysbody.ts'
import { sentence } from '../wire/refusal.ts'
import { recoverState } from '../wire/state.ts'
import type { Books } from './books.ts'
import type { Feed } from './feed.ts'
import type { BuyerLimits } from './limits.ts'
import type { Listing } from './market.ts'
import type { Orders } from './orders.ts'
import { pause } from './pause.ts'
import type { Purchase, Purse, Wish } from './purse.ts'
import { type Line, openSession, type Session } from './session.ts'
import type { SessionRow } from './sessions.ts'
import type { Tally } from './tally.ts'
import { openTrade, renews } from './trade.ts'

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
  readonly listing: Listing
  /** One for each stream of the listing, in its order. */
  readonly feeds: readonly Feed[]
  /** Undefined for own data. */
  readonly purse: Purse | undefined
  /** Promises together with the other sellers of the moment. */
  readonly buy: (wish: Wish) => Promise<Purchase | undefined>
  readonly aheadMs: number
  readonly tally: Tally
  readonly limits: BuyerLimits
  /** True while the consumer keeps up. */
  readonly room: () => boolean
  /** Nothing more fits the budget. */
  readonly broke: () => void
  readonly nowMs: () => number
}

type Open = { readonly session: Session; readonly row: SessionRow }

export function openSeller(options: SellerOptions): Seller {
  const { line, books, orders, listing, feeds, purse, tally, limits } = options
  const { device, hpke, signingKey } = listing.offer
  let wake = new AbortController()
  let open: Open | undefined
  let trusted = true
  let keysVersion = 0n
  const trade = openTrade({
    ...options,
    ask: async (request, ending) => open?.session.ask(request, ending),
    learn,
    keysVersion: () => keysVersion,
  })

  return {
    feeds,
    look: () => wake.abort(),
    distrust() {
      trusted = false
    },
    async start(buying, ending) {
      const entering = AbortSignal.any([buying, ending])
      while (!entering.aborted && trusted) {
        open?.session.close()
        open = await dial()
        if (await enter(open, entering)) await serve(open.row, buying, ending)
      }
      if (open !== undefined) await leave(open, ending)
    },
  }

  async function dial(): Promise<Open> {
    const row = await orders.row(device, unhex(hpke))
    const session = await openSession({
      line,
      row,
      reserve: (count) => books.sessions.reserve(device, row.channel, count),
      onKeys,
      malformed: (why) => tally.finding('malformed message', { device, why }),
      limits,
    })
    return { session, row }
  }

  /** Sends the order until it is taken; false when only another one helps, or when the signal came. */
  async function enter({ session, row }: Open, signal: AbortSignal): Promise<boolean> {
    for (let told = ''; !signal.aborted; await pause(limits.retryMs, signal)) {
      const answer = await session.order(signal)
      if (answer?.kind === 'refusal') {
        const { code } = answer.refusal
        if (code !== told) refusedBecause(sentence(answer.refusal))
        told = code
        if (!renews.has(code)) continue
        orders.forget(row)
        await pause(limits.retryMs, signal)
        return false
      }
      if (answer === undefined || !learn(answer)) continue
      tally.note({ event: 'ordered', seller: device, session: session.name })
      trade.owe()
      return true
    }
    return false
  }

  /** Turn after turn, until the end or until the session has to be renewed. */
  async function serve(row: SessionRow, buying: AbortSignal, ending: AbortSignal): Promise<void> {
    while (!ending.aborted && !orders.isStale(row)) {
      const fresh = !buying.aborted && trusted
      if ((await trade.turn(fresh, ending)) === 'renew') return orders.forget(row)
      if (!fresh && trade.isDone()) return
      await pause(limits.gapMs, AbortSignal.any([ending, wake.signal]))
      if (wake.signal.aborted) wake = new AbortController()
    }
  }

  /** An orderly end: the seller need not keep the session, and neither do we. */
  async function leave({ session, row }: Open, ending: AbortSignal): Promise<void> {
    const soon = AbortSignal.any([ending, AbortSignal.timeout(limits.askMs)])
    if (trade.isDone() && (await session.ask({ kind: 'end' }, soon)) !== undefined) {
      orders.forget(row)
    }
    session.close()
  }

  /** Takes what the device says, signed, of where we stand. False while it has no grant for us. */
  function learn(answer: Answer): boolean {
    if (answer.kind !== 'welcome' && answer.kind !== 'state') return true
    const { state, place, payment } = answer
    if (recoverState(state) !== signingKey || state.device !== device) {
      tally.finding('wrong signature', { device, why: 'of a state' })
      return false
    }
    if (purse === undefined) return true
    if (place === undefined) return false
    purse.seat(device, place.index)
    if (payment !== undefined) purse.recover(device, payment, state.delivered)
    return true
  }

  function onKeys(keys: KeysBody) {
    keysVersion = keys.version
    books.soon(() => books.keys.add(device, keys.covers))
    for (const feed of feeds) feed.open()
    wake.abort()
  }

  function refusedBecause(why: string) {
    tally.note({ event: 'refused', seller: device, why })
  }
}
