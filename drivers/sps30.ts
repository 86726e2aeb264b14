/**
 * Sensirion SPS30: particulate matter by laser, over its serial port (SEL left open).
 *
 * 115,200 baud 8N1, frames of SHDLC between two 7e, numbers big-endian. It answers questions:
 *
 *   question: 7e, address 00, command, length, data …, check, 7e
 *   answer:   7e, address 00, command, state, length, data …, check, 7e
 *
 *   check = the complement of the low byte of the sum of all before it, before stuffing
 *   stuffing: 7e → 7d 5e   7d → 7d 5d   11 → 7d 31   13 → 7d 33
 *
 *   command  question                                    answer
 *   00       01 03 start, floats; 01 05 start, integers
 *   03       –                                           nothing yet, or ten numbers, f32 or u16:
 *            mass µg/m³: PM1, PM2.5, PM4, PM10
 *            particles in 1 cm³ of 0.3 µm up to 0.5, 1, 2.5, 4, 10 µm
 *            typical size, µm as a float, nm as an integer
 *   80       00                                          u32 seconds between two cleanings of the fan
 *   d0       00 type, 03 number                          letters and a zero
 *   d1       –                                           u8 each: firmware 2, 0, hardware, 0, SHDLC 2
 *   d2       00                                          u32 status and a zero: bit 21 fan too slow or fast,
 *                                                        bit 5 laser out of range, bit 4 fan stands
 *   state bit 7: the status register has an error; bits 0 to 6: `refusals`, 00 done, 43 not in this mode (a
 *   start while it measures, a question for values while it does not)
 *
 * Source: Sensirion, "Datasheet SPS30" version 1.0 D1 (March 2020), §5; Sensirion/embedded-uart-sps (frames,
 * stuffing, commands). Checked: test/captures/sps30.
 *
 * What can go wrong, and what then happens:
 *   not measuring      after power-up it is idle: state 43; it is started, and started again after a reset
 *   measuring already  state 43 to the start: it goes on, in the format that it was started with
 *   no answer          a doubt; once it is back it says that it does not measure
 *   just started       values of the first 30 s are doubts (warmUpMs; the data sheet names 8 to 30 s)
 *   error bit          a doubt with the status that it says when asked
 *   bad line           bad checksum; bytes are given up until a frame is whole again
 */
import {
  type Ask,
  choice,
  type Driver,
  defineDriver,
  doubt,
  type Field,
  lapse,
  type Step,
  stuffed,
} from '../runtime/sense/driver.ts'

type Memory = {
  readonly everyMs: number
  readonly format: 'float' | 'integer'
  readonly dueMs: number
  readonly sentMs: number
  readonly next: 'start' | 'values' | 'status'
  /** A question is on its way. */
  readonly asked: boolean
}

export const sps30: Driver = defineDriver<Memory>({
  id: 'sps30',
  title: 'Sensirion SPS30 particle sensor (SHDLC)',
  models: {},
  serial: { baudRate: 115_200 },
  otherBaudRates: [],
  warmUpMs: 30_000,
  silenceMs: 10_000,
  options: {
    every: lapse('between two questions', 1_000, 600_000, 1_000),
    format: choice('how it is to write numbers', ['float', 'integer'], 'float'),
  },
  fields: {
    pm1: mass('PM1'),
    pm2_5: mass('PM2.5'),
    pm4: mass('PM4'),
    pm10: mass('PM10'),
    to0_5um: particles('0.5'),
    to1um: particles('1'),
    to2_5um: particles('2.5'),
    to4um: particles('4'),
    to10um: particles('10'),
    typical_size: { title: 'typical size of a particle', type: 'number', unit: 'um' },
  },
  under: ({ every }) => ({ ...sps30, silenceMs: 10_000 + 2 * Number(every) }),

  check: 'sum of the bytes, 8 bits',
  shape: stuffed({
    mark: 0x7e,
    // 255 bytes of data and six more, each of them stuffed.
    sizeMax: 2 * (255 + 6) + 2,
    flaw(frame) {
      const plain = unstuff(frame)
      if (plain === undefined || plain.length < 4) return 'bad stuffing'
      return (sumOf(plain) & 0xff) === 0xff ? undefined : 'bad checksum'
    },
  }),

  begin: ({ every, format }) => ({
    everyMs: Number(every),
    format: format as Memory['format'],
    dueMs: 0,
    sentMs: 0,
    next: 'start',
    asked: false,
  }),

  decode(frame, before): Step<Memory> {
    const memory = { ...before, asked: false }
    const plain = unstuff(frame) ?? new Uint8Array(0)
    const [, command, state = 0, length = 0] = plain
    const data = plain.subarray(4, -1)
    const isAnswer = data.length === length && ((state & 0x7f) === 0 || length === 0)
    if (!isAnswer) {
      // A question has no state: what stands there is its length.
      const isQuestion = plain.length === 4 + state
      return { memory, said: doubt(isQuestion ? 'a question, not an answer' : 'wrong length') }
    }
    if (command === 0xd2) {
      const faults = faultsIn(data)
      return {
        memory,
        said: faults ? doubt('error', faults) : doubt('answer to a command', 'no fault'),
      }
    }
    const why = state & 0x7f
    if (why === 0x43 && command === 0x00) return { memory, said: doubt('measuring already') }
    if (why === 0x43) return { memory: soon(memory, 'start'), said: doubt('not measuring') }
    if (why !== 0) return { memory, said: doubt('refused', refusals[why] ?? why.toString(16)) }
    if ((state & 0x80) !== 0) return { memory: soon(memory, 'status'), said: doubt('error') }
    if (command !== 0x03) return { memory, said: doubt('answer to a command', told(command, data)) }
    if (length === 0) return { memory, said: doubt('nothing new') }
    const values = valuesOf(data)
    if (values === undefined) return { memory, said: doubt('wrong length') }
    const whole = Object.values(values).every(Number.isFinite)
    return { memory, said: whole ? { ok: true, values } : doubt('no number') }
  },

  // What product it is, which it says while idle too.
  questions: [Uint8Array.of(0x7e, 0, 0xd0, 1, 0, 0x2e, 0x7e)],
  ask(memory, nowMs): Ask<Memory> {
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const { next, format, everyMs } = memory
    const send =
      next === 'start'
        ? question(0x00, 0x01, format === 'float' ? 0x03 : 0x05)
        : next === 'status'
          ? question(0xd2, 0x00)
          : question(0x03)
    const after: Memory = {
      ...memory,
      next: 'values',
      asked: true,
      sentMs: nowMs,
      dueMs: nowMs + everyMs,
    }
    const turn = { memory: after, send, wakeMs: everyMs }
    return memory.asked ? { ...turn, doubt: 'no answer' } : turn
  },
})

const names = Object.keys(sps30.fields)

/** Ten floats, or ten integers, of which the last counts nanometres; undefined for another length. */
function valuesOf(data: Uint8Array): Record<string, number> | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const at = data.length === 40 ? floatAt(view) : data.length === 20 ? integerAt(view) : undefined
  if (at === undefined) return undefined
  return Object.fromEntries(names.map((name, i) => [name, at(i)]))
}

function floatAt(view: DataView) {
  return (i: number) => view.getFloat32(4 * i)
}

function integerAt(view: DataView) {
  return (i: number) => view.getUint16(2 * i) / (i === 9 ? 1000 : 1)
}

/** Why it refuses, by its state. */
const refusals: Readonly<Record<number, string>> = {
  1: 'wrong length of data',
  2: 'unknown command',
  3: 'no right to this command',
  4: 'parameter not allowed or out of range',
  40: 'argument out of range',
}

/** What it says of itself. */
function told(command = 0, data: Uint8Array): string {
  const letters = String.fromCharCode(...data.subarray(0, -1))
  if (command === 0xd0 && /^[ -~]*$/.test(letters)) return letters
  if (command === 0xd1) return `firmware ${data[0]}.${data[1]}, hardware ${data[3]}`
  if (command === 0x80 && data.length === 4) return `cleans every ${u32be(data)} s`
  return command.toString(16).padStart(2, '0')
}

function u32be(data: Uint8Array): number {
  return data.subarray(0, 4).reduce((all, byte) => all * 256 + byte, 0)
}

function faultsIn(status: Uint8Array): string {
  const bits = u32be(status)
  const said = [
    [21, 'fan too slow or too fast'],
    [5, 'laser current out of range'],
    [4, 'fan stands still'],
  ] as const
  return said.flatMap(([bit, words]) => ((bits >>> bit) & 1 ? words : [])).join(', ')
}

/** Out of its turn, but never more often than each second. */
function soon(memory: Memory, next: Memory['next']): Memory {
  return memory.next === next
    ? memory
    : { ...memory, next, dueMs: Math.min(memory.dueMs, memory.sentMs + 1_000) }
}

/** Without its marks and stuffing; undefined when an escape stands before nothing that is escaped. */
function unstuff(frame: Uint8Array): Uint8Array | undefined {
  const plain: number[] = []
  for (let i = 1; i < frame.length - 1; i += 1) {
    const byte = frame[i] ?? 0
    if (byte !== 0x7d) {
      plain.push(byte)
      continue
    }
    i += 1
    const escaped = (frame[i] ?? 0) ^ 0x20
    if (!stuffedBytes.has(escaped) || i === frame.length - 1) return undefined
    plain.push(escaped)
  }
  return Uint8Array.from(plain)
}

function question(command: number, ...data: readonly number[]): Uint8Array {
  const plain = [0x00, command, data.length, ...data]
  const bytes = [...plain, ~sumOf(Uint8Array.from(plain)) & 0xff]
  const stuffing = bytes.flatMap((byte) => (stuffedBytes.has(byte) ? [0x7d, byte ^ 0x20] : byte))
  return Uint8Array.of(0x7e, ...stuffing, 0x7e)
}

const stuffedBytes = new Set([0x7e, 0x7d, 0x11, 0x13])

function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0)
}

function mass(title: string): Field {
  return { title, type: 'number', unit: 'ug/m3' }
}

function particles(um: string): Field {
  return { title: `particles of 0.3 to ${um} µm`, type: 'number', unit: '/cm3' }
}
