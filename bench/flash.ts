/**
 * What the card must bear: bytes that the kernel writes for each reading kept, signed, sealed and sent,
 * with commits every 2 s and epochs of 10 s. Counted for this process by Linux (/proc/self/io).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTables } from '../runtime/store/tables.ts'
import type { Figure } from './figure.ts'

const minutes = 20
const packBytes = 220

export async function flash(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [streams, perSecond] of [
    [3, 1],
    [1, 10],
  ] as const) {
    const bytes = await written(streams, perSecond)
    if (bytes === undefined) continue
    const of = `${streams === 1 ? 'one stream' : `${streams} streams`} at ${perSecond}/s`
    const perDay = (bytes * streams * perSecond * 86_400) / 1e9
    figures.push(
      { name: `bytes written a reading, ${of}`, value: bytes, unit: 'B', goal: 'as measured' },
      { name: `of it, a day, ${of}`, value: perDay, unit: 'GB', goal: 'as measured' },
    )
  }
  return figures
}

/** Bytes a reading, or undefined where the kernel does not count. */
async function written(streams: number, perSecond: number): Promise<number | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-flash-'))
  const { tables, close } = openTables(join(folder, 'store.db'), { commitHoldMs: 0 })
  const before = await writtenBytes()
  let sent = 0
  for (let second = 2; second <= minutes * 60; second += 2) {
    const number = Math.ceil(second / 10)
    const names = Array.from({ length: streams }, (_, i) => `stream${i}`)
    if (second % 10 !== 0) {
      const gains = names.map((stream) => gain(stream, number, 2 * perSecond))
      tables.commit({ gains, sealed: [], messages: [], audits: [] })
      continue
    }
    // Epochs of different streams seldom close in one moment.
    for (const stream of names) {
      const sealed = [header(stream, number, 10 * perSecond)]
      tables.commit({ gains: [], sealed, messages: [], audits: [] })
      const rows = tables.outgoing(sent, 10, 1_000_000)
      sent = rows.at(-1)?.id ?? sent
      tables.sent(rows.map(({ id }) => id))
    }
  }
  close()
  const after = await writtenBytes()
  await rm(folder, { recursive: true })
  if (before === undefined || after === undefined) return undefined
  return (after - before) / (minutes * 60 * streams * perSecond)
}

async function writtenBytes(): Promise<number | undefined> {
  const text = await readFile('/proc/self/io', 'utf8').catch(() => '')
  const found = /^write_bytes: (\d+)$/m.exec(text)
  return found === null ? undefined : Number(found[1])
}

function gain(stream: string, number: number, readings: number) {
  const opening = { stream, generation: 1, number, previous: hash, boot, terms: hash, setup: hash }
  const times = { openedMonotonicMs: 1e6, openedWallMs: 1.79e12 }
  const head = { count: readings, root: hash, headMonotonicMs: 1e6, headWallMs: 1.79e12 }
  const signature = new Uint8Array(65)
  const open = { ...opening, ...times, ...head, clock: 'synced' as const, signature }
  return { open, packs: new Uint8Array(packBytes * readings) }
}

function header(stream: string, number: number, readings: number) {
  return {
    stream,
    generation: 1,
    number,
    kind: 'readings',
    count: readings,
    coveredMs: 10_000,
    boot,
    openedMonotonicMs: 1e6,
    openedWallMs: 1.79e12,
    closedMonotonicMs: 1e6,
    closedWallMs: 1.79e12,
    terms: hash,
    hash,
    message: new Uint8Array(385 + Math.ceil((packBytes * readings) / 256 + 1) * 256),
    topic: `wayside/1/0x${'5a'.repeat(20)}/s/${stream}/epoch`,
  }
}

const hash = new Uint8Array(32)
const boot = '00112233445566778899aabbccddeeff'
