/**
 * A feed: one stream of one device, from sealed messages to verified readings, in the order of its chain.
 *
 *   message → follower → seen → asked for → opened → handed out        and the cursor behind it
 *
 * An epoch that is not for us (other terms, time that was sold already) is passed over and named. No I/O
 * but the books: a feed is told of messages, keys and purchases, and says what it wants.
 */
import { hex } from '../wire/bytes.ts'
import { decodeMessage, type Message, openEpoch } from '../wire/epoch.ts'
import { Malformed } from '../wire/malformed.ts'
import { coveredMs, type Price } from '../wire/price.ts'
import type { Books } from './books.ts'
import type { Meter } from './bought.ts'
import { follow, type Head, type Verdict } from './follow.ts'
import { type Item, itemsOf } from './item.ts'
import type { ListedStream, Listing } from './market.ts'
import type { Want } from './purse.ts'
import type { Tally } from './tally.ts'

/** What leaves a feed: a reading, or only word that the cursor may move. */
export type Parcel = {
  readonly item?: Item
  /** The consumer is done with it: the cursor goes behind it. */
  taken(): void
}

export type Feed = {
  readonly meter: Meter
  /** Takes a message as it came from the broker or from a fetch. */
  take(payload: Uint8Array): void
  /** The stream has come to this number, says its index: what lies before it is there to be had. */
  reach(number: number): void
  /** Numbers that are missing, and since when. */
  missing(): Missing | undefined
  /** What is missing cannot be had: named, and passed over. */
  giveUp(): void
  /** Epochs that are seen and not asked for, oldest first. */
  wants(): Want[]
  /** The next numbers that nobody has seen or asked for, to be paid ahead. */
  ahead(count: number): Want[]
  asked(wants: readonly Want[]): void
  /** The seller does not have them: passed over. */
  refused(wants: readonly Want[]): void
  /** Opens what there are keys for. */
  open(): void
  /** Everything asked for and not handed out, whether it is seen or still ahead. */
  outstanding(): Want[]
  /** Epochs asked for and seen, and not open yet. */
  undelivered(): { readonly epochs: number; readonly sinceMs: number } | undefined
  /** Messages held, at whatever stage. */
  backlog(): number
}

export type Missing = { readonly from: number; readonly to: number; readonly sinceMs: number }

export type FeedOptions = {
  readonly books: Books
  readonly listing: Listing
  readonly listed: ListedStream
  readonly meter: Meter
  /** Goes on where an earlier run ended; else begins with the next epoch that comes. */
  readonly resume: boolean
  readonly tally: Tally
  readonly emit: (parcel: Parcel) => void
  /** An epoch that was paid ahead is seen: now its price is known. */
  readonly prepaid: (want: Want) => void
  /** A key that was paid for does not open its epoch. */
  readonly cheated: () => void
  readonly nowMs: () => number
}

type Entry = {
  /** Where the chain stands behind this entry. */
  readonly head: Head
  /** Only of an epoch. */
  readonly message?: Message
  state: 'seen' | 'asked' | 'passed'
  sinceMs: number
}

export function openFeed(options: FeedOptions): Feed {
  const { books, listing, listed, meter, tally, emit, nowMs } = options
  const { device, stream } = meter
  const { amount, perMs } = listed.terms.price
  const price: Price = { amount: BigInt(amount), perMs: BigInt(perMs) }
  const cursor = options.resume ? books.cursors.get(device, stream) : undefined
  const follower = follow({
    device,
    stream,
    signingKey: listing.offer.signingKey,
    ...(cursor === undefined ? {} : { from: cursor.head }),
  })
  const askedFor = books.bought.open(meter)
  const entries: Entry[] = []
  let skipFirst = cursor?.taken ?? 0
  let reached = 0
  let missingSinceMs: number | undefined

  return {
    meter,
    take(payload) {
      const message = read(payload)
      if (message === undefined) return
      for (const verdict of follower.take(message)) hear(verdict)
      open()
    },
    reach(number) {
      reached = Math.max(reached, number)
    },
    missing() {
      const gap = gapNow()
      if (gap === undefined) missingSinceMs = undefined
      else missingSinceMs ??= nowMs()
      return gap === undefined ? undefined : { ...gap, sinceMs: missingSinceMs as number }
    },
    giveUp() {
      for (const verdict of follower.skip()) hear(verdict)
      reached = 0
      missingSinceMs = undefined
      open()
    },
    wants: () => entries.filter(({ state }) => state === 'seen').flatMap((entry) => want(entry)),
    ahead(count) {
      const head = follower.head()
      if (head === undefined) return []
      const { generation } = head
      return Array.from({ length: count }, (_, i) => head.number + 1 + i)
        .filter((number) => !askedFor.has(number))
        .map((number) => ({ meter, price, generation, number }))
    },
    asked(wants) {
      for (const { number, generation, coveredMs } of wants) {
        askedFor.set(number, { generation, metered: coveredMs !== undefined })
        for (const entry of entries) {
          if (entry.head.number === number && entry.state === 'seen') mark(entry)
        }
      }
    },
    refused(wants) {
      for (const { number } of wants) pass(number, number)
      open()
    },
    open,
    outstanding: () =>
      [...askedFor].map(([number, { generation }]) => ({ meter, price, generation, number })),
    undelivered() {
      const waiting = entries.filter(({ state }) => state === 'asked')
      const [first] = waiting
      return first && { epochs: waiting.length, sinceMs: first.sinceMs }
    },
    backlog: () => entries.length,
  }

  function read(payload: Uint8Array): Message | undefined {
    try {
      return decodeMessage(payload)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      tally.finding('malformed message', { device, stream, why: error.message })
      return undefined
    }
  }

  function gapNow() {
    const gap = follower.missing()
    const head = follower.head()
    if (gap !== undefined || head === undefined || reached <= head.number) return gap
    return { from: head.number + 1, to: reached }
  }

  function hear(verdict: Verdict) {
    if (verdict.kind === 'finding') {
      return tally.finding(verdict.finding, { device, stream, number: verdict.number })
    }
    const { head } = verdict
    if (verdict.kind === 'epoch') return see(verdict.message, head)
    entries.push({ head, state: 'passed', sinceMs: nowMs() })
    if (verdict.kind === 'statement') {
      tally.count('statements')
      if (verdict.body.kind === 'tombstone') pass(verdict.body.from, verdict.body.to)
    } else if (verdict.kind === 'unknown') {
      tally.note({ event: 'unknown kind', device, stream, number: head.number })
    } else {
      tally.lost(verdict.kind, { device, stream, from: verdict.from, to: verdict.to })
    }
  }

  function see(message: Message, head: Head) {
    tally.count('seen')
    const { number, generation } = head
    const entry: Entry = { message, head, state: 'seen', sinceMs: nowMs() }
    entries.push(entry)
    if (hex(message.header.terms) !== listed.hash) {
      entry.state = 'passed'
      return tally.finding('other terms', { device, stream, number })
    }
    const known = askedFor.get(number)
    if (known === undefined || known.generation !== generation) return
    mark(entry)
    if (!known.metered) for (const seen of want(entry)) options.prepaid(seen)
  }

  function mark(entry: Entry) {
    entry.state = 'asked'
    entry.sinceMs = nowMs()
    tally.count('bought')
  }

  /** Epochs that will not open any more: evicted before they were delivered. */
  function pass(from: number, to: number) {
    for (const entry of entries) {
      const { number } = entry.head
      if (number < from || number > to || entry.state === 'passed' || keyOf(entry)) continue
      entry.state = 'passed'
      tally.lost('evicted', { device, stream, from: number, to: number })
    }
  }

  function want({ message, head }: Entry): Want[] {
    if (message === undefined) return []
    const { openedMonotonicMs, closedMonotonicMs } = message.header
    const span = { openedMonotonicMs, closedMonotonicMs, nominalMs: listed.terms.epochMs }
    const { generation, number } = head
    return [{ meter, price, generation, number, coveredMs: coveredMs(span) }]
  }

  function keyOf({ head }: Entry): Uint8Array | undefined {
    return books.keys.leaf(device, stream, head.generation, head.number)
  }

  /** Hands out what can be, from the front; what is not asked for or has no key holds up what is behind. */
  function open() {
    for (let entry = entries[0]; entry !== undefined; entry = entries[0]) {
      const { head, message, state } = entry
      const leaf = state === 'asked' ? keyOf(entry) : undefined
      if (state !== 'passed' && leaf === undefined) return
      entries.shift()
      if (message === undefined || leaf === undefined) emit({ taken: () => advance(head) })
      else unseal(message, leaf, head)
    }
  }

  function unseal(message: Message, leaf: Uint8Array, head: Head) {
    try {
      const opened = openEpoch(message, leaf)
      tally.count('opened')
      const { enrolment } = listing
      const about = { terms: listed.terms, ...(enrolment === undefined ? {} : { enrolment }) }
      hand(itemsOf(message, opened, about), message, head)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      const { number } = head
      tally.finding('paid and does not open', { device, stream, number, why: error.message })
      options.cheated()
      emit({ taken: () => advance(head) })
    }
  }

  function hand(items: readonly Item[], { header }: Message, head: Head) {
    // Within an epoch the cursor stands behind the epoch before it, and counts.
    const before = { generation: header.generation, number: head.number - 1, hash: header.previous }
    const fresh = items.slice(skipFirst)
    skipFirst = 0
    for (const item of fresh.slice(0, -1)) {
      const cursor = { device, stream, head: before, taken: item.index + 1 }
      emit({ item, taken: () => books.soon(() => books.cursors.put(cursor)) })
    }
    const last = fresh.at(-1)
    emit({ ...(last === undefined ? {} : { item: last }), taken: () => advance(head) })
  }

  function advance(head: Head) {
    books.soon(() => {
      books.cursors.put({ device, stream, head, taken: 0 })
      books.bought.drop(meter, head.number)
      books.keys.drop(device, stream, head.number)
    })
    for (const number of askedFor.keys()) if (number <= head.number) askedFor.delete(number)
  }
}
