/**
 * Nova Fitness SDS011: the laser dust sensor of many citizen networks, and its kin SDS018, SDS021, SDS198.
 *
 * 9600 baud 8N1, a report a second unless told otherwise. One frame, numbers little-endian:
 *
 *   0  aa              start
 *   1  c0 / cf / c5    report; report of the SDS198; answer to a command
 *   2  6 bytes         by kind, below
 *   8  u8              sum of bytes 2 to 7
 *   9  ab              end
 *
 *   kind   2                4                6
 *   c0     PM2.5, 0.1 µg/m³ PM10, 0.1 µg/m³  id
 *   cf     not documented   PM100, µg/m³     id
 *   c5     command, value…                   id
 *
 * A command is aa b4, the command, 12 more bytes (ff ff last: any sensor), the sum of bytes 2 to 16, ab:
 *
 *   2  reporting: 1 set, 0 a report a second / 1 only when asked      6  1 set, 0 sleep / 1 work
 *   4  asks for a report                                             7  asks for the date of its firmware
 *   5  gives it another id                                           8  1 set, minutes of its own cycle
 *
 * The laser lasts about 8,000 hours: less than a year of reporting every second. `every` of a minute or
 * more lets the sensor sleep: it is woken, blown free for 30 s, asked once, and sent to sleep. `cycle` has
 * the sensor itself do the like. It keeps what it was told, without power too: one that was once told to
 * speak only when asked is silent when it is listened to, until `mode: cycle` with `cycle: 0` has made it
 * what it was when delivered. Left alone (`listen`), nothing is ever sent to it.
 *
 * Source: Nova Fitness, "Laser Dust Sensor Control Protocol V1.3" (2015), and the SDS011 and SDS198 data
 * sheets. Checked: test/captures/sds011, among them every example of that protocol.
 *
 * What can go wrong, and what then happens:
 *   noise on the line     bad checksum; bytes are given up until a frame is whole again
 *   just woken            it is asked 30 s later: the fan must blow it free first
 *   speaks unasked        a doubt when it was told not to; it is told again
 *   no answer             a doubt; it is woken again
 *   fog, condensation     nothing here can tell: above 70 %RH it reads high, says its maker
 *   999.9 and 1999.9      the end of its range, said as it is
 *   zeros, its id too     not begun yet; a doubt (zeros under an id are clean air)
 */
import {
  type Ask,
  choice,
  type Driver,
  defineDriver,
  doubt,
  headed,
  lapse,
  type Step,
  whole,
} from '../runtime/sense/driver.ts'

type Memory = {
  readonly mode: 'listen' | 'ask' | 'cycle'
  readonly everyMs: number
  readonly cycleMin: number
  /** What is to be sent next, and when. */
  readonly next: Next
  readonly dueMs: number
  /** It has been told when to speak. */
  readonly told: boolean
  /** A question is on its way. */
  readonly asked: boolean
  /** When it was woken last, and when anything was sent; −1 before. */
  readonly wokenMs: number
  readonly sentMs: number
}
type Next = 'wake' | 'mode' | 'cycle' | 'question' | 'sleep' | 'nothing'

const second = 1000
const minute = 60 * second
const blowFreeMs = 30 * second

export const sds011: Driver = defineDriver<Memory>({
  id: 'sds011',
  title: 'Nova SDS011 dust sensors (SDS011, SDS018, SDS021, SDS198)',
  models: { sds018: {}, sds021: {}, sds198: {} },
  serial: { baudRate: 9600 },
  otherBaudRates: [],
  warmUpMs: blowFreeMs,
  silenceMs: 10 * second,
  options: {
    mode: choice(
      'listen sends nothing; ask has it report only when asked; cycle has it sleep by itself',
      ['listen', 'ask', 'cycle'],
      'listen',
    ),
    every: lapse(
      'mode ask: between two readings; from 1min on it sleeps',
      second,
      60 * minute,
      minute,
    ),
    cycle: whole('mode cycle: minutes from reading to reading; 0 as delivered', 0, 30, 5),
  },
  fields: {
    pm2_5: { title: 'PM2.5', type: 'number', unit: 'ug/m3' },
    pm10: { title: 'PM10', type: 'number', unit: 'ug/m3' },
    pm100: { title: 'dust up to 100 µm (SDS198)', type: 'number', unit: 'ug/m3' },
    undocumented: { title: 'what an SDS198 says before it', type: 'integer', detail: true },
  },
  /** Silence is no news before the sensor has had its time to sleep. */
  under: ({ mode, every, cycle }) => {
    const pauseMs = mode === 'ask' ? Number(every) : mode === 'cycle' ? Number(cycle) * minute : 0
    return { ...sds011, silenceMs: 10 * second + (pauseMs === 0 ? 0 : pauseMs + blowFreeMs) }
  },

  check: 'sum of the bytes, 8 bits',
  questions: [command(4)],
  asking: { mode: 'ask' },
  shape: headed({
    start: Uint8Array.of(0xaa),
    headSize: 2,
    size: (head) => (kinds.has(head.getUint8(1)) ? 10 : 0),
    sizeMax: 10,
    flaw(frame) {
      if (frame[9] !== 0xab) return 'no end mark'
      return sumOf(frame.subarray(2, 8)) === frame[8] ? undefined : 'bad checksum'
    },
  }),

  begin: ({ mode, every, cycle }) => ({
    mode: mode as Memory['mode'],
    everyMs: Number(every),
    cycleMin: Number(cycle),
    ...{ next: 'wake', dueMs: 0, told: false, asked: false, wokenMs: 0, sentMs: -1 },
  }),

  decode(frame, memory): Step<Memory> {
    const [, kind] = frame
    if (kind === 0xc5) return { memory, said: doubt('answer to a command', commanded(frame)) }
    if (frame.subarray(2, 8).every((byte) => byte === 0)) {
      return { memory, said: doubt('nothing measured yet') }
    }
    const unasked = memory.mode === 'ask' && !memory.asked && memory.sentMs >= 0
    if (unasked) return notAskedFor(memory)
    const subject = idOf(frame)
    const values =
      kind === 0xcf
        ? { pm100: u16le(frame, 4), undocumented: u16le(frame, 2) }
        : { pm2_5: u16le(frame, 2) / 10, pm10: u16le(frame, 4) / 10 }
    return { memory: answered(memory), said: { ok: true, subject, values } }
  },

  ask(memory, nowMs): Ask<Memory> {
    if (memory.mode === 'listen') return { memory, wakeMs: 60 * minute }
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const missed = memory.asked ? { doubt: 'no answer' } : {}
    return { ...turn(memory, nowMs), ...missed }
  },
})

const kinds = new Set([0xc0, 0xcf, 0xc5])

/** What to send now. What was told once is not told again: the sensor writes it into its flash. */
function turn(memory: Memory, nowMs: number): Ask<Memory> {
  const { mode, told, everyMs, wokenMs } = memory
  const sleeps = everyMs >= minute
  const step = (next: Next, waitMs: number, send: Uint8Array, more: Partial<Memory> = {}) => ({
    memory: { ...memory, asked: false, sentMs: nowMs, ...more, next, dueMs: nowMs + waitMs },
    send,
    wakeMs: waitMs,
  })
  switch (memory.next) {
    case 'wake': {
      const woken = { wokenMs: nowMs }
      return told
        ? step('question', blowFreeMs, command(6, 1, 1), woken)
        : step('mode', second, command(6, 1, 1), woken)
    }
    case 'mode': {
      if (mode === 'cycle') return step('cycle', second, command(2, 1, 0))
      const blownMs = Math.max(wokenMs + blowFreeMs - nowMs, second)
      return step('question', blownMs, command(2, 1, 1), { told: true })
    }
    case 'cycle':
      return step('nothing', 60 * minute, command(8, 1, memory.cycleMin))
    case 'question': {
      // Without an answer in time it is woken again, or sent to sleep all the same.
      const waitMs = sleeps ? 5 * second : everyMs
      return step(sleeps ? 'sleep' : 'wake', waitMs, command(4), { asked: true })
    }
    case 'sleep':
      return step('wake', wokenMs + everyMs - nowMs, command(6, 1, 0))
    case 'nothing':
      return { memory: { ...memory, dueMs: nowMs + 60 * minute }, wakeMs: 60 * minute }
  }
}

/** The report is here: the next question at its time, or sleep at once. */
function answered(memory: Memory): Memory {
  if (memory.mode !== 'ask') return memory
  const sleeps = memory.everyMs >= minute
  const next: Partial<Memory> = sleeps ? { next: 'sleep', dueMs: 0 } : { next: 'question' }
  return { ...memory, asked: false, ...next }
}

/** It speaks unasked: it has not heard yet that it should not, or that it should sleep. */
function notAskedFor(memory: Memory): Step<Memory> {
  const { next, told } = memory
  const dueMs = memory.sentMs + second
  const again = next === 'question' ? 'mode' : next === 'wake' && told ? 'sleep' : undefined
  const after: Memory = again === undefined ? memory : { ...memory, next: again, dueMs }
  return { memory: after, said: doubt('not asked for') }
}

/** What it answers to a command, be it told or asked. */
function commanded(frame: Uint8Array): string {
  const [, , kind = 0, , first = 0, second = 0] = frame
  switch (kind) {
    case 2:
      return first === 0 ? 'reports unasked' : 'reports only when asked'
    case 5:
      return `its id is ${idOf(frame)}`
    case 6:
      return first === 0 ? 'sleeps' : 'works'
    case 7:
      return `its firmware is of ${frame.subarray(3, 6).join('-')}`
    case 8:
      return first === 0 ? 'reports each second' : `reports every ${first} min`
    default:
      return `command ${kind}: ${first} ${second}`
  }
}

function idOf(frame: Uint8Array): string {
  return [6, 7].map((at) => (frame[at] ?? 0).toString(16).padStart(2, '0')).join('')
}

function command(...bytes: readonly number[]): Uint8Array {
  const frame = new Uint8Array(19)
  frame.set([0xaa, 0xb4, ...bytes])
  frame.set([0xff, 0xff], 15)
  frame.set([sumOf(frame.subarray(2, 17)), 0xab], 17)
  return frame
}

function u16le(frame: Uint8Array, at: number): number {
  return (frame[at] ?? 0) | ((frame[at + 1] ?? 0) << 8)
}

function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
}
