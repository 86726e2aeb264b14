/**
 * NMEA 0183: satellite receivers and ships' instruments, any talker.
 *
 *   $GNRMC,103607.00,A,5327.03942,N,10214.42462,W,0.046,,060321,,,A,V*0E\r\n
 *   └ start, talker (2), sentence (3)   fields, any may be empty      └ exclusive or of what is between
 *
 * Values come out in SI units and degrees. One sentence decodes alone; sentences that tell the same UTC
 * time, and those without a time among them, are one moment. A sentence with no checksum is a doubt unless
 * `checksum: optional`, because nothing would notice a flipped bit in it. UBX, RTCM and other binary
 * messages between the sentences are given up byte by byte.
 *
 * What can go wrong, and what then happens:
 *   noise on the line         bad checksum, a doubt; a `$` inside starts a new sentence
 *   no fix                    `valid: false` or `fix: 0`, and no position: never the last known one
 *   proprietary sentence      doubt `unknown sentence`, unless it stands in gnss.ts
 *   a field nobody can mean   doubt `bad field`: the rest of the sentence is not trusted either
 *   receiver unplugged        no sentence for 5 s; the port is opened anew (silenceMs)
 */
import {
  choice,
  defineDriver,
  doubt,
  type Saying,
  type Step,
  textLine,
  uncheckedField,
  word,
  xor8,
} from '../../runtime/sense/driver.ts'
import { ascii, commaIn, fieldsOf } from './cells.ts'
import { gnssFields, marineFields } from './fields.ts'
import { gnss } from './gnss.ts'
import { marine } from './marine.ts'
import { moments } from './moment.ts'
import { readSentence, type Sentence } from './sentence.ts'
import { dated } from './time.ts'

type Memory = {
  readonly needsChecksum: boolean
  readonly sentences: ReadonlyMap<string, Sentence>
  readonly talker?: string
  /** The last instant a sentence with a date told, ms since 1970. */
  readonly lastMs?: number
}

export const nmea0183 = defineDriver<Memory>({
  id: 'nmea0183',
  title: 'NMEA 0183: GNSS receivers and marine instruments',
  models: { gnss: { sentences: 'gnss' } },
  serial: { baudRate: 9600 },
  otherBaudRates: [4800, 38_400, 115_200, 57_600, 19_200],
  warmUpMs: 0,
  silenceMs: 5_000,
  options: {
    checksum: choice('what becomes of sentences without one', ['required', 'optional'], 'required'),
    sentences: choice('which sentences to read', ['all', 'gnss'], 'all'),
    talker: word('read only this talker', /^[A-Z0-9]{2}$/, 'two capital letters or digits'),
  },
  fields: { ...gnssFields, ...marineFields, ...uncheckedField },
  fieldsWith: ({ sentences, checksum }) => {
    const read = sentences === 'gnss' ? gnssFields : { ...gnssFields, ...marineFields }
    const measures = Object.keys(read).filter((name) => !read[name]?.detail)
    return checksum === 'optional' ? [...measures, 'unchecked'] : measures
  },
  check: 'exclusive or of the bytes, 8 bits',
  shape: textLine({ starts: '$!', sizeMax: 1024, size: sentenceSize, flaw: checksumFlaw }),
  begin: ({ checksum, sentences, talker }) => ({
    needsChecksum: checksum === 'required',
    sentences: sentences === 'gnss' ? gnssSentences : allSentences,
    ...(typeof talker === 'string' && { talker }),
  }),
  decode,
  moments,
})

function decode(frame: Uint8Array, memory: Memory): Step<Memory> {
  const star = starOf(frame)
  const unchecked = star === frame.length
  if (unchecked && memory.needsChecksum) return { memory, said: doubt('no checksum') }
  const comma = commaIn(frame, 1, star)
  const address = ascii(frame, 1, comma)
  const { talker, type } = named(address, frame, comma, star)
  const sentence = memory.sentences.get(type)
  if (sentence === undefined || frame[0] !== dollar) {
    return { memory, said: doubt('unknown sentence', address) }
  }
  if (memory.talker !== undefined && memory.talker !== talker) {
    return { memory, said: doubt('talker not asked for', talker) }
  }
  const read = readSentence(sentence, fieldsOf(frame, 1, star), { talker, type })
  if (typeof read === 'string') return { memory, said: doubt(read, address) }
  if ('wrong' in read) return { memory, said: doubt('bad field', `${address} ${read.wrong}`) }
  const { values, date, subject, units } = read
  const said: Draft = { ok: true, values }
  if (subject !== undefined) said.subject = subject
  if (units !== undefined) said.units = units
  if (unchecked) said.unchecked = true
  if (typeof values.time !== 'string') return { memory, said }
  const instant = dated(values.time, date, memory.lastMs)
  if (instant === undefined) return { memory, said }
  values.time = instant.text
  said.time = instant.text
  // A receiver without a fix may tell any date; it must not date the sentences after it.
  const trusted = date === undefined || values.valid !== false
  if (!trusted || instant.ms === memory.lastMs) return { memory, said }
  return { memory: { ...memory, lastMs: instant.ms }, said }
}

type Draft = { -readonly [Part in keyof Saying]: Saying[Part] }

/**
 * `$GNGGA` is talker GN, sentence GGA; `$PUBX,00` and other proprietary ones have no talker. PQ is one all
 * the same: modems of Quectel name BeiDou so.
 */
function named(address: string, frame: Uint8Array, comma: number, end: number) {
  if (!address.startsWith('P') || address === 'PQGSV' || address === 'PQGSA') {
    return { talker: address.slice(0, 2), type: address.slice(2) }
  }
  const number = ascii(frame, comma + 1, commaIn(frame, comma + 1, end))
  return { talker: 'P', type: address.length === 4 ? address + number : address }
}

function checksumFlaw(frame: Uint8Array): string | undefined {
  const star = starOf(frame)
  if (star === frame.length) return undefined
  const sum = 16 * hexDigit(frame[star + 1]) + hexDigit(frame[star + 2])
  return xor8(frame, 1, star) === sum ? undefined : 'bad checksum'
}

/** Where the `*` of the checksum stands; the whole length when there is none. */
function starOf(frame: Uint8Array): number {
  const star = frame.length - 3
  return hasChecksum(frame, star) ? star : frame.length
}

/** The value of a hex digit in either case, -1 for anything else. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const small = byte | 0x20
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1
}

/**
 * A sentence ends behind its checksum, whatever follows: line ends, the next `$`, a binary message, or the
 * remarks that loggers add. One without a checksum ends at CR or LF.
 */
function sentenceSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  let at = 1
  let sum = false
  while (at < bytes.length && isPlain(bytes[at])) {
    sum = bytes[at] === asterisk && at + 3 < bytes.length && hasChecksum(bytes, at)
    if (sum) break
    at += 1
  }
  const head = Math.min(at + 1, addressMax, bytes.length)
  const complete = at < bytes.length || ended
  if (!beginsSentence(bytes, head, complete || head === addressMax)) return 0
  if (sum) return at + 3
  if (!complete) return 'more'
  const next = bytes[at]
  if (next === undefined || next === 0x0d || next === 0x0a) return at
  return hasChecksum(bytes, at - 3) ? at : 0
}

/** True when `[$!][A-Z0-9]{3,12}[,*]` is how these bytes begin, or, not `whole`, may still begin. */
function beginsSentence(bytes: Uint8Array, end: number, whole: boolean): boolean {
  if (bytes[0] !== dollar && bytes[0] !== exclamation) return false
  let at = 1
  while (at < end && isCapitalOrDigit(bytes[at])) at += 1
  const letters = at - 1
  if (letters > lettersMax) return false
  if (at === end) return !whole
  return (bytes[at] === comma || bytes[at] === asterisk) && (!whole || letters >= lettersMin)
}

/** True when `*hh` stands at `star`, and no third digit or letter. */
function hasChecksum(bytes: Uint8Array, star: number): boolean {
  if (bytes[star] !== asterisk) return false
  const third = bytes[star + 3] ?? 0
  const longer = isCapitalOrDigit(third) || isCapitalOrDigit(third & ~0x20)
  return hexDigit(bytes[star + 1]) >= 0 && hexDigit(bytes[star + 2]) >= 0 && !longer
}

/** Printable, and no start of another sentence. */
function isPlain(byte = 0): boolean {
  return (byte >= 0x20 && byte <= 0x7e && byte !== dollar) || byte === 0x09
}

function isCapitalOrDigit(byte = 0): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39)
}

const dollar = 0x24
const exclamation = 0x21
const asterisk = 0x2a
const comma = 0x2c

/** The start character, an address and what follows it: so much tells a sentence from noise. */
const [lettersMin, lettersMax] = [3, 12]
const addressMax = lettersMax + 2

const gnssSentences = new Map(Object.entries(gnss))
const allSentences = new Map(Object.entries({ ...gnss, ...marine }))
