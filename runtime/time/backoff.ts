/**
 * Full jitter: a wait drawn evenly from 0 up to a bound that doubles with each failure in a row, so that
 * a fleet that lost its broker at one instant does not come back at one instant.
 */
export function backOff(
  failures: number,
  firstMs: number,
  maxMs: number,
  random: () => number,
): number {
  return Math.floor(random() * Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30)))
}
