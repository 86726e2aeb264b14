/** What the device's last words say: its health document at the end, inferences apart from readings. */
import type { Said } from './cast.ts'

export type Totals = {
  /** Moments after grouping, and what was no moment. */
  readonly sensed: number
  readonly stored: number
  readonly inferred: number
  readonly doubts: Readonly<Record<string, number>>
  readonly sealed: number
  /** Epochs whose key was given. */
  readonly sold: number
  /** In the token's smallest unit. */
  readonly delivered: string
}

type Ended = {
  readonly sensors: readonly {
    readonly name: string
    readonly moments: number
    readonly doubts: Readonly<Record<string, number>>
  }[]
  readonly sale: { readonly delivered: string }
  readonly totals: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export function totalsOf(said: Said): Totals {
  const { sensors, sale, totals } = said as unknown as Ended
  const names = new Set(sensors.map(({ name }) => name))
  const stored = Object.entries(totals.readings_stored ?? {})
  const doubts: Record<string, number> = {}
  for (const [label, count] of Object.entries(totals.doubts ?? {})) {
    const [source = '', reason = ''] = label.split(/:(.*)/)
    if (names.has(source)) doubts[reason] = (doubts[reason] ?? 0) + count
  }
  const heard = sensors.map(({ moments, doubts: by }) => moments + sum(Object.values(by)))
  // The device's own chain tells of clocks and generations, not of sensors.
  const sealed = Object.entries(totals.epochs_sealed ?? {}).filter(([name]) => name !== 'device')
  return {
    sensed: sum(heard),
    stored: sum(stored.filter(([name]) => names.has(name)).map(([, n]) => n)),
    inferred: sum(stored.filter(([name]) => !names.has(name)).map(([, n]) => n)),
    doubts,
    sealed: sum(sealed.map(([, n]) => n)),
    sold: sum(Object.values(totals.epochs_sold ?? {})),
    delivered: sale.delivered,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}
