/**
 * The words in which a driver says what a sensor is. A driver does no I/O and keeps no state of its own:
 *
 *   shape    where frames begin and end in the bytes     → runtime/sense/shape.ts
 *   decode   one intact frame and what is remembered → values, or a doubt, and what to remember
 *   moments  which frames belong to one moment            (left out: each frame is a moment)
 *   ask      a polled sensor: what to send, and when to be called again
 *
 * Free-running sensors need the first two. What spans frames (an AIS message in two parts, a date that
 * only some sentences carry, the request that an answer belongs to) lives in `Memory`, a plain value that
 * is passed in and handed back, so that every driver can be tested with bytes alone.
 */
import type { Value } from '../wire/reading.ts'
import type { Unit } from '../wire/units.ts'
import type { Breaker } from './breaker.ts'
import type { Option, OptionValues } from './options.ts'
import type { Shape } from './shape.ts'

export type { Value } from '../wire/reading.ts'
export type { Unit } from '../wire/units.ts'
export { type Breaker, breaker, missed } from './breaker.ts'
export { openGcm, openUntagged } from './gcm.ts'
export { type LineField, type LineTable, lineTableSchema } from './linetable.ts'
export { choice, document, flag, hexKey, lapse, type OptionValues, whole, word } from './options.ts'
export {
  type Block,
  defineProfile,
  type Profile,
  placesOf,
  profileSchema,
  type Register,
} from './profile.ts'
export {
  badChecksum,
  headed,
  i16be,
  missingChecksum,
  type Shape,
  stuffed,
  sum16,
  textLine,
  u16be,
  xor8,
} from './shape.ts'
export { firstKeeps, freshValues, type Records, recordsOf } from './values.ts'

/** What every driver states; `Memory` is its own and nobody else looks inside. */
export type Driver<Memory = unknown> = {
  /** What the config and `wayside decode` call it: small letters and digits. */
  readonly id: string
  readonly title: string
  /** Other names, as `<id>.<name>`, each with the options it stands for. */
  readonly models: Readonly<Record<string, OptionValues>>
  readonly serial: Serial
  /** Other speeds at which these sensors are met, likeliest first; `find` tries them. */
  readonly otherBaudRates: readonly number[]
  /** Frames this soon after a silence are doubts named `warming up`; 0 for a sensor without fan or heater. */
  readonly warmUpMs: number
  /** No intact frame for this long and the port is opened anew. */
  readonly silenceMs: number
  readonly options: Readonly<Record<string, Option>>
  readonly fields: Readonly<Record<string, Field>>
  /** Left out: all fields. Which of them this choice of options can bring, for the terms of a stream. */
  fieldsWith?(options: OptionValues): readonly string[]
  /** The driver as these options make it, where they change its fields or its line. */
  under?(options: OptionValues): Driver
  /** Present where several devices may share a line, each asked in its turn → runtime/sense/bus.ts */
  readonly bus?: Bus
  readonly shape: Shape
  /**
   * What tells an intact frame from a broken one, in few words: `CRC-16`. Left out where nothing does, and
   * then every saying is `unchecked`; where only some have it, such as those of old versions do not, those
   * are. A driver with such sayings lists `uncheckedField` among its fields.
   */
  readonly check?: string
  /** The memory before the first frame; `serial` is the line as it is opened. */
  begin(options: OptionValues, serial: Serial): Memory
  decode(frame: Uint8Array, memory: Memory): Step<Memory>
  readonly moments?: Moments
  /** Requests that change nothing, for `sniff --ask`: any such device answers at least one of them. */
  readonly questions?: readonly Uint8Array[]
  /** Options without which such a sensor is not asked, for the config of one that was found so. */
  readonly asking?: OptionValues
  /** Called when the port opens, after every frame and when the time it named has come. */
  ask?(memory: Memory, nowMs: number): Ask<Memory>
}

export type Serial = {
  readonly baudRate: number
  readonly dataBits?: 7 | 8
  readonly parity?: 'none' | 'even' | 'odd'
  readonly stopBits?: 1 | 2
}

export type Field = {
  readonly title: string
  readonly type: 'number' | 'integer' | 'boolean' | 'text'
  readonly unit?: Unit
  /** For the bench only: `decode` shows it, readings leave it out. */
  readonly detail?: true
}

/** What one frame says; undefined when it only fills the memory. */
export type Step<Memory> = { readonly memory: Memory; readonly said?: Said }

export type Said = Saying | Doubt

export type Saying = {
  readonly ok: true
  readonly values: Readonly<Record<string, Value>>
  /** Whose values these are, when several share the line: a ship, a meter, a slave. */
  readonly subject?: string
  /** The sensor's own time as an ISO 8601 instant, when it says one. */
  readonly time?: string
  /** Nothing told whether these bytes are those that the sensor sent; the reading says so too. */
  readonly unchecked?: true
  /** Units of values that the table of fields cannot list beforehand. */
  readonly units?: Readonly<Record<string, Unit>>
}

/** `doubt` is one of few fixed sentences (it is counted by name); `detail` is for a person at the bench. */
export type Doubt = { readonly ok: false; readonly doubt: string; readonly detail?: string }

export type Moments = {
  /** The line silent for this long ends the moment. */
  readonly quietMs: number
  /** True when `next` can not belong to the moment that holds these. */
  begins(held: readonly Saying[], next: Saying): boolean
  /**
   * Two frames of one moment as one; `values` may be written into and handed back. Left out, the first to
   * name a field keeps it (`firstKeeps`).
   */
  join?(values: Record<string, Value>, next: Saying['values']): Record<string, Value>
}

export type Bus = {
  /** How long the line must have been silent before anybody may be asked. */
  gapMs(serial: Serial): number
}

export type Ask<Memory> = {
  readonly memory: Memory
  readonly send?: Uint8Array
  /** Behind what is sent, or at once, the line runs at this rate; its bits stay as they are. */
  readonly baudRate?: number
  /** With `bus`: where the answer begins and ends, when what was sent tells; left out, the driver's shape. */
  readonly expect?: Shape
  /** The line belongs to this device until it is answered or `wakeMs` have passed: nobody else may ask. */
  readonly waits?: true
  /** Whether the device is asked as ever, or so seldom that its silence costs the others nothing. */
  readonly breaker?: Breaker['state']
  /** When to be called again if no frame comes first. */
  readonly wakeMs: number
  /** What an answer that never came is counted as. */
  readonly doubt?: string
}

/** Checks a driver's shape at compile time, and hides its memory from everybody else. */
export function defineDriver<Memory>(driver: Driver<Memory>): Driver {
  return driver as Driver
}

export function doubt(reason: string, detail?: string): Doubt {
  return detail === undefined
    ? { ok: false, doubt: reason }
    : { ok: false, doubt: reason, detail: detail.slice(0, detailCharsMax) }
}

/** For the fields of a driver that may say something unchecked; the runtime fills it in. */
export const uncheckedField = {
  unchecked: { title: 'no checksum guards these values', type: 'boolean' },
} as const satisfies Readonly<Record<string, Field>>

/** Everything that was said, and that it is unchecked where it is. */
export function allSaid({ values, unchecked }: Saying): Saying['values'] {
  return unchecked && Object.keys(values).length > 0 ? { ...values, unchecked } : values
}

/** The units of these values, by the driver's table and what the saying adds. */
export function unitsOf(driver: Driver, saying: Saying): Record<string, Unit> {
  const found: Record<string, Unit> = {}
  for (const name of Object.keys(saying.values)) {
    const unit = saying.units?.[name] ?? driver.fields[name]?.unit
    if (unit !== undefined) found[name] = unit
  }
  return found
}

/** The same without what is for the bench only; perhaps nothing is left. */
export function measured(driver: Driver, saying: Saying): Saying {
  const values: Record<string, Value> = {}
  for (const name of Object.keys(saying.values)) {
    if (!driver.fields[name]?.detail) values[name] = saying.values[name] as Value
  }
  return { ...saying, values }
}

/** A detail quotes a field of the frame at most. */
const detailCharsMax = 60
