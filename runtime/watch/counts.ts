/** Counters and levels by a table, for Prometheus. The only importer of prom-client. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** What is counted: what it says of itself, and what it is counted by. */
export type TotalTable = Readonly<Record<string, readonly [help: string, ...labels: string[]]>>
/** What stands at some height: what it says of itself, and what it stands by, if by anything. */
export type LevelTable = Readonly<Record<string, readonly [help: string, label?: string]>>

export type Counts<Totals extends TotalTable, Levels extends LevelTable> = {
  /** Counts it under the values of its labels, in their order. */
  add(name: keyof Totals, labels?: readonly string[], count?: number): void
  /** How the levels are read, once whenever somebody looks. */
  levels(read: () => Promise<LevelsNow<Levels>>): void
  /** The text that Prometheus scrapes, and its content type. */
  text(): Promise<{ readonly body: string; readonly type: string }>
  /** Totals under their labels' values, joined with a colon: `air:bad sum`. */
  totals(): Promise<Readonly<Record<keyof Totals, Readonly<Record<string, number>>>>>
}

/**
 * So many series of one counter at most, and the rest together under `other`: a driver of another maker may
 * name each of its doubts differently, and each name would stay in memory, and at Prometheus, for ever.
 */
export const seriesMax = 500

/** A number for each, or numbers by the value of its label. */
export type LevelsNow<Levels extends LevelTable> = {
  readonly [Name in keyof Levels]: Levels[Name] extends readonly [string]
    ? number
    : Readonly<Record<string, number>>
}

export function openCounts<Totals extends TotalTable, Levels extends LevelTable>(
  totals: Totals,
  levels: Levels,
): Counts<Totals, Levels> {
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'wayside_' })
  // Gauges by these names, which Prometheus keeps for counters; their parts stand beside them.
  for (const name of misnamed) register.removeSingleMetric(`wayside_${name}`)
  const counters = new Map<keyof Totals, Series>()
  for (const [name, [help, ...labels]] of Object.entries(totals)) {
    const named = { name: `wayside_${name}_total`, help, labelNames: labels, registers: [register] }
    counters.set(name, { counter: new Counter(named), labels, seen: new Set() })
  }
  let refresh = async () => {}
  return {
    add(name, values = [], count = 1) {
      const series = counters.get(name)
      if (series === undefined) return
      const { counter, labels, seen } = series
      const key = JSON.stringify(values)
      const known = seen.has(key) || seen.size < seriesMax
      if (known) seen.add(key)
      const valueAt = (i: number) => (known ? (values[i] ?? '') : 'other')
      counter.inc(Object.fromEntries(labels.map((of, i) => [of, valueAt(i)])), count)
    },
    levels(read) {
      const show = gauges(register, levels)
      refresh = async () => show(await read())
    },
    async text() {
      // Before, not while: Prometheus shall not see the levels of the scrape before.
      await refresh()
      return { body: await register.metrics(), type: register.contentType }
    },
    async totals() {
      const rows = [...counters].map(async ([name, { counter }]) => [name, await byLabel(counter)])
      return Object.fromEntries(await Promise.all(rows))
    },
  }
}

/** A counter, and the values of its labels that were seen. */
type Series = {
  readonly counter: Counter
  readonly labels: readonly string[]
  readonly seen: Set<string>
}

const misnamed = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]

function gauges(register: Registry, levels: LevelTable) {
  const all = Object.entries(levels).map(([name, [help, label]]) => {
    const labelNames = label === undefined ? [] : [label]
    const named = { name: `wayside_${name}`, help, labelNames, registers: [register] }
    return { name, label, gauge: new Gauge(named) }
  })
  return (now: Readonly<Record<string, number | Readonly<Record<string, number>>>>) => {
    for (const { name, label, gauge } of all) {
      const value = now[name] ?? Number.NaN
      if (typeof value === 'number') gauge.set(value)
      else {
        gauge.reset()
        for (const [of, height] of Object.entries(value)) gauge.set({ [label ?? '']: of }, height)
      }
    }
  }
}

async function byLabel(counter: Counter): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(
    values.map(({ labels, value }) => [Object.values(labels).join(':') || 'all', value]),
  )
}
