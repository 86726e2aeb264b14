/**
 * The scoring windows and rule of the Numenta Anomaly Benchmark (nab/scorer.py, standard profile), written
 * again from its description; models/anomaly/measure.py is its twin, and the two must agree.
 */
import { readFileSync } from 'node:fs'

export type Series = {
  readonly name: string
  readonly timesMs: readonly number[]
  readonly values: readonly number[]
  /** First and last index of each labelled window. */
  readonly windows: readonly (readonly [number, number])[]
  /** Where scoring begins: NAB's probation, 15 % of the series and at most 750 readings. */
  readonly from: number
}

type Case = {
  readonly name: string
  readonly input_file: string
  readonly expect: { readonly windows: readonly (readonly [string, string])[] }
}

const folder = new URL('../captures/timeseries/', import.meta.url)

export function loadSeries(name: string): Series {
  const cases: Case[] = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'))
  const found = cases.find((one) => one.name === name)
  if (found === undefined) throw new RangeError(`no series ${name}`)
  const lines = readFileSync(new URL(found.input_file, folder), 'utf8').trim().split('\n').slice(1)
  const rows = lines.map((line) => line.trim().split(',') as [string, string])
  const timesMs = rows.map(([time]) => instant(time))
  const windows = found.expect.windows.map(([first, last]): [number, number] => [
    timesMs.findIndex((time) => time >= instant(first)),
    timesMs.findLastIndex((time) => time <= instant(last)),
  ])
  const from = Math.min(Math.floor((timesMs.length * 15) / 100), 750)
  return { name, timesMs, values: rows.map(([, value]) => Number(value)), windows, from }
}

export type Figures = {
  /** 0 for a silent detector, 100 for a perfect one; below 0 when it had better be silent. */
  readonly nab: number
  readonly windows: number
  readonly found: number
  readonly falseAlarms: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** The card's row: `alarms[i]` are the indices at which series i was called anomalous. */
export function figures(
  series: readonly Series[],
  alarms: readonly (readonly number[])[],
): Figures {
  let raw = 0
  let found = 0
  let falseAlarms = 0
  const windows = series.reduce((sum, one) => sum + one.windows.length, 0)
  for (const [i, one] of series.entries()) {
    const heard = (alarms[i] ?? []).filter((at) => at >= one.from)
    raw += nabScore(one, heard)
    found += one.windows.filter((window) => heard.some((at) => within(at, window))).length
    falseAlarms += events(heard).filter((event) => !one.windows.some(touches(event))).length
  }
  const precision = found + falseAlarms === 0 ? 0 : found / (found + falseAlarms)
  const recall = windows === 0 ? 0 : found / windows
  const f1 = found === 0 ? 0 : (2 * precision * recall) / (precision + recall)
  const nab = (100 * (raw + windows)) / Math.max(1, 2 * windows)
  return { nab, windows, found, falseAlarms, precision, recall, f1 }
}

type Span = readonly [number, number]

/** The earliest alarm of a window counts, a missed window costs 1, an alarm outside up to 0.11. */
function nabScore({ windows }: Series, alarms: readonly number[]): number {
  let total = 0
  for (const window of windows) {
    const [first, last] = window
    const gains = alarms
      .filter((at) => within(at, window))
      .map((at) => sigmoid(-(last - at + 1) / (last - first + 1)) / sigmoid(-1))
    total += gains.length === 0 ? -1 : Math.max(...gains)
  }
  for (const at of alarms.filter((at) => !windows.some((window) => within(at, window)))) {
    const before = windows.findLast(([, last]) => last < at)
    if (before === undefined) total -= falseWeight
    else total += falseWeight * sigmoid((at - before[1]) / Math.max(1, before[1] - before[0]))
  }
  return total
}

const falseWeight = 0.11

function sigmoid(place: number): number {
  return place > 3 ? -1 : 2 / (1 + Math.exp(5 * place)) - 1
}

/** Alarms less than 24 readings after one another are one event. */
function events(alarms: readonly number[]): Span[] {
  const spans: [number, number][] = []
  for (const at of alarms) {
    const last = spans.at(-1)
    if (last !== undefined && at - last[1] < 24) last[1] = at
    else spans.push([at, at])
  }
  return spans
}

function within(at: number, [first, last]: Span): boolean {
  return at >= first && at <= last
}

function touches([first, last]: Span): (window: Span) => boolean {
  return ([from, to]) => first <= to && last >= from
}

function instant(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}
