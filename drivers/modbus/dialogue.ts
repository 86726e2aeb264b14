/**
 * The master's side of one slave, as a pure machine: time and answers in, frames to send out.
 *
 *   idle ──(due)──→ asked ──(answer, exception)──→ next request, or idle until the next poll
 *    ↑                │
 *    └──(no answer, after so many tries)──┘   and the breaker makes the next poll later and later
 *
 * An answer is taken for that of the request only if unit, function and size fit (shape.ts), and what came
 * before the request is drained. One thing these do not tell apart: when a request was repeated, both may
 * be answered, and the second answer could pass for that of the next request. So after a repetition the
 * slave is left alone for a whole time-out before it is asked anything else.
 *
 * A request to unit 0 is for everybody: nobody answers, and all get time to work on it.
 */
import { type Ask, type Breaker, breaker, missed, type Shape } from '../../runtime/sense/driver.ts'
import { expectedSize } from './answer.ts'
import { encodeRequest, type Request } from './request.ts'
import { answerShape } from './shape.ts'

export type Settings = {
  readonly unit: number
  readonly plan: readonly Request[]
  /** From the beginning of one poll to that of the next. */
  readonly everyMs: number
  /** An answer must begin within this time after its question. */
  readonly timeoutMs: number
  /** How often a question is put before a poll is given up. */
  readonly tries: number
  /** What one byte takes on this line. */
  readonly byteMs: number
}

export type Dialogue = {
  readonly settings: Settings
  readonly questions: readonly Question[]
  /** Which request of the plan is next, or waits for its answer. */
  readonly at: number
  /** When the poll begins, or began. */
  readonly dueMs: number
  /** Nothing else may be asked before. */
  readonly holdMs: number
  readonly asked: { readonly tries: number; readonly untilMs: number } | undefined
  readonly breaker: Breaker
}

/** A request of the plan as it goes out, the same at every poll, and what its answer looks like. */
type Question = { readonly send: Uint8Array; readonly expect: Shape; readonly answerSize: number }

export function begin(settings: Settings): Dialogue {
  const { unit, plan } = settings
  const questions = plan.map((request) => ({
    send: encodeRequest(unit, request),
    expect: answerShape(unit, request),
    answerSize: expectedSize(request),
  }))
  return { settings, questions, at: 0, dueMs: 0, holdMs: 0, asked: undefined, breaker }
}

export function ask(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { settings, asked } = dialogue
  if (asked !== undefined) {
    if (nowMs < asked.untilMs) return turn(dialogue, asked.untilMs - nowMs)
    const tries = dialogue.breaker.state === 'closed' ? settings.tries : 1
    const again = asked.tries < tries
    const next = again ? put(dialogue, nowMs, asked.tries + 1) : givenUp(dialogue, nowMs)
    return { ...next, doubt: 'no answer' }
  }
  if (dialogue.at >= settings.plan.length) return turn(polled(dialogue, nowMs), undefined, nowMs)
  const readyMs = Math.max(dialogue.at === 0 ? dialogue.dueMs : 0, dialogue.holdMs)
  if (nowMs < readyMs) return turn(dialogue, readyMs - nowMs)
  return put(dialogue, nowMs, 1)
}

/** The request that waits for its answer. */
export function awaited({ settings, at, asked }: Dialogue): Request | undefined {
  return asked === undefined ? undefined : settings.plan[at]
}

/** The answer is here, an exception being one: the slave lives. */
export function answered(dialogue: Dialogue): Dialogue {
  const { settings, questions, at, dueMs, asked } = dialogue
  const holdMs = asked === undefined || asked.tries === 1 ? 0 : asked.untilMs + settings.timeoutMs
  return { settings, questions, at: at + 1, dueMs, holdMs, asked: undefined, breaker }
}

/** Nothing to send now. Within a poll the line stays ours. */
function turn(dialogue: Dialogue, wakeMs: number | undefined, nowMs = 0): Ask<Dialogue> {
  const ours = dialogue.at > 0 || dialogue.asked !== undefined
  const answer = {
    memory: dialogue,
    wakeMs: wakeMs ?? dialogue.dueMs - nowMs,
    breaker: dialogue.breaker.state,
  }
  return ours ? { ...answer, waits: true } : answer
}

/** Puts the request that is next. */
function put(dialogue: Dialogue, nowMs: number, tries: number): Ask<Dialogue> {
  const { settings, questions, at, dueMs, holdMs, breaker } = dialogue
  const { unit, timeoutMs, byteMs } = settings
  const { send, expect, answerSize } = questions[at] as Question
  const sentMs = nowMs + send.length * byteMs
  if (unit === 0) {
    const memory = { ...dialogue, at: at + 1, holdMs: sentMs + turnaroundMs }
    const wakeMs = memory.holdMs - nowMs
    return { memory, send, wakeMs, waits: true, breaker: breaker.state }
  }
  const untilMs = sentMs + answerSize * byteMs + timeoutMs
  const probing: Breaker =
    breaker.state === 'closed' ? breaker : { misses: breaker.misses, state: 'half-open' }
  const asked = { tries, untilMs }
  const memory = { settings, questions, at, dueMs, holdMs, asked, breaker: probing }
  return { memory, send, expect, wakeMs: untilMs - nowMs, waits: true, breaker: probing.state }
}

/** The plan is through: at the next slot it begins anew, slots that have passed are left out. */
function polled(dialogue: Dialogue, nowMs: number): Dialogue {
  const { settings, questions, holdMs, asked, breaker } = dialogue
  return { settings, questions, at: 0, dueMs: nextSlot(dialogue, nowMs), holdMs, asked, breaker }
}

/** Nobody answers: the rest of the plan is left for another time. */
function givenUp(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const after = missed(dialogue.breaker)
  const dueMs = Math.max(nextSlot(dialogue, nowMs), nowMs + after.pauseMs)
  const holdMs = nowMs + dialogue.settings.timeoutMs
  const own = { at: 0, dueMs, holdMs, asked: undefined, breaker: after.breaker }
  const memory = { ...dialogue, ...own }
  return { memory, wakeMs: Math.max(dueMs, holdMs) - nowMs, breaker: after.breaker.state }
}

function nextSlot({ dueMs, settings }: Dialogue, nowMs: number): number {
  return Math.max(dueMs + settings.everyMs, nowMs)
}

/** All slaves get this long to do what a broadcast says (MODBUS over Serial Line V1.02 §2.4.1: 100 to 200 ms). */
const turnaroundMs = 150
