/** What the counter says back: where a session stands, under counters that no crash uses twice. */
import type { Address } from '../wire/address.ts'
import { type Answer, encodeAnswer, type Standing } from '../wire/answer.ts'
import { noChannel } from '../wire/channel.ts'
import type { HpkeKey } from '../wire/hpke.ts'
import type { Refusal } from '../wire/refusal.ts'
import { type SessionKeys, sealMessage } from '../wire/session.ts'
import { stateDigest } from '../wire/state.ts'
import { topics } from '../wire/topic.ts'
import type { Books } from './books.ts'
import type { SellNote } from './limits.ts'
import { answersReserved, type Session } from './session.ts'
import type { Till } from './till.ts'

/** What selling needs of the device's keys. */
export type DeviceKey = {
  readonly device: Address
  /** Signs a 32-byte digest: r‖s‖v, 65 bytes. */
  sign(digest: Uint8Array): Uint8Array
  readonly hpke: HpkeKey
}

export type AnswersOptions = {
  readonly key: DeviceKey
  readonly till: Till
  readonly timeMs: () => number | undefined
  readonly random: (length: number) => Uint8Array
  /** Sends an answer; resolves, and never rejects, to whether the broker took it. */
  readonly send: (topic: string, payload: Uint8Array) => Promise<boolean>
  readonly note: (note: SellNote) => void
}

export type Answers = ReturnType<typeof answers>

/** An answer on its way. Few wait for it: a buyer that missed it asks again. */
export type Sent = { readonly taken: Promise<boolean> }

export function answers(options: AnswersOptions) {
  const { key, till, note } = options
  const topic = topics(key.device)
  /** The last answer counter of each session; what a run before this one reserved counts as used. */
  const answered = new Map(till.allSessions().map(({ name, answers: used }) => [name, used]))

  return {
    standing,
    answer,
    send,
    /** Refuses in a session, and counts it. */
    async refuse(session: Session, to: bigint, no: Refusal): Promise<void> {
      note({ event: 'refused', code: no.code, session: session.name })
      await answer(session, { to, kind: 'refusal', refusal: no })
    },
    async welcome(session: Session): Promise<void> {
      await answer(session, { to: 0n, kind: 'welcome', ...standing(session) })
    },
    /** The session has new keys: its counters begin anew. */
    restart: (name: string) => void answered.delete(name),
    /** Forgets the counters of sessions that are gone. */
    sweep(): void {
      for (const name of answered.keys())
        if (till.session(name) === undefined) answered.delete(name)
    },
    /** Tells the sessions of a channel that it has a place now. */
    async welcomeAll(books: Books): Promise<void> {
      for (const session of till.live(books.channel)) {
        await answer(session, { to: 0n, kind: 'welcome', ...standing(session) })
      }
    },
  }

  function standing(session: Session): Standing {
    const books = till.books(session.channel)
    const { account, payment, grant } = books ?? {}
    const unsigned = {
      channelId: books?.order.order.channelId ?? noChannel,
      device: key.device,
      order: session.orderNumber,
      promised: account?.promised ?? 0n,
      delivered: account?.delivered ?? 0n,
      acknowledged: account?.acknowledged ?? 0n,
      period: payment?.split.period ?? 0n,
      root: payment?.split.root ?? noChannel,
      counter: session.counter,
      timeMs: Math.floor(options.timeMs() ?? 0),
    }
    return {
      state: { ...unsigned, signature: key.sign(stateDigest(unsigned)) },
      keysVersion: BigInt(session.keysVersion),
      ...(payment === undefined ? {} : { payment }),
      ...(grant === undefined ? {} : { place: { index: grant.grant.index } }),
    }
  }

  /** Answers under the next counter; a new thousand of counters is reserved on disk first. */
  async function answer(session: Session, body: Answer): Promise<Sent> {
    const { name } = session
    const count = (answered.get(name) ?? 0) + 1
    if (count > session.answers) {
      await till.commit({ sessions: [{ ...session, answers: count + answersReserved }] })
    }
    answered.set(name, count)
    return send(name, session.keys, BigInt(count), body)
  }

  function send(name: string, keys: SessionKeys, count: bigint, body: Answer): Sent {
    const plain = encodeAnswer(body)
    const taken = options.send(
      topic.answer(name),
      sealMessage('answer', keys, count, plain, options.random),
    )
    return { taken }
  }
}
