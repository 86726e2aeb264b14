/** Requests at the counter: opened, decided by the desk, committed through the till, then answered. */
import type { Answer } from '../wire/answer.ts'
import { runsMax } from '../wire/keysbody.ts'
import { Malformed } from '../wire/malformed.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'
import { decodeRequest, type Range, type Request } from '../wire/request.ts'
import { openMessage } from '../wire/session.ts'
import type { Tariff } from './admit.ts'
import type { Answers } from './answers.ts'
import { attempt } from './attempt.ts'
import type { Books } from './books.ts'
import { forgetMissing, type Ground, supply, takePayment, want } from './desk.ts'
import type { Fetches } from './fetches.ts'
import type { Drop, SellLimits, SellNote } from './limits.ts'
import type { SalesStore } from './rows.ts'
import { common, size, union, without } from './runs.ts'
import type { Session } from './session.ts'
import { isKept, type Till } from './till.ts'

export type RequestsOptions = {
  readonly store: SalesStore
  readonly till: Till
  readonly answers: Answers
  readonly fetches: Fetches
  readonly tariffs: ReadonlyMap<string, Tariff>
  readonly timeMs: () => number | undefined
  readonly limits: SellLimits
  readonly note: (note: SellNote) => void
  readonly drop: (why: Drop) => void
}

export function requests(options: RequestsOptions) {
  const { store, till, answers, fetches, limits, note, drop } = options

  return { authorOf, takeRequest, supplyAll }

  /** See the inbox: a look at who speaks, before anything is done for them. */
  function authorOf(name: string, message: Uint8Array): 'granted' | 'guest' | undefined {
    const session = till.session(name)
    const opened = session && openMessage(message, session.keys, 'request')
    if (session === undefined || opened === undefined) return undefined
    return opened.counter > session.counter ? till.standing(name) : 'guest'
  }

  async function takeRequest(name: string, message: Uint8Array): Promise<void> {
    const session = till.session(name)
    if (session === undefined) return drop('unknown session')
    const opened = openMessage(message, session.keys, 'request')
    if (opened === undefined) return drop('not opened')
    const to = opened.counter
    if (session.ended) return answers.refuse(session, to, refusal('session-ended'))
    if (to <= session.counter) {
      await answers.answer(session, { to, kind: 'state', ...answers.standing(session) })
      return
    }
    till.touch({ ...session, counter: to })
    const request = attempt(() => decodeRequest(opened.plain))
    const reply =
      request instanceof Malformed
        ? refusal('request-malformed', { why: request.message })
        : await serve(name, to, request)
    const now = till.session(name)
    if (now === undefined || reply === 'later') return
    if (reply === 'state') {
      await answers.answer(now, { to, kind: 'state', ...answers.standing(now) })
    } else if ('kind' in reply) await answers.answer(now, { to, ...reply })
    else await answers.refuse(now, to, reply)
  }

  /** Does what a request asks, and says how to answer it. */
  async function serve(name: string, to: bigint, request: Request): Promise<Reply> {
    const session = till.session(name) as Session
    const books = till.books(session.channel)
    if (books === undefined) return refusal('session-ended')
    switch (request.kind) {
      case 'state':
        return 'state'
      case 'promise': {
        const paid = takePayment(books, request.payment, ground())
        return paid.ok ? buy(session, paid.books, request.buy) : paid.refusal
      }
      case 'take':
        if (isOver(session)) return refusal('order-ended', { untilMs: session.untilMs })
        return buy(session, books, request.buy)
      case 'fetch':
        if (!isKept(books)) return refusal('grant-missing')
        fetches.begin(session, to, request)
        return 'later'
      case 'confirm':
        return confirm(session, books, request.version)
      case 'end': {
        const last = till.live(session.channel).every((one) => one.name === name)
        const left: Books = last ? { ...books, wanted: [] } : books
        await till.commit({ books: left, sessions: [{ ...session, ended: true }] })
        note({ event: 'ended', session: name })
        return { kind: 'ok' }
      }
      case 'books':
        return refusal('request-malformed', { why: 'books go to the gateway' })
      case 'refund':
        return refusal('request-malformed', { why: 'a device holds no money to give back' })
    }
  }

  async function buy(session: Session, books: Books, ranges: readonly Range[]): Promise<Reply> {
    const sold = new Set([...options.tariffs.values()].map(({ stream }) => stream).concat('device'))
    const strange = ranges.find(({ stream }) => !sold.has(stream))
    if (strange !== undefined) return refusal('range-unknown', { stream: strange.stream })
    const wanted = want(books, ranges)
    if (!wanted.ok) return wanted.refusal
    return (await supplyAll(wanted.books, session)) ?? 'state'
  }

  /**
   * Sells what is wanted and sealed, as far as it is paid, and commits it with whatever else is new in
   * `books`. Resolves to the reason for stopping early.
   */
  async function supplyAll(books: Books, session?: Session): Promise<Refusal | undefined> {
    let now = books
    let saved = session === undefined && books === till.books(books.channel)
    for (;;) {
      const { epochs, complete, tips } = await sealed(now)
      const lines = till.live(now.channel)
      const held = lines.map((one) => one.held).reduceRight(common, lines[0]?.held ?? [])
      const out = supply(now, epochs, held, ground())
      const done = out.stopped !== undefined || complete
      const next =
        out.stopped === undefined && complete ? forgetMissing(out.books, tips) : out.books
      if (!saved || next !== now) {
        const release = next.bought !== now.bought
        const sessions = session === undefined ? [] : lines
        // What was evicted since it was read is not sold: look again.
        if (!(await till.commit({ books: next, sessions, release }))) continue
        saved = true
        if (release) {
          const amount = next.account.delivered - now.account.delivered
          const epochsSold = size(next.bought) - size(now.bought)
          note({ event: 'sold', channel: next.channel, epochs: epochsSold, amount })
        }
      }
      if (done) return out.stopped
      now = next
    }
  }

  async function sealed(books: Books) {
    if (books.wanted.length === 0) return { epochs: [], complete: true, tips: [] }
    return store.saleEpochs(books.wanted, limits.batchEpochsMax)
  }

  /**
   * The buyer holds the keys of that version. When they fill up, they are not repeated from then on, which
   * makes room for more runs.
   */
  async function confirm(session: Session, books: Books, version: bigint): Promise<Reply> {
    const open = without(books.bought, session.held)
    if (version !== BigInt(session.keysVersion) || open.length <= runsMax / 2) return { kind: 'ok' }
    const held = union(session.held, open.slice(0, runsMax))
    const release = open.length > runsMax
    await till.commit({ books, sessions: [{ ...session, held }], release })
    await supplyAll(books)
    return { kind: 'ok' }
  }

  /** Own data has no channel whose books would say so. */
  function isOver({ untilMs }: Session): boolean {
    return untilMs <= (options.timeMs() ?? 0)
  }

  function ground(): Ground {
    return {
      timeMs: options.timeMs(),
      tariffOf: (terms) => options.tariffs.get(terms),
    }
  }
}

/** An answer without its address, a refusal, `state` for where it stands, `later` for what others answer. */
type Reply = WithoutTo<Answer> | Refusal | 'state' | 'later'
type WithoutTo<T> = T extends unknown ? Omit<T, 'to'> : never
