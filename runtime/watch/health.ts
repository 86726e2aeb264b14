/** The health document: what a person or a fleet's desk asks first, and what is wrong, in sentences. */
import type { TotalName } from './metrics.ts'

export type HealthParts = {
  readonly device: string
  readonly version: string
  readonly clock: { readonly boot: string; readonly quality: 'unset' | 'rtc' | 'synced' }
  readonly sensors: readonly ({
    readonly name: string
    readonly state: string
    readonly moments: number
  } & Facts)[]
  readonly models: readonly ({ readonly name: string } & Facts)[]
  readonly store: {
    readonly waiting: number
    readonly epochs: number
    readonly outboxRows: number
    readonly outboxBytes: number
    readonly walBytes: number
    readonly databaseBytes: number
  }
  readonly broker: { readonly url: string; readonly connected: boolean }
  readonly sale: Facts
  readonly enrolled: boolean
  readonly totals: Readonly<Record<TotalName, Readonly<Record<string, number>>>>
  /** Past this many unsent bytes something is wrong with the line. */
  readonly outboxBytesMax: number
}

type Facts = Readonly<Record<string, unknown>>

export type Health = Omit<HealthParts, 'outboxBytesMax'> & {
  readonly ok: boolean
  /** What is wrong, and what to do about it. */
  readonly problems: readonly string[]
}

export function healthOf({ outboxBytesMax, ...parts }: HealthParts): Health {
  const problems: string[] = []
  for (const { name, state } of parts.sensors) {
    if (state === 'silent' || state === 'backoff') {
      problems.push(`sensor ${name} is silent: check its cable and power, and see wayside ports`)
    }
  }
  if (!parts.broker.connected) {
    problems.push(`no line to ${parts.broker.url}: readings are kept and sent when it is back`)
  }
  if (parts.store.outboxBytes > outboxBytesMax) {
    problems.push(`${parts.store.outboxBytes} unsent bytes: the line is too slow or down too long`)
  }
  if (parts.clock.quality === 'unset') {
    problems.push('the clock is unset: readings carry time since boot only; see NTP or an RTC')
  }
  return { ok: problems.length === 0, problems, ...parts, sale: printable(parts.sale) }
}

/** JSON has no bigint: amounts stand as the text of their digits. */
export function printable(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === 'bigint' ? String(fact) : fact,
    ]),
  )
}
