/**
 * Several RPC endpoints of one chain, believed only where they agree.
 *
 * An endpoint that lies or lags alone can not make an operator grant money that is not there. One that fails
 * is left in peace for a while and asked again by itself; meanwhile whoever must hear all hears its fault at
 * once. Every trouble is told with the endpoint and since when, and its end too.
 */
import { type Fault, fault } from '../faults.ts'
import { backOff } from '../time/backoff.ts'
import { pause } from '../time/pause.ts'
import { type EndpointNote, openTroubles, type Troubles } from './troubles.ts'

export type Endpoint<Line> = {
  /** Its origin: what stands behind it in the URL may be a secret. */
  readonly name: string
  readonly line: Line
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault }

export type Endpoints<Line> = {
  readonly all: readonly Endpoint<Line>[]
  /** Asks every endpoint; never rejects. Answers stand in the order of `all`. */
  ask<T>(question: (line: Line, place: number) => Promise<T>): Promise<readonly Answer<T>[]>
  /** Asks every endpoint; throws the first fault. */
  each<T>(question: (line: Line) => Promise<T>): Promise<readonly T[]>
  /** What those say that answer; throws the first fault when none does. */
  some<T>(question: (line: Line) => Promise<T>): Promise<readonly T[]>
  /** Asks every endpoint; throws CHAIN_DISAGREES unless all say the same. `show` spells an answer. */
  agreed<T>(what: string, question: (line: Line) => Promise<T>, show?: Show<T>): Promise<T>
  /** Holds answers to one question against each other; tells who stands alone. */
  compare(what: string, said: readonly (string | undefined)[]): Fault | undefined
  /** Takes the time of each endpoint's newest block, and tells of one that stands still. */
  paced(times: readonly (number | undefined)[]): void
  /** Leaves no endpoint in peace any longer: the next question goes to all. */
  rouse(): void
}

type Show<T> = (answer: T) => string

export type EndpointsOptions<Line> = {
  /** Turns what a line throws into a fault. */
  readonly translate: (cause: unknown, rpc: string) => Fault
  /** Asked before anything else, and again now and then: throws when it is not what we want. */
  readonly greet?: (line: Line, name: string) => Promise<void>
  readonly note?: (note: EndpointNote) => void
  /** Ends the wait between two tries. */
  readonly signal: AbortSignal
  readonly limits?: Partial<EndpointLimits>
  readonly random?: () => number
  readonly monotonicMs?: () => number
  readonly wallMs?: () => number
}

export type EndpointLimits = {
  /** Tries of one question to an endpoint that was well, and the wait before the second (doubling). */
  readonly tries: number
  readonly retryMs: number
  /** What took this long and failed is not tried at once again. */
  readonly hangMs: number
  /** An endpoint that failed is left in peace for so long at first, and at most. */
  readonly restFirstMs: number
  readonly restMaxMs: number
  /** How often an endpoint is asked again which chain it serves: behind a balancer that may change. */
  readonly greetMs: number
  /** Two minutes are ten blocks of a slow chain: who is further behind than that stands still. */
  readonly lagS: number
  /** A trouble that lasts is told again after so long; one that nobody saw since is forgotten. */
  readonly tellMs: number
}

export const endpointLimits: EndpointLimits = {
  tries: 3,
  retryMs: 200,
  hangMs: 3_000,
  restFirstMs: 1_000,
  restMaxMs: 60_000,
  greetMs: 60_000,
  lagS: 120,
  tellMs: 600_000,
}

export function endpoints<Line>(
  all: readonly Endpoint<Line>[],
  options: EndpointsOptions<Line>,
): Endpoints<Line> {
  if (all.length === 0) throw new RangeError('a chain needs an endpoint')
  const limits = { ...endpointLimits, ...options.limits }
  const names = all.map(({ name }) => name)
  const troubles = openTroubles(names, { ...options, tellMs: limits.tellMs })
  const asks = all.map((one, place) => asking(one, place, options, limits, troubles))
  const ask: Endpoints<Line>['ask'] = (question) =>
    Promise.all(asks.map(({ put }, place) => put((line) => question(line, place))))
  const each: Endpoints<Line>['each'] = async (question) => (await ask(question)).map(must)

  const compare: Endpoints<Line>['compare'] = (what, said) => {
    const heard = said.filter((text) => text !== undefined)
    const odd = oddOnes(said)
    // Silence takes nothing back, and whoever alone speaks is contradicted by nobody.
    for (const [place, text] of said.entries()) {
      const vouched = heard.length > 1 && text !== undefined && !odd.has(place)
      if (vouched) troubles.over(place, what)
    }
    if (odd.size === 0) return undefined
    const other = said.findIndex((text) => text !== undefined && text !== heard[0])
    const says = (at: number) => `${all[at]?.name} says ${said[at]}`
    const first = says(said.indexOf(heard[0]))
    const doubt = fault('CHAIN_DISAGREES', { what, first, second: says(other) })
    for (const place of odd) troubles.is(place, what, doubt)
    return doubt
  }

  return {
    all,
    ask,
    each,
    some: async (question) => {
      const answers = await ask(question)
      const good = answers.filter((answer) => answer.ok)
      return good.length > 0 ? good.map(({ value }) => value) : answers.map(must)
    },
    agreed: async (what, question, show = String) => {
      const answers = await each(question)
      const doubt = compare(what, answers.map(show))
      if (doubt !== undefined) throw doubt
      return answers[0] as (typeof answers)[number]
    },
    compare,
    paced: (times) => pace(all, times, limits.lagS, troubles),
    rouse() {
      for (const one of asks) one.rouse()
    },
  }
}

/** Puts questions to one endpoint, as often as its state allows. */
function asking<Line>(
  { name, line }: Endpoint<Line>,
  place: number,
  { translate, greet, signal, random = Math.random, monotonicMs = now }: EndpointsOptions<Line>,
  limits: EndpointLimits,
  troubles: Troubles,
) {
  let failures = 0
  let restsUntilMs = Number.NEGATIVE_INFINITY
  let greetedMs = Number.NEGATIVE_INFINITY
  let last: Fault | undefined

  async function once<T>(question: (line: Line) => Promise<T>): Promise<T> {
    if (greet !== undefined && monotonicMs() - greetedMs > limits.greetMs) {
      await greet(line, name)
      greetedMs = monotonicMs()
    }
    return question(line)
  }

  function well(): void {
    failures = 0
    last = undefined
    troubles.over(place, 'answers')
  }

  function failed(why: Fault): Answer<never> {
    // What the contract or the account refuses is an answer, not a broken endpoint.
    if (!isBroken(why)) {
      well()
      return { ok: false, fault: why }
    }
    if (monotonicMs() >= restsUntilMs) {
      restsUntilMs = monotonicMs() + backOff(failures, limits.restFirstMs, limits.restMaxMs, random)
      failures += 1
    }
    greetedMs = Number.NEGATIVE_INFINITY
    last = why
    troubles.is(place, 'answers', why)
    return { ok: false, fault: why }
  }

  const put = async <T>(question: (line: Line) => Promise<T>): Promise<Answer<T>> => {
    if (last !== undefined && monotonicMs() < restsUntilMs) return { ok: false, fault: last }
    const tries = failures === 0 ? limits.tries : 1
    for (let tried = 1; ; tried += 1) {
      const beganMs = monotonicMs()
      try {
        const value = await once(question)
        well()
        return { ok: true, value }
      } catch (cause) {
        const why = translate(cause, name)
        const hung = monotonicMs() - beganMs > limits.hangMs
        if (why.code !== 'CHAIN_UNREACHABLE' || hung || tried >= tries) return failed(why)
        await pause(backOff(tried - 1, limits.retryMs, limits.hangMs, random), signal)
      }
    }
  }

  return {
    put,
    rouse() {
      restsUntilMs = Number.NEGATIVE_INFINITY
    },
  }
}

/** Of three or more the few that contradict the most; where no side is larger, all of them. */
function oddOnes(said: readonly (string | undefined)[]): ReadonlySet<number> {
  const sides = new Map<string, number[]>()
  for (const [place, text] of said.entries()) {
    if (text !== undefined) sides.set(text, [...(sides.get(text) ?? []), place])
  }
  if (sides.size < 2) return new Set()
  const sorted = [...sides.values()].sort((a, b) => b.length - a.length)
  const [most = [], next = []] = sorted
  return new Set((most.length > next.length ? sorted.slice(1) : sorted).flat())
}

function pace(
  all: readonly Endpoint<unknown>[],
  times: readonly (number | undefined)[],
  lagS: number,
  troubles: Troubles,
): void {
  const newest = Math.max(...times.map((time) => time ?? 0))
  const leader = all[times.indexOf(newest)]?.name ?? ''
  for (const [place, time] of times.entries()) {
    if (time === undefined) continue
    const seconds = newest - time
    const rpc = all[place]?.name ?? ''
    if (seconds <= lagS) troubles.over(place, 'pace')
    else troubles.is(place, 'pace', fault('CHAIN_LAGS', { rpc, seconds, other: leader }))
  }
}

function isBroken({ code }: Fault): boolean {
  return code === 'CHAIN_UNREACHABLE' || code === 'CHAIN_OTHER'
}

function must<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw answer.fault
}

function now(): number {
  return performance.now()
}
