/**
 * The buyer's end of one session: requests one after the other, each said again until it is answered,
 * and the keys as they are released. What does not open under the session's keys is nobody's word.
 */
import { randomBytes } from '#crypto'
import { bell } from '../time/bell.ts'
import { pause } from '../time/pause.ts'
import { type Answer, decodeAnswer } from '../wire/answer.ts'
import { decodeKeysBody, type KeysBody } from '../wire/keysbody.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Refusal } from '../wire/refusal.ts'
import { encodeRequest, type Request } from '../wire/request.ts'
import { openMessage, sealMessage, sessionName } from '../wire/session.ts'
import { topics } from '../wire/topic.ts'
import type { BuyerLimits } from './limits.ts'
import type { SessionRow } from './sessions.ts'

/** What a session needs of the line to the broker; `link/broker.ts` is one. */
export type Line = {
  publish(topic: string, payload: Uint8Array | string): Promise<void>
  subscribe(
    filter: string,
    handler: (topic: string, payload: Uint8Array, retained: boolean) => void,
  ): Promise<void>
  /** Where a line can: the topics of a session that is over are heard no more. */
  unsubscribe?(
    filter: string,
    handler: (topic: string, payload: Uint8Array, retained: boolean) => void,
  ): void
}

export type Session = {
  /** 32 hex digits, as in topics. */
  readonly name: string
  /** Sends the order; undefined when the signal came before an answer. */
  order(signal: AbortSignal): Promise<Answer | undefined>
  /** Sends a request behind those before it; undefined when the signal came before an answer. */
  ask(request: Request, signal: AbortSignal): Promise<Answer | undefined>
  /**
   * Asks for stored messages in its turn, and hands over each part of the answer as it comes. Undefined when
   * the signal came before the end.
   */
  fetch(
    request: Fetch,
    take: (messages: readonly Uint8Array[]) => void,
    signal: AbortSignal,
  ): Promise<Fetched | undefined>
  /** Asks the broker for the keys that it retains: a message of them may have got lost. */
  hearKeysAgain(): Promise<void>
  /** Deaf from now on. */
  close(): void
}

export type Fetch = Extract<Request, { readonly kind: 'fetch' }>

/** How the answer to a fetch ended. */
export type Fetched =
  /** `whole`: all that is stored in the range came; else what is missing is there to be had. */
  | { readonly kind: 'end'; readonly whole: boolean }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** Nothing more came for a while: what is missing is to be asked for again. */
  | { readonly kind: 'silence' }

export type SessionOptions = {
  readonly line: Line
  readonly row: SessionRow
  /** Takes the next request counters, durably; returns the last of them. */
  readonly reserve: (count: number) => bigint
  readonly onKeys: (keys: KeysBody) => void
  /** A message on the session's topics that is not what the wire has. */
  readonly malformed: (why: string) => void
  readonly limits: Pick<BuyerLimits, 'askMs' | 'askMaxMs' | 'partsMax'>
}

/** Counters are taken so many at a time: a crash skips some, and none is used twice. */
const countersAtOnce = 64

type State = SessionOptions & {
  /** Who waits for the answer to that request. */
  readonly waiting: Map<bigint, (answer: Answer) => void>
  keysVersion: bigint
  counter: bigint
  reserved: bigint
  closed: boolean
  /** How long a part of a fetch is waited for; a seller that is slow is given more. */
  fetchMs: number
  /** The request before: the next one waits for its answer. */
  before: Promise<unknown>
}

/** Subscribes to the session's answers and keys, and is ready to send. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { row } = options
  const name = sessionName(row.keys.id)
  const state: State = {
    ...options,
    waiting: new Map(),
    keysVersion: -1n,
    counter: 0n,
    reserved: 0n,
    closed: false,
    fetchMs: options.limits.askMs,
    before: Promise.resolve(),
  }
  const { hearKeys, leave } = await listen(state, name)
  return {
    name,
    order: (signal) => inTurn(state, () => send(state, 0n, row.message, signal)),
    ask: (request, signal) => inTurn(state, () => ask(state, encodeRequest(request), signal)),
    fetch: (request, take, signal) => inTurn(state, () => fetch(state, request, take, signal)),
    hearKeysAgain: hearKeys,
    close() {
      if (!state.closed) leave()
      state.closed = true
    },
  }
}

/** Hears answers and keys; gives what subscribes to the keys once more, and what hears neither again. */
async function listen(state: State, name: string) {
  const { line } = state
  const topic = topics(state.row.seller)
  const takeAnswer = (_topic: string, payload: Uint8Array) => {
    const answer = state.closed ? undefined : read(state, 'answer', payload, decodeAnswer)
    if (answer === undefined) return
    // The order, said again in a long silence, was refused: so is everything else in this session.
    const toAll = answer.to === 0n && answer.kind === 'refusal' && !state.waiting.has(0n)
    if (toAll) for (const give of state.waiting.values()) give(answer)
    else state.waiting.get(answer.to)?.(answer)
  }
  await line.subscribe(topic.answer(name), takeAnswer)
  const take = (_topic: string, payload: Uint8Array) => {
    if (state.closed || payload.length === 0) return
    const keys = read(state, 'keys', payload, decodeKeysBody)
    if (keys === undefined || keys.version <= state.keysVersion) return
    state.keysVersion = keys.version
    state.onKeys(keys)
  }
  const hearKeys = () => line.subscribe(topic.keys(name), take)
  await hearKeys()
  return {
    hearKeys,
    leave() {
      line.unsubscribe?.(topic.answer(name), takeAnswer)
      line.unsubscribe?.(topic.keys(name), take)
    },
  }
}

/** The seller takes requests in the order of their counters, so a later one must not overtake. */
function inTurn<T>(state: State, work: () => Promise<T>): Promise<T> {
  const mine = state.before.then(work)
  state.before = mine.catch(() => {})
  return mine
}

async function ask(state: State, plain: Uint8Array, signal: AbortSignal) {
  const answer = await request(state, plain, signal)
  if (answer?.kind !== 'refusal' || answer.refusal.code !== 'session-unknown') return answer
  // The seller lost the session (or never got the order): the same order opens it again.
  const welcome = await send(state, 0n, state.row.message, signal)
  if (welcome === undefined || welcome.kind === 'refusal') return welcome
  return request(state, plain, signal)
}

function request(state: State, plain: Uint8Array, signal: AbortSignal) {
  const number = nextCounter(state)
  const message = sealMessage('request', state.row.keys, number, plain, randomBytes)
  return send(state, number, message, signal)
}

async function fetch(
  state: State,
  request: Fetch,
  take: (messages: readonly Uint8Array[]) => void,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  const end = await run(state, request, take, signal)
  const { askMs, askMaxMs } = state.limits
  state.fetchMs = end?.kind === 'silence' ? Math.min(2 * state.fetchMs, askMaxMs) : askMs
  if (end?.kind !== 'refusal' || end.refusal.code !== 'session-unknown') return end
  const welcome = await send(state, 0n, state.row.message, signal)
  return welcome?.kind === 'refusal' ? welcome : { kind: 'silence' }
}

/** One request, and the run of chunks that answers it. */
async function run(
  state: State,
  request: Fetch,
  take: (messages: readonly Uint8Array[]) => void,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  const { line, row, waiting, fetchMs, limits } = state
  const number = nextCounter(state)
  const message = sealMessage('request', row.keys, number, encodeRequest(request), randomBytes)
  const parts = new Set<number>()
  const heard = bell()
  let end: Fetched | undefined
  waiting.set(number, (answer) => {
    if (answer.kind === 'chunk') {
      parts.add(answer.part)
      take(answer.messages)
      const whole = answer.cursor === undefined && parts.size === answer.part + 1
      if (answer.last) end = { kind: 'end', whole }
      else if (parts.size >= limits.partsMax) end = { kind: 'silence' }
    } else if (answer.kind === 'refusal') end = answer
    // It took the request before, and what it said to it got lost.
    else if (parts.size === 0) end = { kind: 'silence' }
    heard.ring()
  })
  for (let tries = 0; end === undefined && !signal.aborted; ) {
    const before = parts.size
    if (before === 0) {
      if (tries === 2) break
      tries += 1
      line.publish(topics(row.seller).ask, message).catch(() => {})
    }
    await heard.wait(fetchMs, signal)
    if (before > 0 && parts.size === before) break
  }
  waiting.delete(number)
  return signal.aborted ? undefined : (end ?? { kind: 'silence' })
}

function nextCounter(state: State): bigint {
  if (state.counter === state.reserved) {
    state.reserved = state.reserve(countersAtOnce)
    state.counter = state.reserved - BigInt(countersAtOnce)
  }
  state.counter += 1n
  return state.counter
}

/** Says a message again and again until it is answered, or the signal comes. */
async function send(
  { line, row, waiting, limits }: State,
  to: bigint,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  let answer: Answer | undefined
  const heard = new AbortController()
  waiting.set(to, (given) => {
    answer = given
    heard.abort()
  })
  const end = AbortSignal.any([signal, heard.signal])
  for (let waitMs = limits.askMs; !end.aborted; waitMs = Math.min(2 * waitMs, limits.askMaxMs)) {
    // A line that is down is a message that got lost: it is said again all the same.
    line.publish(topics(row.seller).ask, message).catch(() => {})
    // A seller that lost the session drops its requests unread; the order it reads.
    if (to > 0n && waitMs === limits.askMaxMs) {
      line.publish(topics(row.seller).ask, row.message).catch(() => {})
    }
    await pause(waitMs, end)
  }
  waiting.delete(to)
  return answer
}

function read<T>(
  { row, malformed }: State,
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
