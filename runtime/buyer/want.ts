/** What a buyer wants of a device. */
import type { Address } from '../wire/address.ts'
import type { Price } from '../wire/price.ts'
import type { Range } from '../wire/request.ts'
import type { Meter } from './bought.ts'

/** An epoch that we want: on sight, with the time that its header covers, or ahead, before it is seen. */
export type Want = {
  readonly meter: Meter
  readonly price: Price
  readonly generation: number
  readonly number: number
  readonly coveredMs?: bigint
}

/** What one device is to be paid for. */
export type Wish = {
  readonly device: Address
  readonly wants: readonly Want[]
  /** To be promised beyond what is spent. */
  readonly ahead: bigint
}

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

/** The first wants that make at most so many ranges; they stand stream by stream, in their order. */
export function firstRanges(wants: readonly Want[], max: number): readonly Want[] {
  let count = 0
  const end = wants.findIndex((want, i) => {
    const before = wants[i - 1]
    const joins =
      before?.meter.stream === want.meter.stream &&
      before.generation === want.generation &&
      before.number + 1 === want.number
    if (!joins) count += 1
    return count > max
  })
  return end === -1 ? wants : wants.slice(0, end)
}
