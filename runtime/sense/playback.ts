/** A recording in the place of a port. */
import { readFile } from 'node:fs/promises'
import { fault } from '../faults.ts'
import { type OpenPort, openPort, type Port } from './port.ts'
import { type Recorded, readRecording, recordingScheme } from './recording.ts'
import { timer } from './timer.ts'

/** Opens a serial port, or a recording in its place. Throws the fault PORT_UNREADABLE. */
export const openPortOrRecording: OpenPort = async (line) => {
  if (!line.path.startsWith(recordingScheme)) return openPort(line)
  const path = line.path.slice(recordingScheme.length)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw fault('PORT_UNREADABLE', { path: line.path, why: (cause as Error).message }, cause)
  }
  const chunks = readRecording(text)
  if (typeof chunks === 'string') throw fault('PORT_UNREADABLE', { path: line.path, why: chunks })
  return play(chunks)
}

/** A recording as a port, from its beginning. */
export function play(chunks: readonly Recorded[]): Port {
  const { promise: closed, resolve: down } = Promise.withResolvers<undefined>()
  const roundMs = (chunks.at(-1)?.ms ?? 0) + betweenRoundsMs
  let take: ((chunk: Uint8Array) => void) | undefined
  let next = 0
  let elapsedMs = 0
  const due = timer(() => {
    elapsedMs = dueMs()
    take?.(chunks[next % chunks.length]?.bytes ?? new Uint8Array(0))
    next += 1
    due.set(dueMs() - elapsedMs)
  })
  const dueMs = () =>
    Math.floor(next / chunks.length) * roundMs + (chunks[next % chunks.length]?.ms ?? 0)

  return {
    closed,
    onData(listener) {
      take = listener
      due.set(dueMs() - elapsedMs)
    },
    write: async () => {},
    setRate: async () => {},
    async close() {
      take = undefined
      due.clear()
      down(undefined)
    },
  }
}

/** From the last chunk to the first of the next round: the period of most sensors. */
const betweenRoundsMs = 1_000
