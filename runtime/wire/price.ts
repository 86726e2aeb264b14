/**
 * Prices are per time covered, and what is due is rounded once, on the running total: cutting the
 * same time into more epochs earns nothing. Times are milliseconds of the device's monotonic clock.
 */
export type Price = {
  /** In the token's smallest unit. */
  readonly amount: bigint
  /** For so many milliseconds of covered time; at least 1. */
  readonly perMs: bigint
}

/** What an epoch's header says of its time, and the epoch length that its terms promise. */
export type Span = {
  readonly openedMonotonicMs: number
  /** Of an interrupted epoch: the time of its last tree head. */
  readonly closedMonotonicMs: number
  readonly nominalMs: number
}

/** The time that an epoch covers: opening to closing, never above nominal, never below zero. */
export function coveredMs({ openedMonotonicMs, closedMonotonicMs, nominalMs }: Span): bigint {
  return BigInt(Math.max(0, Math.min(closedMonotonicMs - openedMonotonicMs, nominalMs)))
}

/**
 * Due for that much covered time in all, rounded down. Throws a RangeError for a price per nothing.
 */
export function due(coveredMs: bigint, { amount, perMs }: Price): bigint {
  if (perMs < 1n) throw new RangeError('a price is per at least one millisecond')
  return (coveredMs * amount) / perMs
}

/** Due for `moreMs` on top of what the channel already paid for, for the same stream and terms. */
export function charge(beforeMs: bigint, moreMs: bigint, price: Price): bigint {
  return due(beforeMs + moreMs, price) - due(beforeMs, price)
}

/** True when the price is not above the ceiling, both per time. */
export function isWithin(price: Price, ceiling: Price): boolean {
  return (
    price.perMs >= 1n &&
    ceiling.perMs >= 1n &&
    price.amount * ceiling.perMs <= ceiling.amount * price.perMs
  )
}
