/** The health document: what a person or a fleet's desk asks first, and what is wrong, in sentences. */
import { faults } from '../faults.ts'
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
    /** Of the database, what is in use; and what buyers have paid for and may still fetch. */
    readonly usedBytes: number
    readonly pinnedBytes: number
    /** Free on the disk. */
    readonly diskBytes: number
    /** The last commit found no room; or the disk did not take it. */
    readonly full: boolean
    readonly failing: boolean
  }
  readonly broker: LineHealth
  /** `asking`: not compared with what stands at the broker yet; nothing is sent or sold so long. */
  readonly books: 'asking' | 'whole' | 'lost' | 'cloned'
  readonly sale: Facts
  readonly enrolled: boolean
  readonly totals: Readonly<Record<TotalName, Readonly<Record<string, number>>>>
  /** Past this many unsent bytes something is wrong with the line. */
  readonly outboxBytesMax: number
}

/** The line to the broker. */
export type LineHealth = {
  readonly url: string
  readonly connected: boolean
  readonly version?: string
  /** How the last line ended, or why there was none. */
  readonly down?: string
  /** What the line itself has to say: each with its cure. */
  readonly troubles: readonly Trouble[]
  /** How often another client with our id threw us out. */
  readonly takeovers: number
  /** Whole days until our certificate ends; unknown without one, or without the time. */
  readonly certificateDays?: number
}

type Facts = Readonly<Record<string, unknown>>
type Trouble = { readonly code: string; readonly message: string; readonly cure: string }

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
  const { url, connected, down, troubles, certificateDays } = parts.broker
  const cloned = parts.books === 'cloned'
  if (!connected && !cloned)
    problems.push(`no line to ${url}${because(down)}: readings are kept and sent when it is back`)
  for (const { message, cure } of troubles) problems.push(`${message}: ${cure}`)
  const certificate = certificateProblem(certificateDays)
  if (certificate !== undefined) problems.push(certificate)
  if (cloned) {
    const { cure } = faults.DEVICE_CLONED
    problems.push(
      `another machine signs with the key of this device: nothing is sent or sold any more; ${cure}`,
    )
  }
  if (parts.store.full) {
    problems.push('disk full: nothing new is kept until there is room; free some, or lower keep')
  }
  if (parts.store.failing) {
    problems.push(
      'the disk fails: nothing new is kept until it takes what is written; see dmesg, and its card, cable and power',
    )
  }
  const lost = parts.totals.epochs_evicted.unsent ?? 0
  if (lost > 0) problems.push(`${lost} epochs gave way to newer ones before they could be sent`)
  if (parts.store.outboxBytes > outboxBytesMax) {
    problems.push(`${parts.store.outboxBytes} unsent bytes: the line is too slow or down too long`)
  }
  if (parts.clock.quality === 'unset') {
    problems.push('the clock is unset: readings carry time since boot only; see NTP or an RTC')
  }
  return { ok: problems.length === 0, problems, ...parts, sale: printable(parts.sale) }
}

/** Why there is no line, in brackets. */
export function because(down: string | undefined): string {
  return down === undefined ? '' : ` (${down})`
}

/** What is wrong with a certificate that ends in so many days, if anything. */
export function certificateProblem(days: number | undefined): string | undefined {
  if (days === undefined || days > certificateDaysMin) return undefined
  const ends = days < 0 ? 'has ended' : `ends in ${days} days`
  return `our certificate at the broker ${ends}: put a new one in place of broker.certFile`
}

/** So many days before its end a certificate is a problem: time enough for a letter to the city. */
const certificateDaysMin = 14

/** JSON has no bigint: amounts stand as the text of their digits. */
export function printable(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === 'bigint' ? String(fact) : fact,
    ]),
  )
}
