/**
 * The turn that keeps one device's feeds going, over a session that is open:
 *
 *   open what has keys → fetch what is missing → say again what did not come → buy what is seen
 *
 * With nothing paid ahead, no more is promised to a device while something that is paid for has not come,
 * so one cheat costs one batch.
 */
import type { Answer } from '../wire/answer.ts'
import { charge } from '../wire/price.ts'
import { type Refusal, sentence } from '../wire/refusal.ts'
import { type Request, rangesMax } from '../wire/request.ts'
import type { Feed } from './feed.ts'
import { pause } from './pause.ts'
import type { Purchase, Want } from './purse.ts'
import { rangesOf } from './ranges.ts'
import type { SellerOptions } from './seller.ts'

export type Trade = {
  /** One turn; without `fresh` nothing new is bought. `renew`: only another order helps. */
  turn(fresh: boolean, ending: AbortSignal): Promise<'renew' | undefined>
  /** The session is new: what is outstanding must be said there too. */
  owe(): void
  /** True when nothing that is paid for and seen is still to come. */
  isDone(): boolean
}

export type TradeOptions = SellerOptions & {
  readonly ask: (request: Request, ending: AbortSignal) => Promise<Answer | undefined>
  /** Takes a state that the device signed. */
  readonly learn: (answer: Answer) => boolean
  /** Newest version of the keys that we hold. */
  readonly keysVersion: () => bigint
}

/** Refusals after which only another order helps. */
export const renews: ReadonlySet<string> = new Set([
  'order-older',
  'order-ended',
  'session-ended',
  'order-session',
])

/** Messages of a feed that may wait for their turn before no more are fetched. */
const backlogMax = 512

export function openTrade(options: TradeOptions): Trade {
  const { books, listing, feeds, purse, tally, limits, nowMs, ask } = options
  const { device } = listing.offer
  /** The newest promise was not taken, as far as we know: it is said again. */
  let owing = true
  let saidMs = 0

  return {
    async turn(fresh, ending) {
      for (const feed of feeds) {
        feed.open()
        if (fresh) await fetchMissing(feed, ending)
      }
      const late = lateSince()
      const waited = nowMs() - Math.max(late ?? 0, saidMs)
      if (owing || (late !== undefined && waited > limits.undeliveredMs)) {
        if (!owing) tellLate()
        return sayAgain(ending)
      }
      const may = fresh && options.room() && (late === undefined || options.aheadMs > 0)
      return may ? buyMore(ending) : undefined
    },
    owe() {
      owing = true
    },
    isDone: () => lateSince() === undefined,
  }

  /** Since when the oldest epoch that is paid for has not come. */
  function lateSince(): number | undefined {
    const since = feeds.flatMap((feed) => feed.undelivered()?.sinceMs ?? [])
    return since.length === 0 ? undefined : Math.min(...since)
  }

  function tellLate() {
    const epochs = feeds.reduce((sum, feed) => sum + (feed.undelivered()?.epochs ?? 0), 0)
    tally.note({ event: 'undelivered', device, epochs })
  }

  async function buyMore(ending: AbortSignal) {
    const seen = feeds.flatMap((feed) => feed.wants()).slice(0, limits.batchMax)
    const { wants: later, amount: ahead } = aheadOf()
    if (seen.length === 0 && later.length === 0) return undefined
    if (purse === undefined) {
      markAsked(seen)
      return say(seen, () => ask({ kind: 'take', buy: rangesOf(seen) }, ending), ending)
    }
    const bought = await options.buy({ device, wants: [...seen, ...later], ahead })
    if (bought === undefined) {
      if (purse.leaf(device) !== undefined && purse.isWhole()) options.broke()
      return undefined
    }
    markAsked(bought.taken)
    tally.note({ event: 'promised', device, amount: bought.payment.leaf.amount })
    return promise(bought, ending)
  }

  function promise({ payment, taken }: Purchase, ending: AbortSignal) {
    const buy = rangesOf(taken).slice(0, rangesMax)
    return say(taken, () => ask({ kind: 'promise', payment, buy }, ending), ending)
  }

  /** Everything that was asked for and has not come, once more, under the newest tree. */
  async function sayAgain(ending: AbortSignal) {
    const outstanding = feeds.flatMap((feed) => feed.outstanding())
    owing = false
    if (outstanding.length === 0) return undefined
    if (purse === undefined) {
      const buy = rangesOf(outstanding).slice(0, rangesMax)
      return say(outstanding, () => ask({ kind: 'take', buy }, ending), ending)
    }
    const payment = await purse.payment(device)
    return payment === undefined ? undefined : promise({ payment, taken: outstanding }, ending)
  }

  /** What is still to be promised so that the next `aheadMs` are paid for; refilled at half. */
  function aheadOf(): { readonly wants: readonly Want[]; readonly amount: bigint } {
    const leaf = purse?.leaf(device)
    if (options.aheadMs === 0 || leaf === undefined) return nothing
    let amount = 0n
    const wants: Want[] = []
    for (const [i, feed] of feeds.entries()) {
      const terms = listing.streams[i]?.terms
      if (terms === undefined) continue
      const price = { amount: BigInt(terms.price.amount), perMs: BigInt(terms.price.perMs) }
      amount += charge(books.bought.coveredMs(feed.meter), BigInt(options.aheadMs), price)
      wants.push(...feed.ahead(Math.ceil(options.aheadMs / terms.epochMs) + 1))
    }
    return 2n * (leaf.amount - leaf.spent) >= amount ? nothing : { wants, amount }
  }

  function markAsked(wants: readonly Want[]) {
    for (const feed of feeds) feed.asked(of(feed, wants))
  }

  /** Says what we buy, and heeds the answer. */
  async function say(
    wants: readonly Want[],
    send: () => Promise<Answer | undefined>,
    ending: AbortSignal,
  ): Promise<'renew' | undefined> {
    owing = true
    saidMs = nowMs()
    const answer = await send()
    if (answer === undefined) return undefined
    if (answer.kind === 'refusal') return heed(answer.refusal, wants, ending)
    owing = false
    options.learn(answer)
    return undefined
  }

  async function heed(refusal: Refusal, wants: readonly Want[], ending: AbortSignal) {
    const { code } = refusal
    tally.note({ event: 'refused', seller: device, why: sentence(refusal) })
    if (renews.has(code)) return 'renew' as const
    if (code === 'keys-unconfirmed') {
      await ask({ kind: 'confirm', version: options.keysVersion() }, ending)
    } else if (code === 'range-unknown') {
      owing = false
      for (const feed of feeds) feed.refused(of(feed, wants))
    } else if (code.startsWith('promise-')) {
      const state = await ask({ kind: 'state' }, ending)
      if (state !== undefined) options.learn(state)
    }
    await pause(limits.retryMs, ending)
    return undefined
  }

  async function fetchMissing(feed: Feed, ending: AbortSignal): Promise<void> {
    const gap = feed.missing()
    if (gap === undefined || nowMs() - gap.sinceMs < limits.gapMs) return
    if (feed.backlog() > backlogMax) return
    const { stream } = feed.meter
    const { from, to } = gap
    const answer = await ask({ kind: 'fetch', stream, from, to }, ending)
    if (answer?.kind === 'chunk') {
      for (const message of answer.messages) feed.take(message)
    } else if (answer?.kind === 'refusal') {
      tally.note({ event: 'refused', seller: device, why: sentence(answer.refusal) })
    }
    // A state says only that an answer was lost on its way: the next turn asks again.
    const final = answer?.kind === 'chunk' || answer?.kind === 'refusal'
    const now = feed.missing()
    if (final && now?.from === from && now.to === to) feed.giveUp()
  }
}

const nothing = { wants: [], amount: 0n }

function of(feed: Feed, wants: readonly Want[]): Want[] {
  return wants.filter(({ meter }) => meter.stream === feed.meter.stream)
}
