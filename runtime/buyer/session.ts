/**
 * The buyer's end of one session: requests one after the other, each said again until it is answered,
 * and the keys as they are released. What does not open under the session's keys is nobody's word.
 */
import { randomBytes } from '#crypto'
import { type Answer, decodeAnswer } from '../wire/answer.ts'
import { decodeKeysBody, type KeysBody } from '../wire/keysbody.ts'
import { Malformed } from '../wire/malformed.ts'
import { encodeRequest, type Request } from '../wire/request.ts'
import { openMessage, sealMessage, sessionName } from '../wire/session.ts'
import { topics } from '../wire/topic.ts'
import type { BuyerLimits } from './limits.ts'
import { pause } from './pause.ts'
import type { SessionRow } from './sessions.ts'

/** What a session needs of the line to the broker; `link/broker.ts` is one. */
export type Line = {
  publish(topic: string, payload: Uint8Array | string): Promise<void>
  subscribe(
    filter: string,
    handler: (topic: string, payload: Uint8Array, retained: boolean) => void,
  ): Promise<void>
}

export type Session = {
  /** 32 hex digits, as in topics. */
  readonly name: string
  /** Sends the order; undefined when the signal came before an answer. */
  order(signal: AbortSignal): Promise<Answer | undefined>
  /** Sends a request behind those before it; undefined when the signal came before an answer. */
  ask(request: Request, signal: AbortSignal): Promise<Answer | undefined>
  /** Deaf from now on. */
  close(): void
}

export type SessionOptions = {
  readonly line: Line
  readonly row: SessionRow
  /** Takes the next request counters, durably; returns the last of them. */
  readonly reserve: (count: number) => bigint
  readonly onKeys: (keys: KeysBody) => void
  /** A message on the session's topics that is not what the wire has. */
  readonly malformed: (why: string) => void
  readonly limits: Pick<BuyerLimits, 'askMs' | 'askMaxMs'>
}

/** Counters are taken so many at a time: a crash skips some, and none is used twice. */
const countersAtOnce = 64

/** Subscribes to the session's answers and keys, and is ready to send. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { line, row, reserve, onKeys, malformed, limits } = options
  const topic = topics(row.seller)
  const name = sessionName(row.keys.id)
  const waiting = new Map<bigint, (answer: Answer) => void>()
  let keysVersion = -1n
  let counter = 0n
  let reserved = 0n
  let closed = false
  let before: Promise<unknown> = Promise.resolve()

  await line.subscribe(topic.answer(name), (_topic, payload) => {
    const answer = closed ? undefined : read('answer', payload, decodeAnswer)
    if (answer !== undefined) waiting.get(answer.to)?.(answer)
  })
  await line.subscribe(topic.keys(name), (_topic, payload) => {
    const keys = closed || payload.length === 0 ? undefined : read('keys', payload, decodeKeysBody)
    if (keys === undefined || keys.version <= keysVersion) return
    keysVersion = keys.version
    onKeys(keys)
  })

  return {
    name,
    order: (signal) => inTurn(() => send(0n, row.message, signal)),
    ask: (request, signal) =>
      inTurn(async () => {
        const number = next()
        const plain = encodeRequest(request)
        const message = sealMessage('request', row.keys, number, plain, randomBytes)
        const answer = await send(number, message, signal)
        if (answer?.kind !== 'refusal' || answer.refusal.code !== 'session-unknown') return answer
        // The seller lost the session (or never got the order): the same order opens it again.
        const welcome = await send(0n, row.message, signal)
        if (welcome === undefined || welcome.kind === 'refusal') return welcome
        const again = next()
        const repeated = sealMessage('request', row.keys, again, plain, randomBytes)
        return send(again, repeated, signal)
      }),
    close() {
      closed = true
    },
  }

  /** The seller takes requests in the order of their counters, so a later one must not overtake. */
  function inTurn(work: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    const mine = before.then(work)
    before = mine.catch(() => {})
    return mine
  }

  function next(): bigint {
    if (counter === reserved) {
      reserved = reserve(countersAtOnce)
      counter = reserved - BigInt(countersAtOnce)
    }
    counter += 1n
    return counter
  }

  async function send(to: bigint, message: Uint8Array, signal: AbortSignal) {
    let answer: Answer | undefined
    const heard = new AbortController()
    waiting.set(to, (given) => {
      answer = given
      heard.abort()
    })
    const end = AbortSignal.any([signal, heard.signal])
    for (let waitMs = limits.askMs; !end.aborted; waitMs = Math.min(2 * waitMs, limits.askMaxMs)) {
      // A line that is down is a message that got lost: it is said again all the same.
      line.publish(topic.ask, message).catch(() => {})
      await pause(waitMs, end)
    }
    waiting.delete(to)
    return answer
  }

  function read<T>(
    kind: 'answer' | 'keys',
    payload: Uint8Array,
    decode: (bytes: Uint8Array) => T,
  ): T | undefined {
    const opened = openMessage(payload, row.keys, kind)
    if (opened === undefined) {
      malformed(`${kind} not sealed by ${row.seller}`)
      return undefined
    }
    try {
      return decode(opened.plain)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      malformed(error.message)
      return undefined
    }
  }
}
