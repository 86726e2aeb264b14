/** Metering: what wanted epochs cost on top of what a channel already bought, in the books of the buyer. */
import { charge } from '../wire/price.ts'
import type { Books } from './books.ts'
import type { Want } from './want.ts'

/** The first wants whose price fits under `room`, and what is spent with them. */
export function affordable(
  { bought }: Pick<Books, 'bought'>,
  before: bigint,
  wants: readonly Want[],
  room: bigint,
): { readonly taken: readonly Want[]; readonly spent: bigint } {
  const metered = new Map<string, bigint>()
  const taken: Want[] = []
  let spent = before
  for (const want of wants) {
    const key = `${want.meter.stream} ${want.meter.terms}`
    const beforeMs = metered.get(key) ?? bought.coveredMs(want.meter)
    const moreMs = want.coveredMs ?? 0n
    const price = charge(beforeMs, moreMs, want.price)
    if (spent + price > room) break
    spent += price
    metered.set(key, beforeMs + moreMs)
    taken.push(want)
  }
  return { taken, spent }
}

/** Notes what is asked for, and of what was seen the time that it covers. */
export function noteAsked({ bought }: Pick<Books, 'bought'>, wants: readonly Want[]): void {
  for (const { meter, generation, number, coveredMs } of wants) {
    bought.add(meter, number, { generation, metered: coveredMs !== undefined })
    if (coveredMs !== undefined) bought.cover(meter, coveredMs)
  }
}

/** Undoes the note of one epoch; returns what it had cost. */
export function takeBack({ bought }: Pick<Books, 'bought'>, want: Want): bigint {
  const { meter, number, price, coveredMs = 0n } = want
  const restMs = bought.coveredMs(meter) - coveredMs
  bought.cover(meter, -coveredMs)
  bought.remove(meter, number)
  return charge(restMs, coveredMs, price)
}
