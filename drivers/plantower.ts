/**
 * Plantower PMS: the family of laser particle counters.
 *
 * They speak unasked about once a second (faster while the air changes), 9600 baud 8N1. One frame, numbers
 * big-endian:
 *
 *   0  42 4d        start
 *   2  u16          length of what follows: 20, 28 or 36
 *   4  6 × u16      mass, µg/m³: PM1, PM2.5, PM10, first for factory dust (CF=1), then for air
 *  16  …            by model, below
 *  -4  u8 u8        firmware version, error code (PMS3003: reserved)
 *  -2  u16          sum of all bytes before
 *
 *   length  model                              16           24            28         30    32
 *   20      PMS3003                            reserved
 *   28      PMS1003, 5003, 7003, 9003M, A003   6 counts                   version
 *   28      PMS5003S                           6 counts                   CH2O, µg/m³ (no version)
 *   28      PMS5003T                           4 counts     temp, %RH     version
 *   36      PMS5003ST                          6 counts                   CH2O       temp  %RH
 *
 * Counts are particles in 0.1 L of air larger than 0.3, 0.5, 1, 2.5, 5, 10 µm; temperature (signed) and
 * humidity are in tenths. Frames of length 4 are answers to commands, which say what was commanded. A command
 * is 42 4d, one byte, u16, and the sum of these:
 *
 *   e1  0 speak only when asked, 1 speak unasked      e2  0 one frame, please      e4  0 sleep, 1 wake
 *
 * The laser lasts about three years of days and nights. `mode: ask` with `every` of a minute or more lets
 * the sensor sleep: it is woken, told to speak only when asked, blown free for 30 s, asked once, and sent to
 * sleep. A loss of power makes it speak unasked again: what was not asked for is a doubt, and it is told
 * anew. Left alone (`listen`), nothing is ever sent to it.
 *
 * Three models share one length. `variant: auto` tells the 5003T by its counts: temperature and humidity
 * stand where others count particles larger than 5 and 10 µm, and no sensor sees more of those than of
 * smaller ones while the rest of its counts fall; and they are a climate, of ±100 °C and 1 to 100 %RH. It can
 * not tell the 5003S: name that one.
 *
 * Source: Plantower data manuals of these models, appendix "communication protocol"; places and scales by
 * model as avaldebe/PyPMS and esphome (pmsx003) have them too. Checked: test/captures/plantower.
 *
 * What can go wrong, and what then happens:
 *   noise on the line      bad checksum; bytes are given up until a frame is whole again
 *   cold fan               frames of the first 30 s after a silence are doubts (warmUpMs)
 *   fan stopped, blocked   mass without particles; a doubt, and so is a Honeywell HPMA115, which frames alike
 *   not begun yet          nothing but zeros, where a version would stand too; a doubt
 *   cable pulled           no frame for 5 s; the port is opened anew (silenceMs)
 *   not answered           a doubt; it is woken and told again, for it may have lost its power
 */
import {
  type Ask,
  choice,
  type Driver,
  defineDriver,
  doubt,
  type Field,
  headed,
  i16be,
  lapse,
  type Step,
  sum16,
  u16be,
} from '../runtime/sense/driver.ts'

const models = [
  'pms1003',
  'pms3003',
  'pms5003',
  'pms5003s',
  'pms5003t',
  'pms5003st',
  'pms7003',
  'pms9003m',
  'pmsa003',
] as const

type Variant = (typeof models)[number] | 'auto'
type Memory = {
  readonly variant: Variant
  readonly mode: 'listen' | 'ask'
  readonly everyMs: number
  /** What is to be sent next, and when. */
  readonly next: Next
  readonly dueMs: number
  /** A question is on its way. */
  readonly asked: boolean
  /** When it was woken last, and when anything was sent; −1 before. */
  readonly wokenMs: number
  readonly sentMs: number
}
type Next = 'wake' | 'passive' | 'question' | 'sleep'

const second = 1000
const minute = 60 * second
const blowFreeMs = 30 * second

export const plantower: Driver = defineDriver<Memory>({
  id: 'plantower',
  title:
    'Plantower PMS particle counters (1003, 3003, 5003, 5003S, 5003T, 5003ST, 7003, 9003M, A003)',
  models: Object.fromEntries(models.map((variant) => [variant, { variant }])),
  serial: { baudRate: 9600 },
  otherBaudRates: [],
  warmUpMs: blowFreeMs,
  silenceMs: 5 * second,
  options: {
    variant: choice('which model it is', ['auto', ...models], 'auto'),
    mode: choice('ask: it speaks only when asked', ['listen', 'ask'], 'listen'),
    every: lapse('mode ask: how often; from 1min on it sleeps', second, 60 * minute, minute),
  },
  fields: {
    pm1: mass('PM1 in air'),
    pm2_5: mass('PM2.5 in air'),
    pm10: mass('PM10 in air'),
    pm1_factory: { ...mass('PM1, calibrated for factory dust (CF=1)'), detail: true },
    pm2_5_factory: { ...mass('PM2.5, calibrated for factory dust (CF=1)'), detail: true },
    pm10_factory: { ...mass('PM10, calibrated for factory dust (CF=1)'), detail: true },
    over0_3um: counted('0.3'),
    over0_5um: counted('0.5'),
    over1um: counted('1'),
    over2_5um: counted('2.5'),
    over5um: counted('5'),
    over10um: counted('10'),
    ch2o: mass('formaldehyde'),
    temperature: { title: 'temperature inside the sensor', type: 'number', unit: 'Cel' },
    humidity: { title: 'relative humidity inside the sensor', type: 'number', unit: '%RH' },
    firmware: { title: 'firmware version', type: 'integer', detail: true },
    error_code: { title: 'error code that the sensor reports', type: 'integer', detail: true },
  },

  fieldsWith: ({ variant }) => {
    if (variant === 'pms3003') return masses
    if (variant === 'pms5003s') return [...masses, ...counts, 'ch2o']
    if (variant === 'pms5003t') return [...masses, ...counts.slice(0, 4), ...climate]
    if (variant === 'pms5003st' || variant === 'auto')
      return [...masses, ...counts, 'ch2o', ...climate]
    return [...masses, ...counts]
  },

  check: 'sum of the bytes, 16 bits',
  questions: [command(0xe2, 0)],
  asking: { mode: 'ask' },
  shape: headed({
    start: Uint8Array.of(0x42, 0x4d),
    headSize: 4,
    size(head) {
      const length = head.getUint16(2)
      return [4, 20, 28, 36].includes(length) ? 4 + length : 0
    },
    sizeMax: 40,
    flaw: sum16,
  }),

  /** Silence is no news before the sensor has had its time to sleep. */
  under: ({ mode, every }) => ({
    ...plantower,
    silenceMs: 5 * second + (mode === 'ask' ? Number(every) + blowFreeMs + 5 * second : 0),
  }),

  begin: ({ variant, mode, every }) => ({
    variant: variant as Variant,
    mode: mode as Memory['mode'],
    everyMs: Number(every),
    ...{ next: 'wake', dueMs: 0, asked: false, wokenMs: 0, sentMs: -1 },
  }),

  decode(frame, memory): Step<Memory> {
    const size = frame.length
    if (size === 8)
      return { memory, said: doubt('answer to a command', u16be(frame, 4).toString(16)) }
    if (memory.mode === 'ask' && !memory.asked && memory.sentMs >= 0) return notAskedFor(memory)
    const after = answered(memory)
    const no = (why: string, what?: string) => ({ memory: after, said: doubt(why, what) })
    const found = memory.variant === 'auto' && isT(frame) ? 'pms5003t' : memory.variant
    if (!fits(found, size)) return no('frame of another model', `${size} bytes from a ${found}`)
    if (frame.subarray(4, -2).every((byte) => byte === 0)) return no('nothing measured yet')
    const inAir = air(frame)
    const byItsModel = byModel(frame, found)
    const isMass = inAir.pm10 > 0 || inAir.pm10_factory > 0
    if (byItsModel.over0_3um === 0 && isMass) return no('mass without particles')
    const values = { ...inAir, ...byItsModel }
    return { memory: { ...after, variant: found }, said: { ok: true, values } }
  },

  ask(memory, nowMs): Ask<Memory> {
    if (memory.mode === 'listen') return { memory, wakeMs: 60 * minute }
    if (nowMs < memory.dueMs) return { memory, wakeMs: memory.dueMs - nowMs }
    const missed = memory.asked ? { doubt: 'no answer' } : {}
    return { ...turn(memory, nowMs), ...missed }
  },
})

/** What to send now. */
function turn(memory: Memory, nowMs: number): Ask<Memory> {
  const sleeps = memory.everyMs >= minute
  const step = (next: Next, waitMs: number, send: Uint8Array, more: Partial<Memory> = {}) => ({
    memory: { ...memory, asked: false, sentMs: nowMs, ...more, next, dueMs: nowMs + waitMs },
    send,
    wakeMs: waitMs,
  })
  switch (memory.next) {
    case 'wake':
      return step('passive', second, command(0xe4, 1), { wokenMs: nowMs })
    case 'passive': {
      const blownMs = memory.wokenMs + blowFreeMs - nowMs
      return step('question', Math.max(blownMs, second), command(0xe1, 0))
    }
    case 'question': {
      // Without an answer in time it is woken and told again, or sent to sleep all the same.
      const waitMs = sleeps ? 5 * second : memory.everyMs
      return step(sleeps ? 'sleep' : 'wake', waitMs, command(0xe2, 0), { asked: true })
    }
    case 'sleep':
      return step('wake', memory.wokenMs + memory.everyMs - nowMs, command(0xe4, 0))
  }
}

/** The answer is here: the next question at its time, or sleep at once. */
function answered(memory: Memory): Memory {
  if (memory.mode === 'listen') return memory
  const sleeps = memory.everyMs >= minute
  const next: Partial<Memory> = sleeps ? { next: 'sleep', dueMs: 0 } : { next: 'question' }
  return { ...memory, asked: false, ...next }
}

/** It speaks unasked: it was just woken, or has lost its power and with it what it was told. */
function notAskedFor(memory: Memory): Step<Memory> {
  const { next, sentMs } = memory
  const again = next === 'question' ? 'passive' : next === 'wake' ? 'sleep' : undefined
  const told: Memory =
    again === undefined ? memory : { ...memory, next: again, dueMs: sentMs + second }
  return { memory: told, said: doubt('not asked for') }
}

const masses = ['pm1', 'pm2_5', 'pm10']
const counts = ['over0_3um', 'over0_5um', 'over1um', 'over2_5um', 'over5um', 'over10um']
const climate = ['temperature', 'humidity']

function mass(title: string): Field {
  return { title, type: 'integer', unit: 'ug/m3' }
}

function counted(um: string): Field {
  return { title: `particles larger than ${um} µm`, type: 'integer', unit: '/dL' }
}

/** The part that all models share. */
function air(frame: Uint8Array) {
  return {
    pm1: u16be(frame, 10),
    pm2_5: u16be(frame, 12),
    pm10: u16be(frame, 14),
    pm1_factory: u16be(frame, 4),
    pm2_5_factory: u16be(frame, 6),
    pm10_factory: u16be(frame, 8),
  }
}

function byModel(frame: Uint8Array, variant: Variant): Readonly<Record<string, number>> {
  if (frame.length === 24) return {}
  const seen = countsFrom(frame, variant === 'pms5003t' ? 4 : 6)
  if (variant === 'pms5003t') return { ...seen, ...climateAt(frame, 24), ...health(frame) }
  if (variant === 'pms5003s') return { ...seen, ch2o: u16be(frame, 28) }
  if (frame.length < 40) return { ...seen, ...health(frame) }
  return { ...seen, ch2o: u16be(frame, 28), ...climateAt(frame, 30), ...health(frame) }
}

function countsFrom(frame: Uint8Array, many: number): Record<string, number> {
  return Object.fromEntries(
    counts.slice(0, many).map((name, i) => [name, u16be(frame, 16 + 2 * i)]),
  )
}

function climateAt(frame: Uint8Array, at: number) {
  return { temperature: i16be(frame, at) / 10, humidity: u16be(frame, at + 2) / 10 }
}

function health(frame: Uint8Array) {
  return { firmware: frame.at(-4) ?? 0, error_code: frame.at(-3) ?? 0 }
}

function fits(variant: Variant, size: number): boolean {
  if (variant === 'auto') return true
  return size === (variant === 'pms3003' ? 24 : variant === 'pms5003st' ? 40 : 32)
}

/** True when these counts can only be those of a 5003T, see above. */
function isT(frame: Uint8Array): boolean {
  if (frame.length !== 32) return false
  const [n0_3 = 0, n0_5 = 0, n1 = 0, n2_5 = 0, next = 0, last = 0] = [16, 18, 20, 22, 24, 26].map(
    (at) => u16be(frame, at),
  )
  const falls = n0_3 >= n0_5 && n0_5 >= n1 && n1 >= n2_5
  const isClimate = Math.abs(i16be(frame, 24)) <= 1000 && last >= 10 && last <= 1000
  return falls && isClimate && (next > n2_5 || last > next)
}

/** 42 4d, the command, what is wanted, and the sum of these. */
function command(kind: number, wanted: 0 | 1): Uint8Array {
  const sum = 0x42 + 0x4d + kind + wanted
  return Uint8Array.of(0x42, 0x4d, kind, 0, wanted, sum >> 8, sum & 0xff)
}
