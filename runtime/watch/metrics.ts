/** What the device counts. */
import { openCounts } from './counts.ts'

export type Metrics = {
  /** Readings whose commit has returned; never before. */
  stored(stream: string, count: number): void
  /** Data that was not believed, by the sensor or model it came from and the reason. */
  doubted(source: string, reason: string, count?: number): void
  sealed(stream: string): void
  /** Epochs that the broker has acknowledged. */
  published(stream: string): void
  /** Epochs whose keys a buyer has been given. */
  sold(count: number): void
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

export type LevelName = keyof typeof levels
export type TotalName = keyof typeof totals

const levels = {
  outbox_rows: ['Messages that no PUBACK has confirmed yet.'],
  outbox_bytes: ['Bytes of those messages.'],
  waiting_readings: ['Readings stored in epochs that are still open.'],
  store_bytes: ['Bytes of the store that are in use.'],
  pinned_bytes: ['Of them, what was paid for within a day.'],
  disk_free_bytes: ['Free on the disk under the store.'],
  wal_bytes: ['Size of the write-ahead log.'],
  store_refused: ['1 while the disk is full or fails: nothing new is kept.'],
  broker_connected: ['1 while the line to the broker stands.'],
  cloned: ['1 once another machine was heard to sign with our key: nothing is sent or sold.'],
  broker_certificate_days: ['Days until our certificate at the broker ends; NaN without one.'],
} as const

const totals = {
  readings_stored: ['Readings whose commit has returned.', 'stream'],
  doubts: ['Data that was not believed, by source and reason.', 'source', 'reason'],
  epochs_sealed: ['Epochs sealed and committed.', 'stream'],
  epochs_published: ['Epochs that the broker has acknowledged.', 'stream'],
  // Not by channel: every buyer that ever came would stay a series.
  epochs_sold: ['Epochs whose key a buyer has been given.'],
  refusals: ['Requests refused, by code.', 'code'],
  epochs_evicted: ['Epochs that gave way to newer ones, by reason.', 'reason'],
  broker_takeovers: ['Times that another client with our id threw us out.'],
} as const

type ReadLevels = () => Promise<Readonly<Record<LevelName, number>>>

export function openMetrics(): Metrics {
  const counts = openCounts(totals, levels)
  return {
    stored: (stream, count) => counts.add('readings_stored', [stream], count),
    doubted: (source, reason, count) => counts.add('doubts', [source, reason], count),
    sealed: (stream) => counts.add('epochs_sealed', [stream]),
    published: (stream) => counts.add('epochs_published', [stream]),
    sold: (count) => counts.add('epochs_sold', [], count),
    refused: (code, count) => counts.add('refusals', [code], count),
    evicted: (reason, count) => counts.add('epochs_evicted', [reason], count),
    takenOver: () => counts.add('broker_takeovers'),
    levels: counts.levels,
    text: counts.text,
    totals: counts.totals,
  }
}
