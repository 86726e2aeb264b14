/** What a feed lacks is fetched, window after window, as fast as its consumer keeps up and no faster. */
import { pause } from '../time/pause.ts'
import { sentence } from '../wire/refusal.ts'
import { backlogMax, type Feed } from './feed.ts'
import type { Fetched } from './session.ts'
import { renews, type TradeState } from './trade.ts'

/** Fetches one window of what is missing, if it is time to. `renew`: only another order helps. */
export async function fetchMissing(
  state: TradeState,
  feed: Feed,
  ending: AbortSignal,
): Promise<'renew' | undefined> {
  const gap = feed.missing()
  if (gap === undefined || state.nowMs() - gap.sinceMs < state.limits.gapMs) return undefined
  const room = feed.room()
  // Few large windows, not many small ones.
  const worthwhile = Math.min(gap.to - gap.from + 1, backlogMax / 2)
  if (room < worthwhile || !state.room()) return undefined
  const { from } = gap
  const { stream } = feed.meter
  const to = state.holes.has(feed) ? gap.to : Math.min(gap.to, from + room - 1)
  const end = await state.fetch({ kind: 'fetch', stream, from, to }, feed.take, ending)
  const moved = feed.missing()?.from !== from
  state.holes.delete(feed)
  if (moved && end?.kind === 'end') return undefined
  if (end?.kind === 'refusal') return heedRefused(state, feed, end, ending)
  if (end?.kind !== 'end' || !end.whole) return undefined
  // Nothing of this window is stored: what lies behind it shows how wide the hole is, and then it is a gap.
  const now = feed.missing()
  if (to < gap.to) state.holes.add(feed)
  else if (now?.to === gap.to) feed.giveUp()
  return undefined
}

async function heedRefused(
  state: TradeState,
  feed: Feed,
  { refusal }: Extract<Fetched, { kind: 'refusal' }>,
  ending: AbortSignal,
): Promise<'renew' | undefined> {
  const { code } = refusal
  if (renews.has(code)) return 'renew'
  const { tally, listing, limits, feeds } = state
  // The allowance grows with what is bought: as long as there is something to buy, it is no end.
  const mayGrow = feeds.some((one) => one.wants().length > 0 || one.undelivered() !== undefined)
  if (code === 'fetch-allowance' && mayGrow) return undefined
  if (code !== state.told) {
    tally.note({ event: 'refused', seller: listing.offer.device, why: sentence(refusal) })
  }
  state.told = code
  if (code === 'fetch-allowance' || code === 'range-unknown') feed.giveUp()
  await pause(limits.retryMs, ending)
  return undefined
}
