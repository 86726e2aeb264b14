/** How the demo's minute is spent, on a quiet machine and on a busy one. */

/** When all shall be over, counted from the start of the process. */
const overMs = 54_000

/** On a quiet machine: until the first reading is bought, until the buyer leaves, and what comes after. */
const quiet = { boughtMs: 8_000, leavesMs: 34_000, endMs: 3_500 }

/** A few epochs at least, whatever the machine. */
const buyAtLeastMs = 5_000

/** How long the device goes on without a buyer, so that there is something that nobody paid for. */
export const afterStopS = 4

/** Then something hangs that should not. */
export const tooLongMs = 120_000

/** How long to go on buying when the first reading was bought at `nowMs`: the slower, the less. */
export function buyForMs(nowMs: number): number {
  const slowness = Math.max(1, nowMs / quiet.boughtMs)
  const leavesMs = Math.min(quiet.leavesMs, overMs - afterStopS * 1000 - quiet.endMs * slowness)
  return Math.max(buyAtLeastMs, leavesMs - nowMs)
}
