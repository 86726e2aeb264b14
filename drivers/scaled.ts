/** From a raw number to the value that a table makes of it. */

/**
 * Raw times scale plus offset, as a person would write it: 2305 tenths are 230.5, not 230.50000000000003, and
 * less 40 are 190.5. So what scales by a part is divided by, not multiplied with, and a sum is rounded to the
 * digits that a double has. Zero is never −0; a whole number that is neither scaled nor moved stays exact.
 */
export function scaled(raw: number | bigint, scale = 1, offset = 0): number | bigint {
  if (scale === 1 && offset === 0) return raw === 0 ? 0 : raw
  const parts = Math.round(1 / scale)
  const divides = parts !== 0 && Math.abs(1 / scale - parts) < 1e-9 * Math.abs(parts)
  const value = (divides ? Number(raw) / parts : Number(raw) * scale) + offset + 0
  return offset === 0 || Number.isInteger(value) ? value : Number(value.toPrecision(15))
}
