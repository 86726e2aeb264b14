/** What the device counts, for Prometheus. The only importer of prom-client. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export type Metrics = {
  /** Readings whose commit has returned; never before. */
  stored(stream: string, count: number): void
  /** Data that was not believed, by the sensor or model it came from and the reason. */
  doubted(source: string, reason: string, count?: number): void
  sealed(stream: string): void
  /** Epochs that the broker has acknowledged. */
  published(stream: string): void
  /** Epochs whose keys a buyer has been given. */
  sold(channel: string, count: number): void
  refused(code: string, count?: number): void
  /** Epochs that gave way: by `quota`, `age`, `disk`, or `unsent` when the broker never had them. */
  evicted(reason: string, count: number): void
  /** Another client with our id threw us out at the broker. */
  takenOver(): void
  /** Current levels, read when somebody looks. */
  levels(read: ReadLevels): void
  /** The text that Prometheus scrapes, and its content type. */
  text(): Promise<{ readonly body: string; readonly type: string }>
  /** Totals by label, for the health document. */
  totals(): Promise<Readonly<Record<TotalName, Readonly<Record<string, number>>>>>
}

export type LevelName = keyof typeof levelHelp
export type TotalName = keyof typeof totalHelp

const levelHelp = {
  outbox_rows: 'Messages that no PUBACK has confirmed yet.',
  outbox_bytes: 'Bytes of those messages.',
  waiting_readings: 'Readings stored in epochs that are still open.',
  store_bytes: 'Bytes of the store that are in use.',
  pinned_bytes: 'Of them, what was paid for within a day.',
  disk_free_bytes: 'Free on the disk under the store.',
  wal_bytes: 'Size of the write-ahead log.',
  broker_connected: '1 while the line to the broker stands.',
  cloned: '1 once another machine was heard to sign with our key: nothing is sent or sold.',
  broker_certificate_days: 'Days until our certificate at the broker ends; NaN without one.',
} as const

const totalHelp = {
  readings_stored: 'Readings whose commit has returned.',
  doubts: 'Data that was not believed, by source and reason.',
  epochs_sealed: 'Epochs sealed and committed.',
  epochs_published: 'Epochs that the broker has acknowledged.',
  epochs_sold: 'Epochs whose key a buyer has been given.',
  refusals: 'Requests refused, by code.',
  epochs_evicted: 'Epochs that gave way to newer ones, by reason.',
  broker_takeovers: 'Times that another client with our id threw us out.',
} as const

export function openMetrics(): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'wayside_' })
  const total = (name: TotalName, labels: string[]) =>
    new Counter({
      name: `wayside_${name}_total`,
      help: totalHelp[name],
      labelNames: labels,
      registers: [register],
    })
  const counters: Readonly<Record<TotalName, Counter>> = {
    readings_stored: total('readings_stored', ['stream']),
    doubts: total('doubts', ['source', 'reason']),
    epochs_sealed: total('epochs_sealed', ['stream']),
    epochs_published: total('epochs_published', ['stream']),
    epochs_sold: total('epochs_sold', ['channel']),
    refusals: total('refusals', ['code']),
    epochs_evicted: total('epochs_evicted', ['reason']),
    broker_takeovers: total('broker_takeovers', []),
  }
  let refresh = async () => {}
  return {
    stored: (stream, count) => counters.readings_stored.inc({ stream }, count),
    doubted: (source, reason, count = 1) => counters.doubts.inc({ source, reason }, count),
    sealed: (stream) => counters.epochs_sealed.inc({ stream }),
    published: (stream) => counters.epochs_published.inc({ stream }),
    sold: (channel, count) => counters.epochs_sold.inc({ channel }, count),
    refused: (code, count = 1) => counters.refusals.inc({ code }, count),
    evicted: (reason, count) => counters.epochs_evicted.inc({ reason }, count),
    takenOver: () => counters.broker_takeovers.inc(),
    levels(read) {
      const show = levelGauges(register)
      refresh = () => show(read)
    },
    async text() {
      // Before, not while: Prometheus shall not see the levels of the scrape before.
      await refresh()
      return { body: await register.metrics(), type: register.contentType }
    },
    totals: async () => {
      const rows = await Promise.all(
        Object.entries(counters).map(async ([name, counter]) => [name, await byLabel(counter)]),
      )
      return Object.fromEntries(rows) as Record<TotalName, Record<string, number>>
    },
  }
}

type ReadLevels = () => Promise<Readonly<Record<LevelName, number>>>

/** Gauges that show what was read last; `read` is asked once for all of them. */
function levelGauges(register: Registry) {
  const gauges = Object.entries(levelHelp).map(([name, help]) => {
    return [name, new Gauge({ name: `wayside_${name}`, help, registers: [register] })] as const
  })
  return async (read: ReadLevels) => {
    const now = await read()
    for (const [name, gauge] of gauges) gauge.set(now[name as LevelName])
  }
}

/** Sums under their labels' values, joined with a colon: `air:bad sum`. */
async function byLabel(counter: Counter): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(
    values.map(({ labels, value }) => [Object.values(labels).join(':') || 'all', value]),
  )
}
