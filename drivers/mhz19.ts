/**
 * Winsen MH-Z19: carbon dioxide by infrared, the family B, C, D, E, and MH-Z14A, MH-Z16 alike.
 *
 * 9600 baud 8N1. It answers questions; both ways nine bytes, numbers big-endian:
 *
 *   0  ff         start                           question: ff 01, command, five bytes, sum
 *   1  u8         the command that it answers     86: how much CO2
 *   2  u16        CO2, ppm                        79: self-calibration, a0 on / 00 off
 *   4  u8         temperature, °C + 40            99: range, u32 ppm at 4 (19B: u16 at 6)
 *   5  u8         status: 0, or 64 when stable
 *   6  u16        15000 while it starts
 *   8  u8         256 − the sum of bytes 1 to 7
 *
 * Self-calibration takes the lowest value of every 24 h for 400 ppm, which is right in a room that is
 * aired each day and wrong in a greenhouse. It and the range stay as they are unless the options name them.
 *
 * The temperature is that of its own electronics, and no manual promises it: for the bench only.
 *
 * Source: Winsen, MH-Z19B manual V1.6 and MH-Z19C manual V1.0, "Commands and checksum". Bytes 4 to 7 are in
 * no manual: ESPEasy (plugin 049) and ESPHome (mhz19) read them so, the first MH-Z19 alone fills 5 to 7; the
 * other commands that it answers are those of WifWaf/MH-Z19. Checked: test/captures/mhz19.
 *
 * What can go wrong, and what then happens:
 *   noise on the line     bad checksum; bytes are given up until a frame is whole again
 *   just switched on      answers of the first 3 min after a silence are doubts (warmUpMs): it says 400,
 *                         410 or the end of its range then, as if it had measured that
 *   starting              says so (15000); a doubt
 *   no answer             a doubt; silence for 30 s opens the port anew
 *   0 ppm                 it has not measured yet; a doubt
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
  u16be,
} from '../runtime/sense/driver.ts'

type Memory = {
  readonly everyMs: number
  readonly dueMs: number
  /** Settings that are still to be sent. */
  readonly settings: readonly Uint8Array[]
  /** A question is on its way. */
  readonly asked: boolean
}

const ranges = ['2000', '5000', '10000'] as const

export const mhz19: Driver = defineDriver<Memory>({
  id: 'mhz19',
  title: 'Winsen MH-Z19 CO2 sensors (MH-Z19B, C, D, E; MH-Z14A, MH-Z16)',
  models: {
    'mh-z19b': {},
    'mh-z19c': {},
    'mh-z19d': {},
    'mh-z19e': {},
    'mh-z14a': {},
    'mh-z16': {},
  },
  serial: { baudRate: 9600 },
  otherBaudRates: [],
  warmUpMs: 180_000,
  silenceMs: 30_000,
  options: {
    every: lapse('between two questions', 1_000, 600_000, 5_000),
    range: choice('end of its range in ppm', ['as it is', ...ranges], 'as it is'),
    calibration: choice('self-calibration at 400 ppm', ['as it is', 'on', 'off'], 'as it is'),
  },
  fields: {
    co2: { title: 'carbon dioxide', type: 'integer', unit: 'ppm' },
    temperature: { title: 'inside the sensor', type: 'integer', unit: 'Cel', detail: true },
    status: {
      title: 'status byte, not documented; 0 or 64 is stable',
      type: 'integer',
      detail: true,
    },
  },
  under: ({ every }) => ({ ...mhz19, silenceMs: 30_000 + 2 * Number(every) }),

  check: 'sum of the bytes, 8 bits',
  shape: headed({
    start: Uint8Array.of(0xff),
    headSize: 1,
    size: () => 9,
    sizeMax: 9,
    flaw: (frame) => (sumOf(frame) === frame[8] ? undefined : 'bad checksum'),
  }),

  begin: ({ every, range, calibration }) => ({
    everyMs: Number(every),
    dueMs: 0,
    settings: [
      ...(range === 'as it is' ? [] : [rangeCommand(Number(range))]),
      ...(calibration === 'as it is' ? [] : [command(0x79, calibration === 'on' ? 0xa0 : 0)]),
    ],
    asked: false,
  }),

  decode(frame, before): Step<Memory> {
    const memory = { ...before, asked: false }
    const [, command = 0] = frame
    if (command === 0x01) return { memory, said: doubt('a question, not an answer') }
    if (command !== 0x86) return { memory, said: doubt('answer to a command', answered(frame)) }
    if (u16be(frame, 6) === startingMark) return { memory, said: doubt('still starting') }
    const co2 = u16be(frame, 2)
    if (co2 === 0) return { memory, said: doubt('nothing measured yet') }
    const [, , , , warm = 0, status = 0] = frame
    const inside = warm === 0 ? {} : { temperature: warm - 40 }
    return { memory, said: { ok: true, values: { co2, ...inside, status } } }
  },

  questions: [Uint8Array.of(0xff, 1, 0x86, 0, 0, 0, 0, 0, 0x79)],
  ask(memory, nowMs): Ask<Memory> {
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const [setting, ...settings] = memory.settings
    // A setting takes it a moment, in which it hears nothing.
    const waitMs = setting === undefined ? memory.everyMs : 1_000
    return {
      memory: { ...memory, settings, asked: setting === undefined, dueMs: nowMs + waitMs },
      send: setting ?? command(0x86),
      wakeMs: waitMs,
      ...(memory.asked ? { doubt: 'no answer' } : {}),
    }
  },
})

/** Only while it starts, and only the first MH-Z19. */
const startingMark = 15_000

/** Commands that it answers besides that for CO2. */
const commands: Readonly<Record<number, string>> = {
  120: 'reset',
  121: 'self-calibration',
  125: 'self-calibration is',
  132: 'raw light',
  133: 'CO2 beyond its range',
  135: 'zero',
  136: 'span',
  153: 'range',
  155: 'range is',
  156: 'background CO2',
  160: 'firmware',
}

function answered([, command = 0, ...rest]: Uint8Array): string {
  const name = commands[command] ?? command.toString(16)
  const bytes = rest.slice(0, 6).map((byte) => byte.toString(16).padStart(2, '0'))
  return `${name}: ${bytes.join(' ')}`
}

/** The 19B reads two bytes at 6, the 19C and later four at 4: the same bytes serve both. */
function rangeCommand(ppm: number): Uint8Array {
  return command(0x99, 0, 0, 0, ppm >> 8, ppm & 0xff)
}

function command(...bytes: readonly number[]): Uint8Array {
  const frame = new Uint8Array(9)
  frame.set([0xff, 0x01, ...bytes])
  frame[8] = sumOf(frame)
  return frame
}

function sumOf(frame: Uint8Array): number {
  return -frame.subarray(1, 8).reduce((sum, byte) => sum + byte, 0) & 0xff
}
