/**
 * Sentences per CPU second: our NMEA driver against the parsers of npm and gpsd's gpsdecode.
 *
 * All hear the same bytes in the same run. Ours are handed chunks of 4 KiB, as from a port, and cut them; the
 * parsers of npm are handed whole lines, cut for nothing. `npm ci --prefix bench/peers` installs them,
 * `apt install gpsd-clients` gpsdecode; what is not there is left out by name.
 *
 * The work is alike, not the same. Ours finds the sentences in the bytes, doubts a wrong checksum and every
 * field out of its form or range, turns units into SI and completes times with a date; nmea-simple checks
 * the checksum and reads numbers as they stand; gps also keeps a picture of the sky; gpsdecode starts a
 * process, reports a moment at a time and prints it as JSON.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nmea0183 } from '../drivers/nmea0183/index.ts'
import { decoder } from '../runtime/sense/decoder.ts'
import { readOptions } from '../runtime/sense/options.ts'
import type { Figure } from './figure.ts'

const peers = createRequire(new URL('./peers/package.json', import.meta.url))
const capture = fileURLToPath(
  new URL('../test/captures/nmea0183/pygpsdata-nmea4.log', import.meta.url),
)

/** Sentences that every one of the parsers knows. */
const known = /^\$G[A-Z](GGA|RMC|GSA|GSV|GLL|VTG),[ -~]*\*[0-9A-F]{2}$/

const sentences = 40_000
const rounds = 5
const chunkBytes = 4096

export async function bench(): Promise<Figure[]> {
  const lines = corpus()
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(''))
  const parsers = npmParsers()
  const best = new Map<string, number>()
  const read = new Map([['gpsdecode', lines.length]])
  for (let round = 0; round < rounds; round += 1) {
    keep(
      best,
      'ours',
      cpuSeconds(() => read.set('ours', ours(bytes))),
    )
    for (const [name, parse] of parsers) {
      keep(
        best,
        name,
        cpuSeconds(() => read.set(name, each(lines, parse))),
      )
    }
  }
  const decoded = gpsdecode(bytes)
  if (decoded !== undefined) best.set('gpsdecode', decoded)
  else console.error('gpsdecode is not on this machine')
  const rate = (name: string) => (read.get(name) ?? 0) / (best.get(name) ?? Number.NaN)
  const fastest = Math.max(...parsers.map(([name]) => rate(name)))
  return [
    ...[...best.keys()].map((name) => ({
      ...{ name: `NMEA sentences per CPU second, ${name}`, value: rate(name) },
      ...{ unit: '1/s', goal: 'published' },
    })),
    ...(parsers.length === 0
      ? []
      : [ratio('NMEA, ours over the fastest npm parser', rate('ours') / fastest, 'aim 2')]),
    ...(decoded === undefined
      ? []
      : [ratio('NMEA, ours over gpsdecode', rate('ours') / rate('gpsdecode'), 'aim 0.5')]),
  ]
}

function ratio(name: string, value: number, goal: string): Figure {
  return { name, value, unit: 'times', goal }
}

/** The sentences of a real receiver, over and over. */
function corpus(): string[] {
  const found = readFileSync(capture, 'latin1')
    .split(/\r?\n/)
    .filter((line) => known.test(line))
  return Array.from({ length: sentences }, (_, i) => found[i % found.length] ?? '')
}

/** How many sentences said something. */
function ours(bytes: Uint8Array): number {
  const work = decoder(nmea0183, readOptions(nmea0183))
  let said = 0
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    said += work.push(bytes.subarray(at, at + chunkBytes)).filter((one) => one.said.ok).length
  }
  return said
}

type Parse = (line: string) => unknown

/** How many it made something of: one that gives up is fast. */
function each(lines: readonly string[], parse: Parse): number {
  let read = 0
  for (const line of lines) {
    try {
      if (parse(line)) read += 1
    } catch {
      // Some throw at a sentence that they do not know.
    }
  }
  return read
}

function npmParsers(): [string, Parse][] {
  const found: [string, Parse][] = []
  for (const [name, open] of Object.entries(openers)) {
    try {
      found.push([name, open(peers(name))])
    } catch (error) {
      console.error(`${name} is left out: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return found
}

// biome-ignore lint/suspicious/noExplicitAny: these packages are not installed where types are checked
const openers: Readonly<Record<string, (module: any) => Parse>> = {
  'nmea-simple': ({ parseNmeaSentence }) => parseNmeaSentence,
  gps: (module) => {
    const receiver = new (module.GPS ?? module.default ?? module)()
    return (line) => receiver.update(line)
  },
  '@signalk/nmea0183-signalk': (module) => {
    const parser = new (module.default ?? module)()
    return (line) => parser.parse(line)
  },
}

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function keep(best: Map<string, number>, name: string, seconds: number): void {
  best.set(name, Math.min(seconds, best.get(name) ?? Number.POSITIVE_INFINITY))
}

/** CPU seconds of gpsdecode over these bytes, best of the rounds; undefined when it is not there. */
function gpsdecode(bytes: Uint8Array): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-gpsdecode-'))
  const file = join(folder, 'track.nmea')
  writeFileSync(file, bytes)
  const found: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    // `times` of the shell: its own user and system time, then those of its children.
    const script = 'gpsdecode < "$1" > /dev/null && times'
    const { status, stdout } = spawnSync('sh', ['-c', script, 'sh', file], { encoding: 'utf8' })
    if (status !== 0) break
    const children = stdout.trim().split('\n')[1] ?? ''
    const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    found.push(parts.reduce((sum, [, min, s]) => sum + 60 * Number(min) + Number(s), 0))
  }
  rmSync(folder, { recursive: true })
  return found.length === 0 ? undefined : Math.min(...found)
}
