/** Where a feed of a range begins: found by looking at single headers, which cost their bytes and no more. */
import type { Bell } from '../time/bell.ts'
import { decodeMessage } from '../wire/epoch.ts'
import { Malformed } from '../wire/malformed.ts'
import { type Refusal, sentence } from '../wire/refusal.ts'
import type { Feed, Shelf, Span } from './feed.ts'
import type { BuyerLimits } from './limits.ts'
import type { Listing } from './market.ts'
import { type BuyRange, type Dated, dates, spanOf } from './range.ts'
import type { Session } from './session.ts'
import type { Tally } from './tally.ts'
import { renews } from './trade.ts'

export type BeginOptions = {
  readonly feeds: readonly Feed[]
  /** Undefined when none was asked for: then every feed has begun. */
  readonly range: BuyRange | undefined
  readonly listing: Listing
  readonly fetch: Session['fetch']
  readonly bell: Bell
  readonly tally: Tally
  readonly limits: Pick<BuyerLimits, 'retryMs'>
}

/** Begins every feed of a range, and tells what it took. `renew`: only another order helps. */
export async function beginFeeds(
  options: BeginOptions,
  signal: AbortSignal,
): Promise<'begun' | 'renew' | 'not begun'> {
  const { feeds, range, listing, tally, bell, limits } = options
  let told = ''
  for (const feed of feeds) {
    while (range !== undefined && !feed.isBegun()) {
      const no = signal.aborted ? undefined : await begin({ ...options, feed, range }, signal)
      if (signal.aborted) return 'not begun'
      if (no === undefined) continue
      if (typeof no === 'object' && renews.has(no.code)) return 'renew'
      const why = typeof no === 'string' ? no : sentence(no)
      if (why !== told) tally.note({ event: 'refused', seller: listing.offer.device, why })
      told = why
      await bell.wait(limits.retryMs, signal)
    }
  }
  return 'begun'
}

type Beginning = BeginOptions & { readonly feed: Feed; readonly range: BuyRange }

/** Begins one feed; returns why it could not. */
async function begin(
  { feed, range, listing, fetch, tally }: Beginning,
  signal: AbortSignal,
): Promise<Refusal | string | undefined> {
  const { device, stream } = feed.meter
  const shelved = feed.shelved()
  if (shelved === undefined) return 'its index, which tells what it keeps, has not come'
  const { shelf } = shelved
  if (shelf === undefined) {
    // Nothing lies there yet: who has set no end waits for the first.
    const none: Span = range.to === undefined ? { from: 1 } : { from: 1, to: 0 }
    feed.begin(none)
    tally.ranged({ device, stream, ...none })
    return undefined
  }
  const look = lookout({ feed, listing, fetch }, signal)
  const span = await spanOf(range, shelf, Date.now(), look.dateOf)
  if (look.failed() !== undefined || signal.aborted) return look.failed()
  feed.begin(span)
  tally.ranged({ device, stream, ...span, ...look.about(span, shelf) })
  return undefined
}

type Look = Pick<Beginning, 'feed' | 'listing' | 'fetch'>

/** Looks at single epochs, each once. */
function lookout({ feed, listing, fetch }: Look, signal: AbortSignal) {
  const { device, stream } = feed.meter
  const { signingKey } = listing.offer
  const seen = new Map<number, Dated | undefined>()
  const calendar = dates()
  let failed: Refusal | undefined

  async function ask(number: number): Promise<Dated | undefined> {
    let dated: Dated | undefined
    const take = (messages: readonly Uint8Array[]) => {
      for (const message of messages) dated = dateIn(message, number) ?? dated
    }
    for (let tries = 0; tries < triesMax && failed === undefined && !signal.aborted; tries += 1) {
      const end = await fetch({ kind: 'fetch', stream, from: number, to: number }, take, signal)
      if (end?.kind === 'refusal') failed = end.refusal
      if (end?.kind === 'end') break
    }
    return dated
  }

  /** Only what the device signed counts; a tombstone in its place has no date. */
  function dateIn(message: Uint8Array, number: number): Dated | undefined {
    try {
      const { header, signer } = decodeMessage(message)
      const isIt = header.device === device && header.stream === stream && header.number === number
      return isIt && signer === signingKey ? calendar.of(header) : undefined
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      return undefined
    }
  }

  return {
    failed: () => failed,
    async dateOf(number: number): Promise<Dated | undefined> {
      if (!seen.has(number)) seen.set(number, await ask(number))
      return seen.get(number)
    },
    /** What is known of the ends, for people. */
    about(span: { readonly from: number; readonly to?: number }, shelf: Shelf) {
      const fromMs = seen.get(span.from)?.openedMs
      const toMs = span.to === undefined ? undefined : seen.get(span.to)?.closedMs
      return {
        kept: { from: shelf.first.number, to: shelf.last.number },
        ...(fromMs === undefined ? {} : { fromMs }),
        ...(toMs === undefined ? {} : { toMs }),
      }
    },
  }
}

/** A look that gets no answer is made again; then that epoch counts as one without a date. */
const triesMax = 3
