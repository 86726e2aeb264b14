/**
 * A journey: one story of the street, told on every broker.
 *
 * To write one, make a file in rows/ (or cheats/):
 *
 *     export const restarted = journey({
 *       name: 'restart',
 *       says: 'a device that is stopped in the middle of a sale goes on where it was',
 *       street: { devices: 1 },
 *       async run(street, t) {
 *         const [stall] = street.stalls
 *         …
 *         t.diagnostic(`${count} readings`)
 *       },
 *     })
 *
 * and name it in rows/index.ts. `npm run journeys` tells it on all five brokers, `npm test` on aedes. The
 * street is open when it begins, with the broker and the chain, and everything on it ends with it; its
 * devices speak after `stall.open()`, the desk stands after `street.operate()`, and buyers are
 * `street.buy(…)`. A journey asserts; what it throws is why its cell is red. It ends by itself within
 * `withinS`, or `longWithinS` of the long form.
 */
import { chainAvailable } from '../../demo/chain.ts'
import { type Flavour, flavours, noBroker } from './brokers.ts'
import { openStreet, type Street, type StreetOptions } from './street.ts'

export type Journey = {
  /** A few words; stands once. */
  readonly name: string
  /** A sentence: what holds. */
  readonly says: string
  /** Where it is told, with the reason in `says`; left out, everywhere. */
  readonly brokers?: readonly Flavour[]
  readonly street?: Omit<StreetOptions, 'broker'>
  /** Why this machine cannot have it; false where it can. */
  readonly missing?: (flavour: Flavour) => string | false
  readonly withinS?: number
  readonly longWithinS?: number
  run(street: Street, t: Told): Promise<void>
}

export type Told = {
  /** A figure or two for whoever reads the log. */
  diagnostic(text: string): void
  after(fn: () => Promise<void>): void
  /** Whether it may take its time: minutes and hours in place of seconds. */
  readonly long: boolean
}

/** The journey itself; the call is there for the types. */
export function journey(one: Journey): Journey {
  return one
}

/** Why it is left out there; false where it is told. */
export function left(
  { brokers = flavours, street, missing }: Journey,
  on: Flavour,
): string | false {
  if (!brokers.includes(on)) return `told on ${brokers.join(', ')} only`
  if (street?.money !== false && !chainAvailable()) return 'no anvil for this machine'
  return noBroker(on) || (missing?.(on) ?? false)
}

/** Tells it once on a street of its own. Throws what it throws, and hands every word to `red` then. */
export async function tell(
  one: Journey,
  on: Flavour,
  t: Told,
  red: (words: string) => void = () => {},
): Promise<void> {
  const street = await openStreet(t, { ...one.street, broker: on })
  try {
    await one.run(street, t)
  } catch (cause) {
    red(street.words())
    throw cause
  }
}
