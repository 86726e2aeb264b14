/**
 * A recording in the place of a port.
 *
 * Where nothing was asked it is played at the pace at which it came, over and over, and what is written to it
 * goes nowhere. Where something was, it answers: what came before the first question is said at the opening,
 * and each question is answered as it was in the recording, after the same while, with silence where there
 * was silence. A question is found by its bytes, from the place that was reached on and around the end; one
 * that was never asked is answered as the next in turn.
 */
import { fault } from '../faults.ts'
import { type OpenPort, openPort, type Port } from './port.ts'
import { loadRecording, type Recorded, recordingScheme } from './recording.ts'
import { timer } from './timer.ts'

/** Opens a serial port, or a recording in its place. Throws the fault PORT_UNREADABLE. */
export const openPortOrRecording: OpenPort = async (line) => {
  if (!line.path.startsWith(recordingScheme)) return openPort(line)
  const rows = loadRecording(line.path.slice(recordingScheme.length))
  if (typeof rows === 'string') throw fault('PORT_UNREADABLE', { path: line.path, why: rows })
  return play(rows)
}

/** A recording as a port, from its beginning. */
export function play(rows: readonly Recorded[]): Port {
  return rows.some(({ asked }) => asked) ? answer(rows) : repeat(rows)
}

type Chunk = { readonly afterMs: number; readonly bytes: Uint8Array }

function repeat(rows: readonly Recorded[]): Port {
  const chunks = spaced(rows, 0)
  const longestMs = chunks.slice(1).reduce((most, { afterMs }) => Math.max(most, afterMs), 0)
  const again = { ...chunks[0], afterMs: longestMs || betweenRoundsMs } as Chunk
  const round = [again, ...chunks.slice(1)]
  const voice = speaker(() => round)
  return { ...voice.port, onData: (take) => voice.begin(take, chunks), write: async () => {} }
}

function answer(rows: readonly Recorded[]): Port {
  const { unasked, exchanges } = exchangesOf(rows)
  const voice = speaker(() => [])
  let turn = 0
  return {
    ...voice.port,
    onData: (take) => voice.begin(take, unasked),
    async write(question) {
      const inTurn = exchanges.map((_, i) => (turn + i) % exchanges.length)
      const at = inTurn.find((i) => isSame(exchanges[i]?.question, question)) ?? turn
      turn = (at + 1) % exchanges.length
      voice.say(exchanges[at]?.answer ?? [])
    },
  }
}

/** Says one chunk after the other; `more` is what to say when all is said. */
function speaker(more: () => readonly Chunk[]) {
  const { promise: closed, resolve: down } = Promise.withResolvers<undefined>()
  let take: ((chunk: Uint8Array) => void) | undefined
  let chunks: readonly Chunk[] = []
  let next = 0
  const due = timer(() => {
    const now = chunks[next]
    next += 1
    if (next >= chunks.length) turnTo(more())
    if (now !== undefined) take?.(now.bytes)
    wait()
  })

  function turnTo(what: readonly Chunk[]) {
    chunks = what
    next = 0
  }

  function wait() {
    const chunk = chunks[next]
    if (chunk === undefined) due.clear()
    else due.set(chunk.afterMs)
  }

  return {
    begin(listener: (chunk: Uint8Array) => void, first: readonly Chunk[]) {
      take = listener
      turnTo(first)
      wait()
    },
    /** What is in the middle of being said is said to its end; what was to come later is not. */
    say(answer: readonly Chunk[]) {
      if (take === undefined) return
      const left = next === 0 ? [] : chunks.slice(next)
      const pause = left.findIndex(({ afterMs }) => afterMs > burstMs)
      const burst = pause < 0 ? left : left.slice(0, pause)
      turnTo([...burst, ...answer])
      // While a burst is said its next chunk is waited for already.
      if (burst.length === 0) wait()
    },
    port: {
      closed,
      setRate: async () => {},
      async close() {
        take = undefined
        due.clear()
        down(undefined)
      },
    },
  }
}

/** What came unasked at first, and each question with what came until the next. */
function exchangesOf(rows: readonly Recorded[]) {
  const starts = rows.flatMap(({ asked }, i) => (asked ? [i] : []))
  const exchanges = starts.map((start, i) => {
    const { ms = 0, bytes: question } = rows[start] ?? {}
    return { question, answer: spaced(rows.slice(start + 1, starts[i + 1]), ms) }
  })
  return { unasked: spaced(rows.slice(0, starts[0]), 0), exchanges }
}

/** Each chunk with the time since the one before it; the first since `fromMs`. */
function spaced(rows: readonly Recorded[], fromMs: number): Chunk[] {
  return rows.map(({ ms, bytes }, i) => ({ afterMs: ms - (rows[i - 1]?.ms ?? fromMs), bytes }))
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.from(a).equals(b)
}

/**
 * From the last chunk to the first of the next round, where none stands apart from another: the period of
 * most sensors. Otherwise it is the longest wait of the recording, so that no round ends in a silence that
 * never was.
 */
const betweenRoundsMs = 1_000

/** Chunks that stand closer are of one answer, however slow the adapter. */
const burstMs = 100
