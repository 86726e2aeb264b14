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
 *   cf     –                PM100, µg/m³     id
 *   c5     command, value…                   id
 *
 * A command is aa b4, the command, 12 more bytes (ff ff last: any sensor), the sum of bytes 2 to 16, ab:
 *
 *   2  reporting: 1 set, 0 a report a second / 1 only when asked      6  1 set, 0 sleep / 1 work
 *   4  asks for a report                                             8  1 set, minutes of its own cycle
 *
 * The laser lasts about 8,000 hours: less than a year of reporting every second. `every` of a minute or
 * more lets the sensor sleep: it is woken, blown free for 30 s, asked once, and sent to sleep. `cycle` has
 * the sensor itself do the like. Left alone (`listen`), nothing is ever sent to it.
 *
 * Source: Nova Fitness, "Laser Dust Sensor Control Protocol V1.3" (2015), and the SDS011 and SDS198 data
 * sheets. Checked: test/captures/sds011, among them every example of that protocol.
 *
 * What can go wrong, and what then happens:
 *   noise on the line     bad checksum; bytes are given up until a frame is whole again
 *   just woken            reports of the first 30 s are doubts: the fan must blow it free first
 *   fog, condensation     nothing here can tell: above 70 %RH it reads high, says its maker
 *   999.9 and 1999.9      the end of its range, said as it is
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
  /** Reports before this are of a sensor that was just woken. */
  readonly warmUntilMs: number
  readonly nowMs: number
}
type Next = 'set up' | 'wake' | 'question' | 'sleep'

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
    cycle: whole('mode cycle: minutes from reading to reading', 1, 30, 5),
  },
  fields: {
    pm2_5: { title: 'PM2.5', type: 'number', unit: 'ug/m3' },
    pm10: { title: 'PM10', type: 'number', unit: 'ug/m3' },
    pm100: { title: 'dust up to 100 µm (SDS198)', type: 'number', unit: 'ug/m3' },
  },
  /** Silence is no news before the sensor has had its time to sleep. */
  under: ({ mode, every, cycle }) => {
    const pauseMs = mode === 'ask' ? Number(every) : mode === 'cycle' ? Number(cycle) * minute : 0
    return { ...sds011, silenceMs: 10 * second + (pauseMs === 0 ? 0 : pauseMs + blowFreeMs) }
  },

  check: 'sum of the bytes, 8 bits',
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
    ...{ next: 'set up', dueMs: 0, warmUntilMs: 0, nowMs: 0 },
  }),

  decode(frame, memory): Step<Memory> {
    const [, kind] = frame
    const subject = [6, 7].map((at) => (frame[at] ?? 0).toString(16).padStart(2, '0')).join('')
    if (kind === 0xc5) return { memory, said: doubt('answer to a command') }
    if (memory.nowMs < memory.warmUntilMs) return { memory, said: doubt('warming up') }
    const values =
      kind === 0xcf
        ? { pm100: u16le(frame, 4) }
        : { pm2_5: u16le(frame, 2) / 10, pm10: u16le(frame, 4) / 10 }
    const next = memory.mode === 'ask' && memory.everyMs >= minute ? 'sleep' : memory.next
    return {
      memory: next === 'sleep' ? { ...memory, next, dueMs: 0 } : memory,
      said: { ok: true, subject, values },
    }
  },

  questions: [command(4)],
  ask(before, nowMs): Ask<Memory> {
    const memory = { ...before, nowMs }
    if (memory.mode === 'listen') return { memory, wakeMs: 60 * minute }
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    return memory.mode === 'cycle' ? setCycle(memory, nowMs) : askInTurn(memory, nowMs)
  },
})

const kinds = new Set([0xc0, 0xcf, 0xc5])

/** Said once: the sensor keeps its cycle, over a loss of power too. */
function setCycle(memory: Memory, nowMs: number): Ask<Memory> {
  const send = memory.next === 'set up' ? command(8, 1, memory.cycleMin) : undefined
  const wakeMs = 60 * minute
  const after: Memory = { ...memory, next: 'wake', dueMs: nowMs + wakeMs }
  return send === undefined ? { memory: after, wakeMs } : { memory: after, send, wakeMs }
}

function askInTurn(memory: Memory, nowMs: number): Ask<Memory> {
  const step = (next: Next, waitMs: number, send: Uint8Array, more: Partial<Memory> = {}) => ({
    memory: { ...memory, ...more, next, dueMs: nowMs + waitMs },
    send,
    wakeMs: waitMs,
  })
  const sleeps = memory.everyMs >= minute
  switch (memory.next) {
    case 'set up':
      return step(sleeps ? 'wake' : 'question', second, command(2, 1, 1))
    case 'wake':
      return step('question', blowFreeMs, command(6, 1, 1), { warmUntilMs: nowMs + blowFreeMs })
    case 'question': {
      const waitMs = sleeps ? 5 * second : memory.everyMs
      return step(sleeps ? 'sleep' : 'question', waitMs, command(4))
    }
    case 'sleep':
      return step('wake', memory.everyMs - blowFreeMs, command(6, 1, 0))
  }
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
