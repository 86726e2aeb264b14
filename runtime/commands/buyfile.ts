/**
 * The file of `wayside buy --out`. Readings are appended to it, and are done with once they are on the
 * disk: so the books are never ahead of the file, whatever is unplugged when. What a cut left of the last
 * lines is taken off at the next start and comes again; what came whole and was not said to be done with
 * does not.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Item } from '../buyer/index.ts'
import { atomicWrite, makeFolder, syncFolder, unwritten } from '../disk/write.ts'
import { fault } from '../faults.ts'
import type { Sink } from './buysink.ts'

/** How lines are written and read back. */
export type LineFormat = {
  /** Stands before the first line of a file. */
  readonly header?: string
  readonly end: string
  /** How every file of ours begins. */
  readonly begins: string
  /** A line end within quotes is none. */
  readonly quotes: boolean
  line(item: Item): string
  /** What a line is of; undefined when it is none of ours. */
  placeOf(line: string): Place | undefined
}

/** Which reading a line is of: as in the line itself. */
export type Place = {
  readonly device: string
  readonly stream: string
  readonly epoch: number
  readonly index: number
}

export type OutFile = Sink & {
  /** The last line that stands there of each stream, by device and stream. */
  readonly last: ReadonlyMap<string, Place>
}

/** So much is written before it is synced, and so much at the end of a file may be torn. */
const unsyncedMax = 1 << 20
const tailBytes = 8 << 20

/** Opens or makes the file. Throws OUT_FOREIGN, FILE_UNWRITTEN. */
export async function openOutFile(
  path: string,
  format: LineFormat,
  { again, isIdle }: { readonly again: boolean; readonly isIdle: () => boolean },
): Promise<OutFile> {
  const file = await opened(path)
  try {
    const { places, last } = await mend(file, path, format)
    const known = again ? new Set(places.map(nameOf)) : new Set<string>()
    return { last, ...appending(file, path, format, known, isIdle) }
  } catch (cause) {
    await file.close()
    throw cause
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    await makeFolder(dirname(resolve(path)))
    const file = await open(path, 'a+')
    await syncFolder(dirname(resolve(path)))
    return file
  } catch (cause) {
    throw unwritten(path, cause)
  }
}

function appending(
  file: FileHandle,
  path: string,
  format: LineFormat,
  known: Set<string>,
  isIdle: () => boolean,
): Sink {
  let waiting: Item[] = []
  let bytes = 0
  // A file that begins with a whole line is known as ours, whatever becomes of the lines behind it.
  let isFirst = true
  const settle = async () => {
    if (bytes > 0) await file.datasync()
    for (const item of waiting) item.taken()
    waiting = []
    bytes = 0
  }
  return {
    async write(item) {
      try {
        // Written by a run that died before it could say so.
        if (!known.delete(nameOf(item))) {
          bytes += await append(file, format.line(item) + format.end)
        }
        waiting.push(item)
        if (isFirst || isIdle() || bytes >= unsyncedMax) await settle()
        isFirst = false
      } catch (cause) {
        throw unwritten(path, cause)
      }
    },
    async close() {
      try {
        await settle()
      } catch (cause) {
        throw unwritten(path, cause)
      } finally {
        await file.close()
      }
    },
  }
}

function nameOf({ device, stream, epoch, index }: Place): string {
  return `${device}/${stream}/${epoch}/${index}`
}

/** Takes off what is torn at the end, and reads back what stands before it. */
async function mend(file: FileHandle, path: string, format: LineFormat) {
  const { size } = await file.stat()
  const places: Place[] = []
  const last = new Map<string, Place>()
  let good = format.quotes ? 0 : Math.max(0, size - tailBytes)
  const from = good
  let lines = 0
  for await (const { text, endsAt, startsAt } of recordsOf(file, from, size, format.quotes)) {
    const isHeader = startsAt === 0 && text === format.header
    const place = isHeader ? undefined : format.placeOf(text)
    lines += 1
    // In the middle of a line, where we happened to begin to read.
    const isCut = startsAt === from && from > 0
    if (place === undefined && !isHeader && !isCut) break
    good = endsAt
    if (place === undefined) continue
    if (size - startsAt <= tailBytes) places.push(place)
    last.set(`${place.device}/${place.stream}`, place)
  }
  const isOurs = good > from || (from === 0 && (await isTornFirst(file, format, lines)))
  if (size > 0 && (!isOurs || size - good > tailBytes)) throw fault('OUT_FOREIGN', { path })
  if (good < size) await cut(file, path, good, size)
  if (good === 0 && format.header !== undefined) await append(file, format.header + format.end)
  return { places, last }
}

/** Whether a file without a line of ours is our first one, torn: a piece of it, or zeros in its place. */
async function isTornFirst(
  file: FileHandle,
  { begins }: LineFormat,
  lines: number,
): Promise<boolean> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(begins.length), 0, begins.length, 0)
  const head = buffer.subarray(0, bytesRead)
  if (head.every((byte) => byte === 0)) return true
  return lines === 0 && begins.startsWith(head.toString('latin1').replace(/\0+$/, ''))
}

/** Writes all of it at the end; returns how many bytes that were. */
async function append(file: FileHandle, text: string): Promise<number> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
  }
  return bytes.length
}

/** What is taken off is kept beside, for whoever misses it. */
async function cut(file: FileHandle, path: string, from: number, size: number): Promise<void> {
  const rest = new Uint8Array(size - from)
  await file.read(rest, 0, rest.length, from)
  await atomicWrite(`${path}.torn`, rest)
  try {
    await file.truncate(from)
    await file.datasync()
  } catch (cause) {
    throw unwritten(path, cause)
  }
}

type Record = { readonly text: string; readonly startsAt: number; readonly endsAt: number }

/** The lines from there on, without their ends; what comes behind the last line end is none. */
async function* recordsOf(
  file: FileHandle,
  from: number,
  size: number,
  quotes: boolean,
): AsyncGenerator<Record> {
  const chunk = new Uint8Array(1 << 16)
  let line: number[] = []
  let startsAt = from
  let within = false
  for (let at = from; at < size; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) return
    for (let i = 0; i < bytesRead; i += 1) {
      const byte = chunk[i] as number
      if (quotes && byte === quote) within = !within
      if (byte !== newline || within) {
        line.push(byte)
        if (line.length > tailBytes) return
        continue
      }
      const text = new TextDecoder().decode(new Uint8Array(line))
      yield { text: text.endsWith('\r') ? text.slice(0, -1) : text, startsAt, endsAt: at + i + 1 }
      line = []
      startsAt = at + i + 1
    }
    at += bytesRead
  }
}

const [newline, quote] = [0x0a, 0x22]
