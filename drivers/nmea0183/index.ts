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
} from '../../runtime/sense/driver.ts'
import { ascii, commaIn, fieldsOf } from './cells.ts'
import { gnssFields, marineFields } from './fields.ts'
import { gnss } from './gnss.ts'
import { marine } from './marine.ts'
import { moments } from './moment.ts'
import { lettersAt, type Reader, readSentence, type Sentences, sentencesIn } from './sentence.ts'
import { checksumFlaw, sentenceSizeAt, starOf } from './shape.ts'

type Memory = {
  readonly needsChecksum: boolean
  readonly sentences: Sentences
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
  shape: textLine({ starts: '$!', sizeMax: 1024, sizeAt: sentenceSizeAt, flaw: checksumFlaw }),
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
  const behind = commaIn(frame, 1, star)
  const { talker, reader } = headOf(frame, behind, star, memory.sentences)
  if (reader === undefined || frame[0] !== dollar) {
    return { memory, said: doubt('unknown sentence', ascii(frame, 1, behind)) }
  }
  if (memory.talker !== undefined && memory.talker !== talker) {
    return { memory, said: doubt('talker not asked for', talker) }
  }
  const read = readSentence(reader, fieldsOf(frame, behind, star), talker, memory.lastMs)
  if (typeof read === 'string' || 'wrong' in read) {
    const address = ascii(frame, 1, behind)
    return typeof read === 'string'
      ? { memory, said: doubt(read, address) }
      : { memory, said: doubt('bad field', `${address} ${read.wrong}`) }
  }
  const { values, instant, isDated, subject, units } = read
  const said: Draft = { ok: true, values }
  if (subject !== undefined) said.subject = subject
  if (units !== undefined) said.units = units
  if (unchecked) said.unchecked = true
  if (instant === undefined) return { memory, said }
  said.time = instant.text
  // A receiver without a fix may tell any date; it must not date the sentences after it.
  const trusted = !isDated || values.valid !== false
  if (!trusted || instant.ms === memory.lastMs) return { memory, said }
  return { memory: { ...memory, lastMs: instant.ms }, said }
}

type Draft = { -readonly [Part in keyof Saying]: Saying[Part] }

type Head = { readonly talker: string; readonly reader: Reader | undefined }

/**
 * `$GNGGA` is talker GN, sentence GGA; `$PUBX,00` and other proprietary ones have no talker. PQ is one all
 * the same: modems of Quectel name BeiDou so. What nearly all sentences begin with is looked up by its
 * letters as one number, because strings made of them cost as much as three fields.
 */
function headOf(
  frame: Uint8Array,
  comma: number,
  end: number,
  { known, byLetters }: Sentences,
): Head {
  if (comma === 6 && frame[1] !== letterP) {
    return { talker: talkerAt(frame, 1), reader: byLetters.get(lettersAt(frame, 3)) }
  }
  const address = ascii(frame, 1, comma)
  if (!address.startsWith('P') || address === 'PQGSV' || address === 'PQGSA') {
    return { talker: address.slice(0, 2), reader: known.get(address.slice(2)) }
  }
  const number = ascii(frame, comma + 1, commaIn(frame, comma + 1, end))
  return { talker: 'P', reader: known.get(address.length === 4 ? address + number : address) }
}

/** Two letters as text: one of few, so that each is made once. */
function talkerAt(bytes: Uint8Array, at: number): string {
  const letters = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  const known = talkers.get(letters)
  if (known !== undefined) return known
  const talker = ascii(bytes, at, at + 2)
  talkers.set(letters, talker)
  return talker
}

/** At most 36², since an address has capital letters and digits. */
const talkers = new Map<number, string>()

const dollar = 0x24
const letterP = 0x50

const gnssSentences = sentencesIn(gnss)
const allSentences = sentencesIn({ ...gnss, ...marine })
