/**
 * Reading a meter that must be asked (IEC 62056-21 §6.3, modes A and C), 7E1:
 *
 *   → 00 … 00                 wakes a meter with a battery: zeros for 2.2 s, then 1.6 s of silence
 *   → /?!                     anybody, or /?12345678! for one of several
 *   ← /ELS5\@V9.30            who it is; its fifth letter, 5, is the speed that it can: mode C
 *   → 06 0 0 0 CR LF          no longer than 1.5 s later: data please, at this speed (0 is 300 baud)
 *   ← STX … ETX BCC
 *
 * No digit for a speed means mode A: the data follow at once. The line stays at the speed at which it was
 * opened, for a driver cannot change it: a long block takes minutes at 300 baud. A meter of mode B (letters
 * A to I) changes by itself and is not heard any more.
 */
import type { Ask } from '../../runtime/sense/driver.ts'

export type Dialogue = {
  readonly everyMs: number
  /** Whom to ask; empty for anybody. */
  readonly address: string
  readonly wakes: boolean
  readonly baudRate: number
  readonly phase: Phase
  /** When the next step is due, and when the next question. */
  readonly dueMs: number
  readonly nextMs: number
}
type Phase = 'rest' | 'question' | 'answer' | 'named' | 'pause' | 'follows' | 'block'

const second = 1000
/** Zeros for at least 2.1 s, then 1.5 to 1.7 s of nothing (§6.3.1, annex B). */
const wakingMs = 2200
const wokenMs = 1600
/** §6.3.13: 200 to 1,500 ms from one side's end to the other's beginning. */
const reactionMs = 300
/** Question, reaction and identification are 60 characters at most. */
const answerMs = 6 * second
/** 16 KiB at 300 baud, ten bits a character. */
export const blockMs = 560 * second

export function beginDialogue(settings: Omit<Dialogue, 'phase' | 'dueMs' | 'nextMs'>): Dialogue {
  return { ...settings, phase: 'rest', dueMs: 0, nextMs: 0 }
}

/** A first line came: the meter waits for our choice, or (mode A) its data follow. */
export function named(dialogue: Dialogue, line: string): Dialogue {
  if (dialogue.phase !== 'answer' || line.startsWith('?')) return dialogue
  return { ...dialogue, phase: /^...[0-9]/.test(line) ? 'named' : 'follows' }
}

/** A block came: the reading is done. */
export function answered(dialogue: Dialogue): Dialogue {
  return { ...dialogue, phase: 'rest', dueMs: dialogue.nextMs }
}

export function turn(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { phase, dueMs, nextMs, everyMs } = dialogue
  if (phase === 'named') return step(dialogue, 'pause', nowMs, reactionMs)
  if (phase === 'follows') return step(dialogue, 'block', nowMs, blockMs)
  if (nowMs < dueMs) return { memory: dialogue, wakeMs: dueMs - nowMs }
  if (phase === 'pause')
    return { ...step(dialogue, 'block', nowMs, blockMs), send: optionSelect(dialogue) }
  if (phase === 'answer' || phase === 'block') {
    const waitMs = Math.max(nextMs - nowMs, second)
    return { ...step(dialogue, 'rest', nowMs, waitMs), doubt: 'no answer' }
  }
  if (phase === 'rest' && dialogue.wakes) {
    const begun = { ...dialogue, nextMs: nowMs + everyMs }
    return { ...step(begun, 'question', nowMs, wakingMs + wokenMs), send: zeros(dialogue.baudRate) }
  }
  const begun = phase === 'rest' ? { ...dialogue, nextMs: nowMs + everyMs } : dialogue
  return { ...step(begun, 'answer', nowMs, answerMs), send: ascii(`/?${dialogue.address}!\r\n`) }
}

function step(dialogue: Dialogue, phase: Phase, nowMs: number, wakeMs: number): Ask<Dialogue> {
  return { memory: { ...dialogue, phase, dueMs: nowMs + wakeMs }, wakeMs }
}

const speeds = [300, 600, 1200, 2400, 4800, 9600, 19_200]

/** Acknowledge: normal protocol, the speed of the line, data readout (§6.3.3). */
function optionSelect({ baudRate }: Dialogue): Uint8Array {
  return ascii(`\x060${Math.max(speeds.indexOf(baudRate), 0)}0\r\n`)
}

function zeros(baudRate: number): Uint8Array {
  return new Uint8Array(Math.ceil((baudRate / 10) * (wakingMs / second)))
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}
