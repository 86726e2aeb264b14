/**
 * A feed: one stream of one device, from sealed messages to verified readings, in the order of its chain.
 *
 *   message → follower → seen → asked for → opened → handed out        and the cursor behind it
 *
 * An epoch that is not for us (other terms, time that was sold already) is passed over and named. No I/O
 * but the books: a feed is told of messages, keys and purchases, and says what it wants.
 */
import { hex } from '../wire/bytes.ts'
import { decodeMessage, type Message } from '../wire/epoch.ts'
import { Malformed } from '../wire/malformed.ts'
import { coveredMs, type Price } from '../wire/price.ts'
import type { Books } from './books.ts'
import type { Asked, Meter } from './bought.ts'
import { type Follower, follow, type Head, type Verdict } from './follow.ts'
import { keyOf, open } from './handout.ts'
import type { Verified } from './item.ts'
import type { ListedStream, Listing } from './market.ts'
import type { Tally } from './tally.ts'
import type { Want } from './want.ts'

/** What leaves a feed: a reading, or only word that the cursor may move. */
export type Parcel = {
  readonly item?: Verified
  /** The consumer is done with it: the cursor goes behind it. */
  taken(): void
}

/** Messages that wait at whatever stage; beyond it new ones are let go, to be fetched later. */
export const backlogMax = 512

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
  /** True while it waits for its turn with as much as it may hold. */
  isFull(): boolean
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
  /** An epoch that was asked for ahead is seen: now its price is known. False when it was not paid for. */
  readonly prepaid: (want: Want) => boolean
  /** A key that was paid for does not open its epoch. */
  readonly cheated: () => void
  readonly nowMs: () => number
}

export type Entry = {
  /** Where the chain stands behind this entry. */
  readonly head: Head
  /** Only of an epoch. */
  readonly message?: Message
  state: 'seen' | 'asked' | 'passed'
  sinceMs: number
}

/** A feed's memory: shared with `handout.ts`, which opens what this file has placed. */
export type State = FeedOptions & {
  readonly price: Price
  readonly follower: Follower
  /** Epochs that were asked for and are not handed out, by number. */
  readonly askedFor: Map<number, Asked>
  /** In the order of the chain. */
  readonly entries: Entry[]
  /** Readings of the first epoch that an earlier run handed out. */
  skipFirst: number
  /** How far the stream has come, as its index says. */
  reached: number
  missingSinceMs: number | undefined
}

export function openFeed(options: FeedOptions): Feed {
  const state = stateOf(options)
  const { meter, entries, askedFor, price } = state
  return {
    meter,
    take(payload) {
      if (entries.length >= backlogMax) return
      const message = read(state, payload)
      if (message === undefined) return
      for (const verdict of state.follower.take(message)) hear(state, verdict)
      open(state)
    },
    reach(number) {
      state.reached = Math.max(state.reached, number)
    },
    missing: () => missing(state),
    giveUp() {
      for (const verdict of state.follower.giveUp()) hear(state, verdict)
      state.reached = 0
      state.missingSinceMs = undefined
      open(state)
    },
    wants: () => entries.filter((one) => one.state === 'seen').flatMap((one) => want(state, one)),
    ahead: (count) => ahead(state, count),
    asked: (wants) => asked(state, wants),
    refused(wants) {
      for (const { number } of wants) pass(state, number, number)
      open(state)
    },
    open: () => open(state),
    outstanding: () =>
      [...askedFor].map(([number, { generation }]) => ({ meter, price, generation, number })),
    undelivered() {
      const waiting = entries.filter((one) => one.state === 'asked')
      const [first] = waiting
      return first && { epochs: waiting.length, sinceMs: first.sinceMs }
    },
    isFull: () => entries.length >= backlogMax,
  }
}

function stateOf(options: FeedOptions): State {
  const { books, listing, listed, meter } = options
  const { device, stream } = meter
  const { amount, perMs } = listed.terms.price
  const cursor = options.resume ? books.cursors.get(device, stream) : undefined
  const from = cursor === undefined ? {} : { from: cursor.head }
  return {
    ...options,
    price: { amount: BigInt(amount), perMs: BigInt(perMs) },
    follower: follow({ device, stream, signingKey: listing.offer.signingKey, ...from }),
    askedFor: books.bought.open(meter),
    entries: [],
    skipFirst: cursor?.taken ?? 0,
    reached: 0,
    missingSinceMs: undefined,
  }
}

function read({ tally, meter }: State, payload: Uint8Array): Message | undefined {
  try {
    return decodeMessage(payload)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    const { device, stream } = meter
    tally.finding('malformed message', { device, stream, why: error.message })
    return undefined
  }
}

function missing(state: State): Missing | undefined {
  const head = state.follower.head()
  const behind = head !== undefined && state.reached > head.number
  const ahead = behind ? { from: head.number + 1, to: state.reached } : undefined
  const gap = state.follower.missing() ?? ahead
  if (gap === undefined) {
    state.missingSinceMs = undefined
    return undefined
  }
  state.missingSinceMs ??= state.nowMs()
  return { ...gap, sinceMs: state.missingSinceMs }
}

function hear(state: State, verdict: Verdict): void {
  const { tally, entries, nowMs } = state
  const { device, stream } = state.meter
  if (verdict.kind === 'finding') {
    tally.finding(verdict.finding, { device, stream, number: verdict.number })
    return
  }
  const { head } = verdict
  if (verdict.kind === 'epoch') {
    see(state, verdict.message, head)
    return
  }
  entries.push({ head, state: 'passed', sinceMs: nowMs() })
  if (verdict.kind === 'statement') {
    tally.count('statements')
    if (verdict.body.kind === 'tombstone') pass(state, verdict.body.from, verdict.body.to)
  } else if (verdict.kind === 'unknown') {
    tally.note({ event: 'unknown kind', device, stream, number: head.number })
  } else {
    tally.lost(verdict.kind, { device, stream, from: verdict.from, to: verdict.to })
  }
}

/** An epoch in its place in the chain: for sale if it came under the terms that were ordered. */
function see(state: State, message: Message, head: Head): void {
  const { tally, askedFor, listed, meter } = state
  const { number, generation } = head
  tally.count('seen')
  const entry: Entry = { message, head, state: 'seen', sinceMs: state.nowMs() }
  state.entries.push(entry)
  if (hex(message.header.terms) !== listed.hash) {
    entry.state = 'passed'
    const { device, stream } = meter
    tally.finding('other terms', { device, stream, number })
    return
  }
  const known = askedFor.get(number)
  if (known === undefined || known.generation !== generation) return
  // What was promised ahead may end before the numbers that were asked for: this one is bought like others.
  if (known.metered || want(state, entry).every(state.prepaid)) mark(state, entry)
  else askedFor.delete(number)
}

function mark({ tally, nowMs }: State, entry: Entry): void {
  entry.state = 'asked'
  entry.sinceMs = nowMs()
  tally.count('bought')
}

function asked(state: State, wants: readonly Want[]): void {
  for (const { number, generation, coveredMs } of wants) {
    state.askedFor.set(number, { generation, metered: coveredMs !== undefined })
    for (const entry of state.entries) {
      if (entry.head.number === number && entry.state === 'seen') mark(state, entry)
    }
  }
}

/** Epochs that will not open any more: evicted before they were delivered. */
function pass(state: State, from: number, to: number): void {
  const { device, stream } = state.meter
  for (const entry of state.entries) {
    const { number } = entry.head
    if (number < from || number > to) continue
    if (entry.state === 'passed' || keyOf(state, entry) !== undefined) continue
    entry.state = 'passed'
    state.tally.lost('evicted', { device, stream, from: number, to: number })
  }
}

function want({ meter, price, listed }: State, { message, head }: Entry): Want[] {
  if (message === undefined) return []
  const { openedMonotonicMs, closedMonotonicMs } = message.header
  const span = { openedMonotonicMs, closedMonotonicMs, nominalMs: listed.terms.epochMs }
  const { generation, number } = head
  return [{ meter, price, generation, number, coveredMs: coveredMs(span) }]
}

function ahead({ follower, askedFor, meter, price }: State, count: number): Want[] {
  const head = follower.head()
  if (head === undefined) return []
  const { generation } = head
  return Array.from({ length: count }, (_, i) => head.number + 1 + i)
    .filter((number) => !askedFor.has(number))
    .map((number) => ({ meter, price, generation, number }))
}
