/** Where `wayside buy` puts its readings: lines on stdout, evidence in a folder. */
import { once } from 'node:events'
import { join } from 'node:path'
import { csv, type Item, type Listing, ndjson } from '../buyer/index.ts'
import { atomicWrite } from '../disk/write.ts'

export type Sink = {
  /** Resolves when the line is out: a slow reader slows the buying, and loses nothing. */
  write(item: Item): Promise<void>
}

export async function sinkOf(
  { format, evidence }: { readonly format: 'ndjson' | 'csv'; readonly evidence?: string },
  listings: readonly Listing[],
): Promise<Sink> {
  const fields = listings.flatMap(({ streams }) =>
    streams.flatMap(({ terms }) => terms.fields.map(({ name }) => name)),
  )
  const table = format === 'csv' ? csv(fields) : undefined
  // RFC 4180 ends lines with CR LF.
  if (table !== undefined) await out(`${table.header}\r\n`)
  return {
    async write(item) {
      if (evidence !== undefined) await atomicWrite(join(evidence, fileOf(item)), item.evidence())
      await out(table === undefined ? `${ndjson(item)}\n` : `${table.line(item)}\r\n`)
    },
  }
}

function fileOf({ device, stream, epoch, index }: Item): string {
  return `${device}-${stream}-${epoch}-${index}.evidence`
}

async function out(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
