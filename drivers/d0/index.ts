/**
 * D0: meters of electricity, heat and gas by IEC 62056-21 (before, IEC 1107), mostly through an infrared eye,
 * 7 data bits and even parity.
 *
 * Some push their data every few seconds, at 9600 or 2400 baud (mode D): nothing is to be sent to them.
 * Others (modes A, B and C) must be asked: `mode: ask`, dialogue.ts. Frames: shape.ts. Lines: dataset.ts.
 *
 * Fields are the codes (obis.ts) as the meter has them, with medium and channel or without. Of a line with
 * several values the second is `<code>-2`; the time of a maximum is `<code>_time`, on the meter's own clock
 * and in no zone that it would say. Earlier billing periods are `<code>_01` and on, unless `history: false`.
 * Units are those of fields.ts, whatever the meter counts in; a code that is not there keeps the meter's.
 *
 * Source: IEC 62056-21:2002; fields.ts. Checked: test/captures/d0.
 *
 * What can go wrong, and what then happens:
 *   noise on the line             bad checksum, a doubt; without a check (mode D) `broken line`, if it shows
 *   no ETX and no BCC at the end  doubt `no checksum where one belongs`; `checksum: optional` reads it
 *   7E1 that was read as 8N1      read all the same; doubt `wrong parity` where a bit is off
 *   nobody answers                doubt `no answer`; asked again when the time has come
 *   a telegram of P1              doubt that names its driver: its CRC would not be held here
 */
import {
  type Ask,
  choice,
  type Driver,
  defineDriver,
  doubt,
  flag,
  lapse,
  type Said,
  uncheckedField,
  word,
} from '../../runtime/sense/driver.ts'
import { type Gathered, gather, obisName } from '../obis.ts'
import { withoutParity } from '../parity.ts'
import { type DataSet, dataSets, readValue } from './dataset.ts'
import { answered, beginDialogue, blockMs, type Dialogue, named, speeds, turn } from './dialogue.ts'
import { fields, unitOf } from './fields.ts'
import { hasCheck, partsOf, shapeOf, stx } from './shape.ts'

type Memory = {
  readonly history: boolean
  /** Undefined while the line is only heard. */
  readonly dialogue?: Dialogue
  /** The last first line, until its data came. */
  readonly identification?: string
}

const second = 1000
const minute = 60 * second

export const d0: Driver = defineDriver<Memory>({
  id: 'd0',
  title: 'D0: meters of electricity and heat by IEC 62056-21',
  models: {},
  serial: { baudRate: 9600, dataBits: 7, parity: 'even' },
  otherBaudRates: [2400, 300, 4800, 1200, 19_200],
  warmUpMs: 0,
  silenceMs: minute,
  options: {
    mode: choice(
      'listen to a meter that pushes (mode D), or ask one (A, B, C), from 300 baud on',
      ['listen', 'ask'],
      'listen',
    ),
    every: lapse('mode ask: from one reading to the next', 5 * second, 1440 * minute, 15 * minute),
    address: word(
      'mode ask: which of several meters',
      /^[0-9A-Za-z ]{1,32}$/,
      'up to 32 letters and digits',
    ),
    fastest: choice(
      'mode ask: the highest baud rate to agree to; 300 where the eye is too slow for more',
      speeds.map(String),
      '19200',
    ),
    wake: flag('mode ask: the meter has a battery and must be woken', false),
    checksum: choice(
      'whether a block must end with its checksum',
      ['required', 'optional'],
      'required',
    ),
    history: flag('say earlier billing periods too', true),
  },
  fields: { ...fields, ...uncheckedField },
  fieldsWith: ({ mode, checksum }) =>
    Object.keys(d0.fields).filter(
      (name) => name !== 'unchecked' || mode !== 'ask' || checksum === 'optional',
    ),
  under({ mode, every, checksum }) {
    const shape = shapeOf({ answers: mode === 'ask', openEnded: checksum === 'optional' })
    if (mode !== 'ask') return { ...d0, shape }
    const serial = { baudRate: 300, dataBits: 7, parity: 'even' } as const
    return { ...d0, shape, serial, silenceMs: 2 * Number(every) + blockMs }
  },
  check: 'exclusive or of the bytes (BCC), 8 bits; none in mode D',
  questions: [new TextEncoder().encode('/?!\r\n')],
  asking: { mode: 'ask' },
  shape: shapeOf({ answers: false, openEnded: false }),
  begin({ mode, every, address, fastest, wake, history }, { baudRate }) {
    const memory = { history: history !== false }
    if (mode !== 'ask') return memory
    const settings = {
      everyMs: Number(every),
      address: String(address ?? ''),
      wakes: wake === true,
      baudRate,
      fastest: Number(fastest),
    }
    return { ...memory, dialogue: beginDialogue(settings) }
  },
  decode(sent, memory) {
    const frame = withoutParity(sent)
    const { line, block } = partsOf(frame)
    const isBlock = frame[0] === stx
    const identification = isBlock ? memory.identification : identified(line)
    const after = hearing(memory, isBlock, line)
    if (!isBlock && block.trim() === '') {
      return { memory: identification === undefined ? after : { ...after, identification } }
    }
    return {
      memory: after,
      said: say(dataSets(block).sets, memory.history, identification, !hasCheck(frame)),
    }
  },
  ask({ dialogue, ...memory }, nowMs): Ask<Memory> {
    if (dialogue === undefined) return { memory, wakeMs: 60 * minute }
    const next = turn(dialogue, nowMs)
    return { ...next, memory: { ...memory, dialogue: next.memory } }
  },
})

/** The first line where it is one: three letters of the maker. No checksum covers it, so noise may look like it. */
function identified(line: string): string | undefined {
  // Some meters put an STX where the escape of their baud rate belongs.
  return /^[A-Za-z]{3}[ -~]+$/.test(line.replace('\x02', ' ')) ? line : undefined
}

/** What is remembered behind a frame: how the dialogue goes on. A first line is forgotten with its data. */
function hearing({ history, dialogue }: Memory, isBlock: boolean, line: string): Memory {
  if (dialogue === undefined) return { history }
  return { history, dialogue: isBlock ? answered(dialogue) : named(dialogue, line) }
}

function say(
  sets: readonly DataSet[],
  history: boolean,
  identification: string | undefined,
  unchecked: boolean,
): Said {
  const into: Gathered = { values: {}, units: {} }
  for (const { code, groups } of sets) {
    const [, of = code, isTime] = captureTime.exec(code) ?? []
    const name = obisName(of)
    if (name === undefined || (!history && /_\d+$/.test(name))) continue
    if (isTime !== undefined) gather(into, `${name}_time`, timeOf(groups[0] ?? ''))
    else read(name, groups, into)
  }
  if (Object.keys(into.values).length === 0) return doubt('no value')
  const values = identification === undefined ? into.values : { identification, ...into.values }
  return { ok: true, values, units: into.units, ...(unchecked && { unchecked }) }
}

/** Codes whose bare digits are names and states, and no amounts: 0 and C about the meter, F its errors. */
const names = /(^|:)(0\.|C\.|F|L\.|P\.|96\.|97\.)/
/** Codes whose bare digits are an amount, though they have neither point nor unit: EDIS, value group C and D. */
const amounts = /^(1-\d+:)?([1-9]|[1-8]\d)\.([2-8]|29)\.\d+(_\d+)?$/

/** `1.6.0,5`: attribute 5 of an extended register is when its value was reached (ZPA). */
const captureTime = /^([^,]+)(,5)$/

function read(name: string, groups: readonly string[], into: Gathered): void {
  const bare = names.test(name) ? 'names' : amounts.test(name) ? 'counts' : undefined
  let count = 0
  for (const text of groups.flatMap((group) => group.split('&'))) {
    const time = count > 0 ? timeOf(text) : undefined
    gather(into, `${name}_time`, time)
    count += 1
    if (time !== undefined || (count > 1 && never.test(text))) continue
    const nth = count === 1 ? name : `${name}-${count}`
    // An earlier period is said in the unit of the running one.
    const declared = unitOf(nth)
    const found = readValue(text, bare, declared)
    const unit = typeof found?.value === 'number' ? (found.unit ?? declared) : found?.unit
    gather(into, nth, found?.value, unit)
  }
}

/** The time of a maximum that was not reached yet. */
const never = /^0{10}(00)?$/

/**
 * A maximum's time, on the meter's clock: YYMMDDhhmm or with seconds, perhaps behind a digit of the season or
 * with the century; `24-12-01,00:00` and `10-02-01 00:00` too.
 */
function timeOf(text: string): string | undefined {
  const digits = /^\d\d-\d\d-\d\d[ ,]\d\d:\d\d(:\d\d)?$/.test(text) ? text.replace(/\D/g, '') : text
  const [, y = '', m = '', d = '', h = '', min = '', s] =
    /^\d?(\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-4])([0-5]\d)([0-5]\d)?$/.exec(
      digits,
    ) ??
    /^20(\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-4])([0-5]\d)$/.exec(digits) ??
    []
  return y === '' ? undefined : `20${y}-${m}-${d}T${h}:${min}${s === undefined ? '' : `:${s}`}`
}
