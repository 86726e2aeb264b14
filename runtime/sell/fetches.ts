/**
 * Fetches: each is answered by a run of chunks, one chunk a turn of the counter, so that a buyer with a week
 * to catch up on delays nobody's promise. A run waits until the broker took its part before it sends the
 * next; it lives in memory only, and a buyer that misses a part asks again.
 */
import { type Chunk, chunkMax } from '../wire/answer.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'
import type { Request } from '../wire/request.ts'
import type { Answers } from './answers.ts'
import { fetchBytes, fetchLeft } from './desk.ts'
import type { SellLimits } from './limits.ts'
import type { SalesStore } from './rows.ts'
import type { Session } from './session.ts'
import { isKept, type Till } from './till.ts'

export type FetchesOptions = {
  readonly store: SalesStore
  readonly till: Till
  readonly answers: Answers
  readonly timeMs: () => number | undefined
  readonly limits: SellLimits
  /** A part was taken by the broker: there may be another turn. */
  readonly wake: () => void
}

export type Fetches = {
  /** Begins a run, which takes the place of an older one of that session. */
  begin(session: Session, to: bigint, request: Fetch): void
  /** Sends one part of one run, the longest waiting first. False when no run has one to send. */
  turn(): Promise<boolean>
}

type Fetch = Extract<Request, { readonly kind: 'fetch' }>

type Run = {
  readonly to: bigint
  readonly request: Fetch
  readonly next: number
  readonly part: number
  readonly bytes: number
}

export function fetches(options: FetchesOptions): Fetches {
  const { store, till, answers, limits } = options
  /** By session; the one that sent last stands last. */
  const runs = new Map<string, Run>()
  /** Runs whose part is on its way. */
  const sending = new Set<Run>()

  return {
    begin({ name }, to, request) {
      const next = Math.max(request.from, request.cursor ?? 0)
      runs.delete(name)
      runs.set(name, { to, request, next, part: 0, bytes: 0 })
    },
    async turn() {
      for (const [name, run] of runs) {
        if (sending.has(run)) continue
        runs.delete(name)
        const session = till.session(name)
        if (session === undefined || !isOpen(session)) continue
        await send(session, run)
        return true
      }
      return false
    },
  }

  async function send(session: Session, run: Run): Promise<void> {
    const { to } = run
    const chunk = await nextChunk(session, run)
    if (!('part' in chunk)) return answers.refuse(session, to, chunk)
    const { taken } = await answers.answer(session, { to, kind: 'chunk', ...chunk })
    if (chunk.last || chunk.cursor === undefined) return
    const bytes = run.bytes + bytesOf(chunk.messages)
    const rest: Run = { ...run, next: chunk.cursor, part: run.part + 1, bytes }
    runs.set(session.name, rest)
    sending.add(rest)
    // Without a link there is no hurry: what the broker did not take, the buyer asks for again.
    void taken.then((wasTaken) => {
      sending.delete(rest)
      if (!wasTaken && runs.get(session.name) === rest) runs.delete(session.name)
      options.wake()
    })
  }

  /** The next part, on the books before its first byte goes; or why there is none. */
  async function nextChunk(session: Session, run: Run): Promise<Chunk | Refusal> {
    const books = till.books(session.channel)
    if (!isKept(books) || books === undefined) return refusal('grant-missing')
    const { stream, generation, to } = run.request
    const range = {
      stream,
      from: run.next,
      to,
      ...(generation === undefined ? {} : { generation }),
    }
    const left = fetchLeft(books, limits.fetchFreeBytes)
    const bytesMax = Math.min(limits.chunkBytesMax, left)
    const { messages, next } = await store.saleMessages(range, chunkMax, bytesMax)
    const bytes = bytesOf(messages)
    const fetched = fetchBytes(books, bytes, limits.fetchFreeBytes)
    if (!fetched.ok) return fetched.refusal
    await till.commit({ books: fetched.books, sessions: [session] })
    const last = next === undefined || run.bytes + bytes >= limits.runBytesMax
    return { part: run.part, messages, last, ...(next === undefined ? {} : { cursor: next }) }
  }

  function isOpen({ ended, untilMs }: Session): boolean {
    return !ended && untilMs > (options.timeMs() ?? 0)
  }
}

function bytesOf(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0)
}
