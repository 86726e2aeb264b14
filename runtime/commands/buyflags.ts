/** The flags that name devices, streams, amounts of time and points of history, as buyers say them. */
import { type Command, InvalidArgumentError } from 'commander'
import type { BuyRange, Point, Wanted } from '../buyer/index.ts'
import { duration } from '../config/quantity.ts'
import { type Address, parseAddress } from '../wire/address.ts'

export type WantedFlags = {
  readonly operator?: Address
  readonly device?: readonly Address[]
  readonly stream?: readonly string[]
}

/** Adds the flags that choose among what is on the market. */
export function addWantedFlags(command: Command): Command {
  return command
    .option('--operator <address>', 'only devices that this operator enrolled', address)
    .option('--device <address>', 'only this device; may be repeated', (text, all) => [
      ...list<Address>(all),
      address(text),
    ])
    .option('--stream <name>', 'only streams of this name; may be repeated', (text, all) => [
      ...list<string>(all),
      text,
    ])
}

export function wantedOf({ operator, device, stream }: WantedFlags): Wanted {
  return {
    ...(operator === undefined ? {} : { operator }),
    ...(device === undefined ? {} : { devices: device }),
    ...(stream === undefined ? {} : { streams: stream }),
  }
}

export type RangeFlags = { readonly from?: Point; readonly to?: Point }

/** Adds the flags that name a range of history. */
export function addRangeFlags(command: Command): Command {
  return command
    .option(
      '--from <point>',
      'from a time, so long ago, or an epoch: 2026-11-01T08:00Z, 24h, #1200',
      point,
    )
    .option('--to <point>', 'with --from: to there and no further, from what is stored', point)
}

export function rangeOf({ from, to }: RangeFlags, command: Command): { range?: BuyRange } {
  if (from !== undefined) return { range: { from, ...(to === undefined ? {} : { to }) } }
  if (to !== undefined) command.error("error: option '--to <point>' needs --from, where to begin")
  return {}
}

export function list<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : []
}

export function time(text: string): number {
  const parsed = duration({ min: 1, max: 366 * dayMs }).safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? '')
  return parsed.data
}

export function count(text: string): number {
  const parsed = /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined
  if (parsed === undefined) throw new InvalidArgumentError('a whole number, 1 or more.')
  return parsed
}

/** An ISO 8601 time (without a zone: of this machine), a length of time back from now, or `#` and a number. */
export function point(text: string): Point {
  const number = /^#([0-9]{1,10})$/.exec(text)?.[1]
  if (number !== undefined && Number(number) < 2 ** 32) return { number: Number(number) }
  const ago = duration({ min: 1, max: 36_525 * dayMs }).safeParse(text)
  if (ago.success) return { wallMs: Date.now() - ago.data }
  const wallMs = /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(wallMs)) {
    throw new InvalidArgumentError(
      'a time (2026-11-01T08:00Z), a length of time back from now (24h, 7d) or an epoch (#1200).',
    )
  }
  return { wallMs }
}

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new InvalidArgumentError('an address is 0x and 40 hex digits.')
  return parsed
}

const dayMs = 86_400_000
