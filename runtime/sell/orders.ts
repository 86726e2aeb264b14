/** Orders at the counter: opened, checked, and turned into a session. */
import { sha256 } from '#crypto'
import { hex } from '../wire/bytes.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Offer } from '../wire/offer.ts'
import { decodeOrder, type OrderDocument } from '../wire/order.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'
import { openOrder, type SessionKeys, sessionId, sessionName } from '../wire/session.ts'
import { admit, type Tariff } from './admit.ts'
import type { Answers, DeviceKey } from './answers.ts'
import { attempt, malformed } from './attempt.ts'
import { type Books, newBooks, ownChannel } from './books.ts'
import type { Drop, SellLimits, SellNote } from './limits.ts'
import { answersReserved, type Session } from './session.ts'
import type { Till } from './till.ts'

export type OrdersOptions = {
  readonly key: DeviceKey
  readonly offer: () => Offer
  readonly till: Till
  readonly answers: Answers
  readonly tariffs: ReadonlyMap<string, Tariff>
  readonly timeMs: () => number | undefined
  readonly limits: SellLimits
  /** Takes over what the gateway already said of a channel that is new here. */
  readonly brief: (books: Books) => Books
  readonly note: (note: SellNote) => void
  readonly drop: (why: Drop) => void
}

/** Gives the function that takes one order message; the same bytes again get the current welcome. */
export function orders(options: OrdersOptions) {
  const { key, till, answers, limits, note, drop } = options

  return async function takeOrder(message: Uint8Array): Promise<void> {
    const name = sessionName(sessionId(message.subarray(1, 33)))
    const digest = hex(sha256(message))
    const known = till.session(name)
    if (known?.message === digest) {
      if (known.ended) return answers.refuse(known, 0n, refusal('session-ended'))
      return answers.welcome(known)
    }
    const opened = await openOrder(message, key.hpke).catch(malformed)
    if (opened instanceof Malformed) return drop('not opened')
    const document = attempt(() => decodeOrder(opened.order))
    if (document instanceof Malformed) {
      return turnAway(name, opened.keys, refusal('request-malformed', { why: document.message }))
    }
    // A session from before the books were lost: its counters and keys are lost too.
    if (till.isLost(name)) {
      return turnAway(name, opened.keys, refusal('session-ended'))
    }
    const no = refusalOf(document, opened.sessionKey, known)
    if (no !== undefined) return turnAway(name, opened.keys, no)
    await openSession(name, digest, document, opened.keys, known)
  }

  /** Of an order that is not taken nothing is kept: its answer goes out under the order's own keys. */
  function turnAway(name: string, keys: SessionKeys, no: Refusal) {
    note({ event: 'refused', code: no.code, session: name })
    answers.send(name, keys, 1n, { to: 0n, kind: 'refusal', refusal: no })
  }

  function refusalOf(document: OrderDocument, sessionKey: Uint8Array, known: Session | undefined) {
    const channel = hex(document.order.channelId)
    const newest =
      channel === ownChannel ? known?.orderNumber : till.books(channel)?.order.order.number
    const no = admit(document, {
      device: key.device,
      offer: options.offer(),
      sessionKey,
      timeMs: options.timeMs(),
      tariffs: options.tariffs,
      newest,
    })
    if (no !== undefined) return no
    if (known !== undefined && known.channel !== channel) return refusal('order-session')
    const open = till.allSessions().filter(({ ended }) => !ended)
    return open.length >= limits.sessionsMax ? refusal('busy') : undefined
  }

  async function openSession(
    name: string,
    message: Session['message'],
    document: OrderDocument,
    keys: SessionKeys,
    known: Session | undefined,
  ) {
    const channel = hex(document.order.channelId)
    const before = till.books(channel)
    const books =
      before === undefined
        ? options.brief(newBooks(document, limits.exposureMax, till.lost(channel)))
        : renewed(before, document)
    const session: Session = {
      name,
      channel,
      message,
      orderNumber: document.order.number,
      untilMs: document.order.untilMs,
      keys,
      counter: 0n,
      answers: answersReserved,
      keysVersion: known?.keysVersion ?? 0,
      ended: false,
      held: [],
    }
    answers.restart(name)
    // The newest order of a channel stands alone; an owner may read in several sessions at once.
    const older = books.own ? [] : till.live(channel).filter((one) => one.name !== name)
    const ended = older.map((one) => ({ ...one, ended: true }))
    const release = books.bought.length > 0
    const over = till.allSessions().filter((one) => one.ended && one.name !== name)
    const forget = over.slice(0, Math.max(0, over.length - limits.endedMax))
    await till.commit({ books, sessions: [...ended, session], release, forget })
    note({ event: 'opened', session: name, channel })
    const opened = till.session(name) ?? session
    await answers.welcome(opened)
  }
}

/**
 * The books under a newer order. What was asked for under the older one is asked for again, or the buyer
 * lost interest; an owner's other sessions still wait for theirs.
 */
function renewed(before: Books, order: OrderDocument): Books {
  return { ...before, order, wanted: before.own ? before.wanted : [] }
}
