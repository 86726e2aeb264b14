/** The bytes that `wayside decode` reads: raw, as hex digits, or a recording, from a file or standard input. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { fault } from '../faults.ts'
import { readRecording } from '../sense/recording.ts'

/** What tools print between bytes: 0x01, 0x04 or [01][04], 01-04, 01.04, "\x01\x04". */
export const betweenDigits = /0x|\\x|[\s,:;.|<>()[\]{}"'-]/gi

/** Bytes of the line; `asked` were written to it. */
export type Chunk = { readonly bytes: Uint8Array; readonly asked?: true }

/** The input in chunks; `-` is standard input. Throws the fault INPUT_UNREADABLE. */
export async function* chunksOf(path: string, hex: boolean): AsyncGenerator<Chunk> {
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path)
  try {
    yield* hex ? fromHex(stream) : rawOrRecorded(stream)
  } catch (error) {
    throw fault('INPUT_UNREADABLE', { path, why: (error as Error).message }, error)
  }
}

async function* fromHex(stream: Readable): AsyncGenerator<Chunk> {
  let odd = ''
  for await (const chunk of stream) {
    const digits = odd + (chunk as Buffer).toString('latin1').replace(betweenDigits, '')
    if (/[^0-9a-f]/i.test(digits)) throw new Error('it is not hex digits')
    const whole = digits.length - (digits.length % 2)
    odd = digits.slice(whole)
    yield { bytes: Buffer.from(digits.slice(0, whole), 'hex') }
  }
}

/** No sensor begins as a recording does; one is read to its end before its first byte. */
async function* rawOrRecorded(stream: Readable): AsyncGenerator<Chunk> {
  let recorded: Buffer[] | undefined
  let first = true
  for await (const bytes of stream) {
    if (first && (bytes as Buffer).subarray(0, head.length).equals(head)) recorded = []
    first = false
    if (recorded === undefined) yield { bytes }
    else recorded.push(bytes)
  }
  if (recorded === undefined) return
  const rows = readRecording(Buffer.concat(recorded).toString())
  if (typeof rows === 'string') throw new Error(rows)
  yield* rows
}

const head = Buffer.from('{"recording":')
