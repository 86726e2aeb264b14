/** The bytes that `wayside decode` reads: raw, as hex digits, or a recording, from a file or standard input. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { fault } from '../faults.ts'
import { readRecording } from '../sense/recording.ts'

/** What tools print between bytes: 0x01, 0x04 or [01][04], 01-04, 01.04, "\x01\x04". */
const betweenDigits = /0x|\\x|[\s,:;.|<>()[\]{}"'-]/gi

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
  let held = ''
  const bytesIn = (text: string): Chunk => {
    const digits = odd + hexDigits(text)
    const whole = digits.length - (digits.length % 2)
    odd = digits.slice(whole)
    return { bytes: Buffer.from(digits.slice(0, whole), 'hex') }
  }
  for await (const chunk of stream) {
    held += (chunk as Buffer).toString('latin1')
    // What stands in a line tells how it is to be read; one without an end is read as far as it came.
    const end = held.length > lineMost ? held.search(/\S*$/) : held.lastIndexOf('\n') + 1
    if (end > 0) yield bytesIn(held.slice(0, end))
    held = held.slice(end)
  }
  yield bytesIn(held)
}

/** The digits of these lines, two to a byte. Throws an Error for what is none. */
export function hexDigits(text: string): string {
  const digits = text
    .replace(dumped, (_found, ...parts: string[]) => parts.slice(0, 2).find(Boolean) ?? '')
    .replace(/\b0x([0-9a-f])(?![0-9a-f])/gi, '0$1')
    .replace(betweenDigits, '')
  const [wrong] = /[^0-9a-f]/i.exec(digits) ?? []
  if (wrong === undefined) return digits
  throw new Error(`it is not hex digits: ${JSON.stringify(wrong)} is none`)
}

/** Lines of xxd, of hexdump -C, and the length that ends the latter: only the bytes are wanted. */
const dumped =
  /^[0-9a-f]{8}: ((?:[0-9a-f]{2,4} )*[0-9a-f]{2,4})(?: {2}.*)?$|^[0-9a-f]{8} {2}((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2}) *\|.*\|(?:\r?\n[0-9a-f]{8}(?=\r?\n|$))?$/gim

/** Longer than any line that a tool prints. */
const lineMost = 65_536

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
