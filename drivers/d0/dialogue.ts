/**
 * Reading a meter that must be asked (IEC 62056-21 §6.3, modes A, B and C), 7E1, 300 baud to begin with:
 *
 *   → 00 … 00                 wakes a meter with a battery: zeros for 2.2 s, then 1.6 s of silence
 *   → /?!                     anybody, or /?12345678! for one of several
 *   ← /ELS5\@V9.30            who it is; its fourth character is the speed that it can, and the mode:
 *
 *         0 … 6   mode C   300 600 1200 2400 4800 9600 19200: changes when we agree to it, else it stays
 *         A … F   mode B       600 1200 2400 4800 9600 19200: changes by itself
 *         other   mode A   sends as it is
 *
 *   → 06 0 5 0 CR LF          mode C, no longer than 1.5 s later: data please, at this speed; 0 is to stay
 *   ← STX … ETX BCC           at that speed; then both are at the first speed again
 *
 * A meter that says a speed and sends at the first all the same is heard as noise. When two blocks in a row
 * did not come at their speed, mode C is asked to stay at the first and the others are heard at it, until
 * a block does not come there either.
 */
import type { Ask } from '../../runtime/sense/driver.ts'

export type Dialogue = Settings & {
  readonly phase: Phase
  /** The speed that the meter named, while its block is awaited. */
  readonly named?: Speed
  /** What the line runs at now. */
  readonly rate: number
  /** How many blocks in a row did not come at the speed that their meter named. */
  readonly lost: number
  /** When the next step is due, and when the next question. */
  readonly dueMs: number
  readonly nextMs: number
}
export type Settings = {
  readonly everyMs: number
  /** Whom to ask; empty for anybody. */
  readonly address: string
  readonly wakes: boolean
  /** The speed at which the line is opened, and every question asked. */
  readonly baudRate: number
  /** A meter of mode C that can do more stays at the first speed. */
  readonly fastest: number
}
type Phase = 'rest' | 'question' | 'answer' | 'named' | 'pause' | 'block'
type Speed = { readonly mode: 'A' | 'B' | 'C'; readonly baudRate: number }

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
/** A meter that thinks between its lines is waited for, however fast it speaks. */
const blockLeastMs = 60 * second
/** So many in a row and the meter is heard at the first speed. */
const lostMost = 2

export const speeds: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19_200]

export function beginDialogue(settings: Settings): Dialogue {
  return { ...settings, phase: 'rest', rate: settings.baudRate, lost: 0, dueMs: 0, nextMs: 0 }
}

/** A first line came: the meter waits for our choice, or (modes A and B) its data follow. */
export function named(dialogue: Dialogue, line: string): Dialogue {
  if (dialogue.phase !== 'answer' || line.startsWith('?')) return dialogue
  return { ...dialogue, phase: 'named', named: speedOf(line, dialogue) }
}

/** A block came: the reading is done. */
export function answered(dialogue: Dialogue): Dialogue {
  const { rate, baudRate } = dialogue
  const lost = rate === baudRate ? dialogue.lost : 0
  return { ...dialogue, phase: 'rest', lost, dueMs: dialogue.nextMs }
}

export function turn(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { phase, dueMs, everyMs } = dialogue
  if (phase === 'named') return choose(dialogue, nowMs)
  if (phase === 'rest' && dialogue.rate !== dialogue.baudRate) return goBack(dialogue, nowMs)
  if (nowMs < dueMs) return { memory: dialogue, wakeMs: dueMs - nowMs }
  if (phase === 'pause') {
    const { baudRate } = speedFor(dialogue)
    return { ...hear(dialogue, nowMs), send: optionSelect(baudRate) }
  }
  if (phase === 'answer' || phase === 'block') return missed(dialogue, nowMs)
  if (phase === 'rest' && dialogue.wakes) {
    const begun = { ...dialogue, nextMs: nowMs + everyMs }
    return { ...step(begun, 'question', nowMs, wakingMs + wokenMs), send: zeros(dialogue.baudRate) }
  }
  const begun = phase === 'rest' ? { ...dialogue, nextMs: nowMs + everyMs } : dialogue
  return { ...step(begun, 'answer', nowMs, answerMs), send: ascii(`/?${dialogue.address}!\r\n`) }
}

/** Mode C waits for our choice, after a pause; the others are heard at once. */
function choose(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  if (dialogue.named?.mode === 'C') return step(dialogue, 'pause', nowMs, reactionMs)
  return hear(dialogue, nowMs)
}

/** Awaits the block, at the speed at which it will come. */
function hear(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { baudRate } = speedFor(dialogue)
  const waitMs = Math.max(blockLeastMs, Math.ceil((blockMs * 300) / baudRate))
  const turned = step({ ...dialogue, rate: baudRate }, 'block', nowMs, waitMs)
  return baudRate === dialogue.rate ? turned : { ...turned, baudRate }
}

/** Nobody said who it is, or the block did not come. */
function missed(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { phase, rate, baudRate, nextMs } = dialogue
  const lost = phase === 'answer' ? dialogue.lost : rate === baudRate ? 0 : dialogue.lost + 1
  const rested = step({ ...dialogue, lost }, 'rest', nowMs, Math.max(nextMs - nowMs, second))
  const turned = rate === baudRate ? rested : goBack(rested.memory, nowMs)
  return { ...turned, doubt: 'no answer' }
}

/** The next question is asked at the first speed, and not before the line runs at it. */
function goBack(dialogue: Dialogue, nowMs: number): Ask<Dialogue> {
  const { baudRate } = dialogue
  const waitMs = Math.max(dialogue.dueMs - nowMs, second)
  return { ...step({ ...dialogue, rate: baudRate }, 'rest', nowMs, waitMs), baudRate }
}

function step(dialogue: Dialogue, phase: Phase, nowMs: number, wakeMs: number): Ask<Dialogue> {
  return { memory: { ...dialogue, phase, dueMs: nowMs + wakeMs }, wakeMs }
}

/** The mode of a meter and the speed that it names, by the fourth character of its first line (§6.3.14). */
function speedOf(line: string, { baudRate }: Settings): Speed {
  const letter = line[3] ?? ''
  const digit = '0123456789'.indexOf(letter)
  // 7, 8 and 9 are reserved: of such a meter all that is known is the first speed.
  if (letter !== '' && digit >= 0) return { mode: 'C', baudRate: speeds[digit] ?? baudRate }
  const change = letter === '' ? -1 : 'ABCDEF'.indexOf(letter)
  if (change >= 0) return { mode: 'B', baudRate: speeds[change + 1] ?? baudRate }
  return { mode: 'A', baudRate }
}

/** At which speed its block is to come: as it says, unless that is too fast or was in vain. */
function speedFor({ named, baudRate, fastest, lost }: Dialogue): { readonly baudRate: number } {
  if (named === undefined || lost >= lostMost) return { baudRate }
  return named.mode === 'C' && named.baudRate > fastest ? { baudRate } : named
}

/** Acknowledge: normal protocol, the speed, data readout (§6.3.3). */
function optionSelect(baudRate: number): Uint8Array {
  const digit = speeds.indexOf(baudRate)
  return ascii(`\x060${Math.max(digit, 0)}0\r\n`)
}

function zeros(baudRate: number): Uint8Array {
  return new Uint8Array(Math.ceil((baudRate / 10) * (wakingMs / second)))
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}
