/** The sealed lines to buyers: their keys last over a restart, their counters need not. */
import { randomBytes } from '#crypto'
import { budget } from '../time/budget.ts'
import { type Answer, encodeAnswer } from '../wire/answer.ts'
import { type Refusal, sentence } from '../wire/refusal.ts'
import { sealMessage } from '../wire/session.ts'
import type { Ledger, Session } from './ledger.ts'
import type { DeskLimits } from './limits.ts'
import type { Note } from './note.ts'

export type Sessions = {
  get(name: string): Line | undefined
  all(): Iterable<Session>
  /** Whether this one may open: it is open already, or there is room. */
  roomFor(name: string): boolean
  /** Opens it in memory, with fresh counters; the ledger has it already. */
  open(session: Session): void
  close(name: string): void
  /** Answers the request with that counter; 0 is the order. */
  answer(session: Session, body: Answer): void
  refuse(session: Session, to: bigint, refusal: Refusal): void
}

export type Line = {
  readonly session: Session
  /** The newest request's counter: older ones are replays and dropped. */
  asked: bigint
  readonly requests: { take(): boolean }
}

export type SessionsParts = {
  readonly ledger: Ledger
  /** Sends an answer, as best it can: a buyer that hears nothing asks again. */
  readonly send: (session: string, message: Uint8Array) => void
  readonly note: (note: Note) => void
  /** Gateway time, which only grows, over restarts too. */
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  readonly limits: DeskLimits
}

export function openSessions(parts: SessionsParts): Sessions {
  const { ledger, send, note, nowMs, monotonicMs, limits } = parts
  const lines = new Map<string, Line>()
  for (const session of ledger.sessions()) open(session)
  let answered = 0n

  function open(session: Session): void {
    const requests = budget(limits.requestsPerSecond, monotonicMs)
    lines.set(session.name, { session, asked: 0n, requests })
  }

  function answer({ name, keys }: Session, body: Answer): void {
    // Counters grow across restarts too, since gateway time does.
    const now = BigInt(nowMs())
    answered = answered >= now ? answered + 1n : now
    send(name, sealMessage('answer', keys, answered, encodeAnswer(body), randomBytes))
  }

  return {
    get: (name) => lines.get(name),
    all: () => [...lines.values()].map(({ session }) => session),
    roomFor: (name) => lines.has(name) || lines.size < limits.sessionsMax,
    open,
    close(name) {
      ledger.save({ over: name })
      lines.delete(name)
    },
    answer,
    refuse(session, to, refusal) {
      note({ event: 'refused', code: refusal.code, why: sentence(refusal) })
      answer(session, { to, kind: 'refusal', refusal })
    },
  }
}
