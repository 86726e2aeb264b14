/** Where `wayside buy` puts its readings: lines on stdout or in a file, evidence in a folder. */
import { join } from 'node:path'
import { csv, type Item, type Listing, ndjson } from '../buyer/index.ts'
import { atomicWrite, unwritten } from '../disk/write.ts'
import { type LineFormat, openOutFile, type Place } from './buyfile.ts'

export type Sink = {
  /**
   * Resolves when the line is out: a slow reader slows the buying, and loses nothing. Says that the reading
   * is done with when it is safe where it went.
   */
  write(item: Item): Promise<void>
  /** What was written is safe. */
  close(): Promise<void>
}

export type SinkOptions = {
  readonly format: 'ndjson' | 'csv'
  readonly evidence?: string
  readonly out?: string
  readonly resume?: boolean
}

export type SinkParts = {
  readonly listings: readonly Listing[]
  /** No other reading waits to be written. */
  readonly isIdle: () => boolean
  /** Told the last line of each stream that the file holds. */
  readonly ends: (last: ReadonlyMap<string, Place>) => void
}

export async function sinkOf(
  { format, evidence, out, resume = false }: SinkOptions,
  { listings, isIdle, ends }: SinkParts,
): Promise<Sink> {
  const lines = format === 'csv' ? csvLines(listings) : ndjsonLines
  const sink = out === undefined ? await toStdout(lines) : await toFile(out)
  if (evidence === undefined) return sink
  return {
    ...sink,
    async write(item) {
      await atomicWrite(join(evidence, fileOf(item)), item.evidence())
      await sink.write(item)
    },
  }

  async function toFile(path: string): Promise<Sink> {
    const file = await openOutFile(path, lines, { again: resume, isIdle })
    if (resume) ends(file.last)
    return file
  }
}

async function toStdout(lines: LineFormat): Promise<Sink> {
  if (lines.header !== undefined) await say(lines.header + lines.end)
  return {
    async write(item) {
      await say(lines.line(item) + lines.end)
      item.taken()
    },
    async close() {},
  }
}

const ndjsonLines: LineFormat = {
  end: '\n',
  begins: '{"device":"0x',
  quotes: false,
  line: ndjson,
  placeOf(line) {
    try {
      return placeIn(JSON.parse(line) as Partial<Place> | null)
    } catch {
      return undefined
    }
  },
}

/** RFC 4180 ends lines with CR LF. */
function csvLines(listings: readonly Listing[]): LineFormat {
  const fields = listings.flatMap(({ streams }) =>
    streams.flatMap(({ terms }) => terms.fields.map(({ name }) => name)),
  )
  const { header, line } = csv(fields)
  return {
    ...{ header, line, end: '\r\n', begins: `${header}\r\n`, quotes: true },
    placeOf(text) {
      // What comes before the values needs no quotes.
      const [device, stream, , , epoch = '', index = ''] = text.split(',')
      if (!/^\d+$/.test(epoch) || !/^\d+$/.test(index)) return undefined
      return placeIn({ device, stream, epoch: Number(epoch), index: Number(index) })
    },
  }
}

type Loose = { readonly [Name in keyof Place]?: unknown }

function placeIn(found: Loose | null): Place | undefined {
  const { device, stream, epoch, index } = found ?? {}
  const isOurs = typeof device === 'string' && /^0x[0-9a-f]{40}$/.test(device)
  if (!isOurs || typeof stream !== 'string') return undefined
  if (typeof epoch !== 'number' || typeof index !== 'number') return undefined
  return { device, stream, epoch, index }
}

function fileOf({ device, stream, epoch, index }: Item): string {
  return `${device}-${stream}-${epoch}-${index}.evidence`
}

/** Resolves when the system has it. */
function say(text: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(text, (error) =>
      error == null ? done() : fail(unwritten('stdout', error)),
    )
  })
}
