/**
 * Sentences per CPU second: our NMEA driver against the parsers of npm and gpsd's gpsdecode.
 *
 * All hear the same bytes in the same run. Ours are handed chunks of 4 KiB, as from a port, and cut them.
 * The parsers of npm know lines only, so they are measured twice: handed whole lines, cut for nothing;
 * and behind serialport's ReadlineParser, which is handed the same chunks, as nmea-simple's own page has
 * it on a port. `npm ci --prefix bench/peers` installs them, `apt install gpsd-clients` gpsdecode; what
 * is not there is left out by name.
 *
 * The work is alike, not the same. Ours finds the sentences in the bytes, doubts a wrong checksum and
 * every field out of its form or range, turns units into SI and completes times with a date; nmea-simple
 * checks the checksum and reads numbers as they stand; gps also keeps a picture of the sky; gpsdecode
 * starts a process, reports a moment at a time and prints it as JSON.
 *
 * Of our time a fifth goes into the cutting, a sixth into finding the fields, and the rest into what they
 * say; most of them are short numbers, which the table reads without a call for each.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
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
/** The best counts: in the first few an engine compiles, on the CPU that is measured. */
const rounds = 12
const chunkBytes = 4096

export async function bench(): Promise<Figure[]> {
  const lines = corpus()
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(''))
  const parsers = npmParsers()
  const contenders: Contender[] = [
    ['ours', () => ours(bytes)],
    ...parsers.map(([name, parse]): Contender => [name, () => each(lines, parse)]),
    ...parsers.map(([name, parse]): Contender => [behind(name), () => cutAndEach(bytes, parse)]),
  ]
  const rates = new Map<string, number>()
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of contenders) {
      const before = process.cpuUsage()
      const read = await work()
      const { user, system } = process.cpuUsage(before)
      rates.set(name, Math.max(rates.get(name) ?? 0, (1e6 * read) / (user + system)))
    }
  }
  const decoded = gpsdecode(bytes)
  if (decoded !== undefined) rates.set('gpsdecode', lines.length / decoded)
  else console.error('gpsdecode is not on this machine')
  const over = (names: readonly string[]) =>
    (rates.get('ours') ?? 0) / Math.max(...names.map((name) => rates.get(name) ?? Number.NaN))
  const names = parsers.map(([name]) => name)
  const whole = over(names)
  const cut = over(names.map(behind))
  return [
    ...[...rates].map(([name, value]) => ({
      ...{ name: `NMEA sentences per CPU second, ${name}`, value, unit: '1/s', goal: 'published' },
    })),
    ...(names.length === 0
      ? []
      : [
          ratio(
            'NMEA, ours over the fastest npm parser, its lines cut for nothing',
            whole,
            'aim 2',
          ),
          ratio('NMEA, ours over the fastest npm parser, each cutting its lines', cut, 'aim 2'),
        ]),
    ...(decoded === undefined
      ? []
      : [ratio('NMEA, ours over gpsdecode', over(['gpsdecode']), 'aim 0.5')]),
  ]
}

/** A name, and work that says of how many sentences it made something. */
type Contender = readonly [name: string, work: () => number | Promise<number>]

function behind(name: string): string {
  return `${name} behind ReadlineParser`
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
    for (const one of work.push(bytes.subarray(at, at + chunkBytes))) if (one.said.ok) said += 1
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

/** The same for lines that serialport's own parser cuts from the chunks. */
async function cutAndEach(bytes: Uint8Array, parse: Parse): Promise<number> {
  const { ReadlineParser } = peers('@serialport/parser-readline')
  const lines = new ReadlineParser({ delimiter: '\r\n' })
  let read = 0
  lines.on('data', (line: string) => {
    try {
      if (parse(line)) read += 1
    } catch {
      // As above.
    }
  })
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const room = lines.write(bytes.subarray(at, at + chunkBytes))
    if (!room) await once(lines, 'drain')
  }
  lines.end()
  await once(lines, 'end')
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
