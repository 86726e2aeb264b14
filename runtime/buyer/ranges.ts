import type { Range } from '../wire/request.ts'
import type { Want } from './purse.ts'

/** The wants as ranges: one for each run of numbers of a stream and generation. */
export function rangesOf(wants: readonly Want[]): Range[] {
  const sorted = [...wants].sort(
    (a, b) =>
      a.meter.stream.localeCompare(b.meter.stream) ||
      a.generation - b.generation ||
      a.number - b.number,
  )
  const ranges: Range[] = []
  for (const { meter, generation, number } of sorted) {
    const last = ranges.at(-1)
    const joins =
      last?.stream === meter.stream && last.generation === generation && last.to + 1 >= number
    if (last !== undefined && joins) ranges[ranges.length - 1] = { ...last, to: number }
    else ranges.push({ stream: meter.stream, generation, from: number, to: number })
  }
  return ranges
}
