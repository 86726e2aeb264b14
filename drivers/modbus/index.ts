/**
 * Modbus RTU: any slave whose registers a profile tells, several to a line.
 *
 *   → 01 04 0000 0002 71cb            unit, function, first register, how many, CRC (low byte first)
 *   ← 01 04 04 43663334 1b38          unit, function, bytes, registers (230.2 as a float), CRC
 *   ← 01 84 02 c2c1                   function + 128: an exception, and why
 *
 * Frames and functions: request.ts, answer.ts. Where they begin and end: shape.ts. Who speaks when:
 * dialogue.ts. What registers mean: profiles/. `profile: generic` reads one row of registers as numbers,
 * named by their addresses; a table of one's own, in the config or in a file beside it, needs no code.
 *
 * On a line that is only heard (`wayside decode`) requests are shown too, and what is written. An answer is
 * read by the request before it; without one, by the only request of the profile that it fits, and with
 * `profile: generic` as words in their order, `w0` and on.
 *
 * What can go wrong, and what then happens:
 *   noise on the line            bad checksum, a doubt; the request is put again
 *   nobody answers               doubt `no answer`; after three polls the device is asked ever more seldom
 *   a block is not answered      the reading has the fields of the blocks before it
 *   the slave refuses            a doubt in the words of the specification, such as `illegal data address`
 *   an answer comes too late     it is drained, or a doubt `late answer`; never that of the next request
 *   it has no value (NaN, …)     the field is absent; with no field left, doubt `no value`
 */
import {
  type Ask,
  type Block,
  choice,
  type Driver,
  defineDriver,
  document,
  doubt,
  type Field,
  lapse,
  type OptionValues,
  type Profile,
  profileSchema,
  type Said,
  type Serial,
  type Step,
  type Value,
  whole,
} from '../../runtime/sense/driver.ts'
import { type Answer, answers, decodeAnswer, exceptions } from './answer.ts'
import { answered, ask, awaited, begin, type Dialogue } from './dialogue.ts'
import {
  fileValues,
  generic,
  genericOrders,
  genericTypes,
  rowValues,
  unplacedValues,
} from './generic.ts'
import { strangeness } from './own.ts'
import { profiles } from './profiles/index.ts'
import { fieldsOf, held, type Placed, placedIn, selfDoubt, valuesOf } from './registers.ts'
import { decodeRequest, type Request } from './request.ts'
import { lineShape } from './shape.ts'
import { asked, lineFields, answered as told } from './told.ts'

type Memory = {
  readonly profile: Profile
  /** `profile: generic`: what is heard is named by the request that was heard, whatever it asks for. */
  readonly rowsOf: OptionValues | undefined
  /** The one unit that the profile is for, when it was named: others on the line have tables of their own. */
  readonly only: number | undefined
  readonly dialogue: Dialogue
  /** For each request of the plan, the fields that its answer brings. */
  readonly placed: readonly (readonly Placed[])[]
  /** False while the line is only heard. */
  readonly asks: boolean
  readonly heard: Heard | undefined
}

/** The last request that was heard, and whether its answer was. */
type Heard = { readonly unit: number; readonly request: Request; readonly answered: boolean }

const seconds = 1_000

export const modbus: Driver = defineDriver<Memory>({
  id: 'modbus',
  title: 'Modbus RTU: meters and sensors by their register tables',
  models: Object.fromEntries(Object.keys(profiles).map((profile) => [profile, { profile }])),
  serial: { baudRate: 9600 },
  otherBaudRates: [2400, 4800, 19_200, 38_400, 57_600, 115_200],
  warmUpMs: 0,
  silenceMs: 30 * seconds,
  options: {
    profile: document(
      'what its registers mean',
      ['generic', ...Object.keys(profiles)],
      'generic',
      profileSchema,
    ),
    unit: whole('unit (slave address); left out, as the profile says, or who is heard', 1, 255),
    every: lapse('from one poll to the next', 50, 3_600 * seconds, 10 * seconds),
    timeout: lapse('how long an answer may take to begin', 10, 10 * seconds, 500),
    tries: whole('how often a question is put before a poll is given up', 1, 10, 2),
    function: choice('generic: which registers', ['1', '2', '3', '4'], '3'),
    address: whole('generic: the first, as on the wire', 0, 65_535, 0),
    count: whole('generic: how many', 1, 125, 1),
    type: choice('generic: what they hold', genericTypes, 'u16'),
    order: choice('generic: in which order, highest byte first', genericOrders, 'abcd'),
  },
  fields: { ...fieldsOfAll(), ...lineFields() },
  fieldsWith: (options) => soldBy(fieldsOf(profileOf(options))),
  under(options) {
    const profile = profileOf(options)
    const { title, baudRate, parity, stopBits } = profile
    const own = fieldsOf(profile)
    return {
      ...modbus,
      title,
      serial: { baudRate, parity, stopBits },
      silenceMs: Math.max(30 * seconds, 3 * Number(options.every)),
      // A register may be named as what is told of requests: then the name is its own.
      fields: { ...own, ...lineFields(), ...own },
    }
  },
  // One holding register, one input register, of the address that most are delivered with.
  questions: [
    Uint8Array.of(1, 3, 0, 0, 0, 1, 0x84, 0x0a),
    Uint8Array.of(1, 4, 0, 0, 0, 1, 0x31, 0xca),
  ],
  bus: { gapMs: (serial) => Math.max(3.5 * byteMs(serial), gapLeastMs) },
  check: 'CRC-16',
  shape: lineShape,
  begin(options, serial) {
    const profile = profileOf(options)
    const plan = planOf(profile)
    const settings = {
      ...{ unit: Number(options.unit ?? profile.unit), plan, everyMs: Number(options.every) },
      ...{ timeoutMs: Number(options.timeout), tries: Number(options.tries) },
      byteMs: byteMs(serial),
    }
    return {
      profile,
      rowsOf: options.profile === 'generic' ? options : undefined,
      only: options.unit === undefined ? undefined : Number(options.unit),
      dialogue: begin(settings),
      placed: plan.map((request) => placedIn(profile, request)),
      ...{ asks: false, heard: undefined },
    }
  },
  decode: (frame, memory) => (memory.asks ? hearOwn(frame, memory) : overhear(frame, memory)),
  // The blocks of one poll are one moment; a name that comes again begins the next.
  moments: {
    quietMs: 2 * seconds,
    begins: (sayings, next) =>
      sayings.some(({ values }) => Object.keys(values).some((name) => name in next.values)),
  },
  ask(memory, nowMs): Ask<Memory> {
    const turn = ask(memory.dialogue, nowMs)
    return { ...turn, memory: withDialogue(memory, turn.memory) }
  },
})

/** The answer to what this side asked: the cutter let nothing else through (shape.ts). */
function hearOwn(frame: Uint8Array, memory: Memory): Step<Memory> {
  const { profile, dialogue, placed } = memory
  const request = awaited(dialogue)
  const code = frame[1] ?? 0
  const refused = request !== undefined && code === (request.function | 0x80)
  if (request === undefined || !(refused || code === request.function)) {
    return { memory, said: doubt('late answer') }
  }
  const fields = placed[dialogue.at] ?? []
  const said = refused ? refusal(frame[2] ?? 0) : meant(profile, valuesOf(fields, code, frame, 3))
  return { memory: withDialogue(memory, answered(dialogue)), said }
}

/** Written out: it is made anew at every turn and every answer, and a spread of it costs as much as the rest. */
function withDialogue(memory: Memory, dialogue: Dialogue): Memory {
  const { profile, rowsOf, only, placed, heard } = memory
  return { profile, rowsOf, only, dialogue, placed, asks: true, heard }
}

/** A frame of somebody else's talk. */
function overhear(frame: Uint8Array, memory: Memory): Step<Memory> {
  const { dialogue, heard, rowsOf } = memory
  const asking = decodeRequest(frame)
  const answering = decodeAnswer(frame)
  // Whoever asks unit 0 for registers wants to learn who is there, and that one answers as itself; what is
  // written to all nobody answers.
  const fits = (unit: number, request: Request) =>
    answering !== undefined &&
    (answering.unit === unit || (unit === 0 && 'count' in request)) &&
    answers(answering.answer, request)
  const expected = heard !== undefined && fits(heard.unit, heard.request)
  // What can be both is what is due: an answer behind a request, a request behind an answer.
  if (asking !== undefined && !(expected && !heard.answered)) {
    return {
      memory: { ...memory, heard: { ...asking, answered: false } },
      said: { ok: true, subject: String(asking.unit), values: asked(asking.request) },
    }
  }
  if (answering === undefined) return { memory, said: doubt(...strangeness(frame)) }
  const { unit, answer } = answering
  // A generic row that nobody placed is no table to read by.
  const placed = rowsOf === undefined || rowsOf.address !== 0
  const alone = dialogue.settings.plan.filter((request) => placed && answers(answer, request))
  const request = expected ? heard.request : alone.length === 1 ? alone[0] : undefined
  const after = expected ? { ...memory, heard: { ...heard, answered: true } } : memory
  const said = toldBy(unit, answer, request, memory)
  return { memory: after, said: said.ok ? { ...said, subject: String(unit) } : said }
}

/** What an answer says that was overheard. */
function toldBy(unit: number, answer: Answer, request: Request | undefined, memory: Memory): Said {
  const { profile, only = unit } = memory
  const rowsOf = only === unit ? memory.rowsOf : anyRow
  if (answer.function === 'exception') {
    const { of, code } = answer
    return refusal(code, `unit ${unit}, function ${of}, code ${code}`)
  }
  const measures = 'registers' in answer || 'bits' in answer || 'found' in answer
  if (!measures) return { ok: true, values: told(answer) }
  if (rowsOf === undefined) {
    return request === undefined
      ? doubt('answer without its request')
      : say(profile, request, answer)
  }
  const read = request && held(request, answer)
  const files = request && fileValues(request, answer)
  const values = files ?? (read ? rowValues(read, rowsOf) : unplacedValues(answer, rowsOf))
  if (values === undefined) return doubt('answer without its request')
  return Object.keys(values).length === 0 ? doubt('no value') : { ok: true, values }
}

/** What an answer means, by the profile. */
function say(profile: Profile, request: Request, answer: Answer): Said {
  const read = held(request, answer)
  if (read === undefined) return doubt('answer that measures nothing')
  const placed = placedIn(profile, read)
  if (placed.length === 0) return doubt('registers not in the profile', `from ${read.address}`)
  return meant(profile, valuesOf(placed, read.function, read.bytes))
}

function meant(profile: Profile, values: Record<string, Value>): Said {
  const why = selfDoubt(profile, values)
  if (why !== undefined) return doubt(why)
  for (const _ in values) return { ok: true, values }
  return doubt('no value')
}

/** How a unit is told that the profile is not for. */
const anyRow: OptionValues = { type: 'u16', order: 'abcd' }

function refusal(code: number, detail = `code ${code}`): Said {
  return doubt(exceptions[code] ?? 'exception of its own', detail)
}

/** The blocks to ask for: one that only the bench reads takes the line's time for nothing. */
function planOf({ blocks, doubts }: Profile): Pick<Block, 'function' | 'address' | 'count'>[] {
  const wanted = blocks.filter(({ fields }) =>
    Object.entries(fields).some(
      ([name, { detail }]) => !detail || doubts.some(({ field }) => field === name),
    ),
  )
  return (wanted.length > 0 ? wanted : blocks).map(({ function: code, address, count }) => ({
    function: code,
    address,
    count,
  }))
}

function profileOf(options: OptionValues): Profile {
  const { profile } = options
  if (typeof profile === 'object') return profile as Profile
  return profiles[String(profile)] ?? generic(options)
}

/** Of all profiles; where two name a field, as the first of them does. */
function fieldsOfAll(): Record<string, Field> {
  return Object.assign({}, ...Object.values(profiles).toReversed().map(fieldsOf))
}

function soldBy(fields: Readonly<Record<string, Field>>): string[] {
  return Object.keys(fields).filter((name) => !fields[name]?.detail)
}

/** Start, data, parity and stop bits: 11 on an RTU line (MODBUS over Serial Line V1.02 §2.5.1). */
function byteMs({ baudRate }: Serial): number {
  return (11 * seconds) / baudRate
}

/** Above 19200 baud the silence between frames is fixed (§2.5.1.1). */
const gapLeastMs = 1.75
