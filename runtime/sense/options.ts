/** The options of a driver: what a person may write under `options:` in the config, and what it means. */
import type { z } from 'zod'
import { fault } from '../faults.ts'

/** A word, a number, a truth, or a document: a table that its schema has accepted. */
type OptionValue = string | number | boolean | object
export type OptionValues = Readonly<Record<string, OptionValue>>

export type Option = {
  readonly title: string
  /** What may be written, for help and refusals. */
  readonly allowed: string
  /** Left out: the option may stay unset. */
  readonly fallback?: OptionValue
  /** How a person would write it, where that is not how the driver sees it. */
  readonly fallbackText?: string
  /** True for keys: never printed. */
  readonly secret?: true
  /** A table may be written too, or the path of a file that holds one: what such a table must be like. */
  readonly document?: z.ZodType<object>
  /** The value as the driver sees it; undefined when this may not be written. */
  read(written: unknown): OptionValue | undefined
}

/** One of these words. */
export function choice(title: string, words: readonly string[], fallback: string): Option {
  return {
    title,
    allowed: words.join(', '),
    fallback,
    read: (written) => words.find((name) => name === plain(written)),
  }
}

/** A whole number from `min` to `max`. */
export function whole(title: string, min: number, max: number, fallback?: number): Option {
  const option: Option = {
    title,
    allowed: `a whole number from ${min} to ${max}`,
    read(written) {
      const number = typeof written === 'string' && written !== '' ? Number(written) : written
      const fits = Number.isSafeInteger(number) && Number(number) >= min && Number(number) <= max
      return fits ? Number(number) : undefined
    },
  }
  return fallback === undefined ? option : { ...option, fallback }
}

export function flag(title: string, fallback: boolean): Option {
  const words = new Map([
    ['true', true],
    ['yes', true],
    ['false', false],
    ['no', false],
  ])
  return { title, allowed: 'true or false', fallback, read: (said) => words.get(plain(said)) }
}

/** A key of so many bytes, in hex. It is a secret. */
export function hexKey(title: string, bytes: number): Option {
  const form = new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`)
  return {
    title,
    allowed: `${2 * bytes} hex digits`,
    secret: true,
    read: (written) => (form.test(plain(written)) ? plain(written) : undefined),
  }
}

/** A length of time from `min` to `max` ms, as `500ms`, `10s`, `5min` or `1h`; the driver sees ms. */
export function lapse(title: string, min: number, max: number, fallback: number): Option {
  const form = new RegExp(`^(\\d{1,9}(?:\\.\\d{1,3})?) ?(${Object.keys(lapseUnits).join('|')})$`)
  return {
    title,
    allowed: `a length of time from ${lapseText(min)} to ${lapseText(max)}`,
    fallback,
    fallbackText: lapseText(fallback),
    read(written) {
      const [, number = '', unit = ''] = form.exec(plain(written)) ?? []
      const ms = Math.round(Number(number) * (lapseUnits[unit] ?? Number.NaN))
      return ms >= min && ms <= max ? ms : undefined
    },
  }
}

const lapseUnits: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000, s: 1000, ms: 1 }

/** In the largest unit that writes it whole. */
function lapseText(ms: number): string {
  const [unit, factor] = Object.entries(lapseUnits).find(([, of]) => ms % of === 0) ?? ['ms', 1]
  return `${ms / factor}${unit}`
}

/** One of these words, or a table of one's own. */
export function document(
  title: string,
  words: readonly string[],
  fallback: string,
  schema: z.ZodType<object>,
): Option {
  return {
    title,
    allowed: `${words.join(', ')}, or the path of a file`,
    fallback,
    document: schema,
    read(written) {
      if (typeof written !== 'object') return words.find((name) => name === plain(written))
      return schema.safeParse(written).data
    },
  }
}

/** A text of at most `max` characters that this pattern allows. */
export function word(title: string, pattern: RegExp, allowed: string): Option {
  return {
    title,
    allowed,
    read: (written) => (typeof written === 'string' && pattern.test(written) ? written : undefined),
  }
}

/**
 * Reads what a person wrote for a driver, filling in what was left out.
 * Throws the fault DRIVER_OPTION_UNKNOWN or DRIVER_OPTION_INVALID.
 */
export function readOptions(
  driver: { readonly id: string; readonly options: Readonly<Record<string, Option>> },
  written: Readonly<Record<string, unknown>> = {},
): OptionValues {
  const known = Object.keys(driver.options)
  for (const name of Object.keys(written)) {
    if (known.includes(name)) continue
    throw fault('DRIVER_OPTION_UNKNOWN', {
      driver: driver.id,
      option: name,
      known: known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`,
    })
  }
  const values: Record<string, OptionValue> = {}
  for (const [name, option] of Object.entries(driver.options)) {
    const given = written[name]
    const value = given === undefined ? option.fallback : option.read(given)
    if (value !== undefined) values[name] = value
    else if (given !== undefined) throw badOption(driver.id, name, option, given)
  }
  return values
}

function badOption(driver: string, name: string, option: Option, given: unknown) {
  return fault('DRIVER_OPTION_INVALID', {
    driver,
    option: name,
    written: option.secret ? '(secret)' : `"${plain(given)}"`,
    allowed: option.allowed,
  })
}

/** What a person wrote, as text; empty for a list, a map or nothing. */
function plain(written: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof written) ? String(written) : ''
}
