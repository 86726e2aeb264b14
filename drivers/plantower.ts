/**
 * Plantower PMS: the family of laser particle counters.
 *
 * They speak unasked about once a second, 9600 baud 8N1. One frame, numbers big-endian:
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
 *   28      PMS1003, 5003, 7003, A003          6 counts                   version
 *   28      PMS5003S                           6 counts                   CH2O, µg/m³ (no version)
 *   28      PMS5003T                           4 counts     temp, %RH     version
 *   36      PMS5003ST                          6 counts                   CH2O       temp  %RH
 *
 * Counts are particles in 0.1 L of air larger than 0.3, 0.5, 1, 2.5, 5, 10 µm; temperature and humidity
 * are in tenths. Frames of length 4 are answers to commands (sleep, passive mode) and measure nothing.
 *
 * Three models share one length. `variant: auto` tells the 5003T by its counts: its temperature stands
 * where others count particles larger than 5 µm, and no sensor sees more of those than of particles
 * larger than 2.5 µm while the rest of its counts fall. It can not tell the 5003S: name that one.
 *
 * Source: Plantower data manuals of the PMS3003, PMS5003, PMS7003, PMS5003S, PMS5003T and PMS5003ST,
 * appendix "communication protocol". Checked: test/captures/plantower.
 *
 * What can go wrong, and what then happens:
 *   noise on the line      bad checksum; bytes are given up until a frame is whole again
 *   cold fan               frames of the first 30 s after a silence are doubts (warmUpMs)
 *   fan stopped, blocked   mass without particles; a doubt
 *   cable pulled           no frame for 5 s; the port is opened anew (silenceMs)
 */
import {
  choice,
  defineDriver,
  doubt,
  type Field,
  headed,
  i16be,
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
  'pmsa003',
] as const

type Variant = (typeof models)[number] | 'auto'
type Memory = { readonly variant: Variant }

export const plantower = defineDriver<Memory>({
  id: 'plantower',
  title: 'Plantower PMS particle counters (1003, 3003, 5003, 5003S, 5003T, 5003ST, 7003, A003)',
  models: Object.fromEntries(models.map((variant) => [variant, { variant }])),
  serial: { baudRate: 9600 },
  otherBaudRates: [],
  warmUpMs: 30_000,
  silenceMs: 5_000,
  options: { variant: choice('which model it is', ['auto', ...models], 'auto') },

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

  begin: ({ variant }) => ({ variant: variant as Variant }),

  decode(frame, memory): Step<Memory> {
    const size = frame.length
    if (size === 8) return { memory, said: doubt('answer to a command') }
    const found = memory.variant === 'auto' && isT(frame) ? 'pms5003t' : memory.variant
    if (!fits(found, size)) {
      return { memory, said: doubt('frame of another model', `${size} bytes from a ${found}`) }
    }
    const inAir = air(frame)
    const byItsModel = byModel(frame, found)
    if (byItsModel.over0_3um === 0 && inAir.pm10 > 0) {
      return { memory, said: doubt('mass without particles') }
    }
    return { memory: { variant: found }, said: { ok: true, values: { ...inAir, ...byItsModel } } }
  },
})

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
  const [n0_3 = 0, n0_5 = 0, n1 = 0, n2_5 = 0, next = 0] = [16, 18, 20, 22, 24].map((at) =>
    u16be(frame, at),
  )
  return n0_3 >= n0_5 && n0_5 >= n1 && n1 >= n2_5 && next > n2_5 && n0_3 > 0
}
