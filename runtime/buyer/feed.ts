/**
 * A feed: one stream of one device, from sealed messages to verified readings, in the order of its chain.
 *
 *   message → follower → seen → asked for → opened → handed out        and the cursor behind it
 *
 * An epoch that is not for us (other terms, time that was sold already, evicted) is passed over and named.
 * No I/O but the books: a feed is told of messages, keys and purchases, and says what it wants.
 */
import { decodeMessage, type Message } from '../wire/epoch.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Price } from '../wire/price.ts'
import type { Index } from '../wire/shelf.ts'
import type { Books } from './books.ts'
import type { Asked, Meter } from './bought.ts'
import { type Follower, follow, type Head } from './follow.ts'
import { isOwed, open } from './handout.ts'
import type { Verified } from './item.ts'
import type { ListedStream, Listing } from './market.ts'
import { asked, buyAgain, hear, pass, wantOf } from './placing.ts'
import type { SetupWatch } from './setups.ts'
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

/** Epochs whose keys are here open as they come: so many may be on their way. */
export const openingMax = 4_096

/** From one number of a stream to another, both included, or on without end. */
export type Span = { readonly from: number; readonly to?: number }

/** What a device's index says of a stream. */
export type Shelf = Index['streams'][number]

export type Feed = {
  readonly meter: Meter
  readonly setup: SetupWatch
  /** For a feed of a range: takes nothing before. */
  begin(span: Span): void
  isBegun(): boolean
  /** What its index says lies on the shelf; undefined when nothing of the stream does. */
  shelve(shelf: Shelf | undefined): void
  /** Undefined before the first index. */
  shelved(): { readonly shelf: Shelf | undefined } | undefined
  /** Takes messages as they came from the broker or from a fetch. */
  take(payloads: readonly Uint8Array[]): void
  /** Numbers that are missing, and since when. */
  missing(): Missing | undefined
  /** How many messages from the first missing one on it has room for. */
  room(): number
  /** What is missing cannot be had: named, and passed over. */
  giveUp(): void
  /** Epochs that are seen and not asked for, oldest first. */
  wants(): Want[]
  /** The next numbers that nobody has seen or asked for, to be paid ahead. */
  ahead(count: number): Want[]
  asked(wants: readonly Want[]): void
  /** The seller does not have them: passed over. */
  refused(wants: readonly Want[]): void
  /** What was asked for and did not come is to be bought once more. */
  buyAgain(): void
  /** Opens what there are keys for. */
  open(): void
  /** Everything asked for and not handed out, whether it is seen or still ahead. */
  outstanding(): Want[]
  /** Epochs asked for and seen whose keys have not come. */
  undelivered(): { readonly epochs: number; readonly sinceMs: number } | undefined
  /** True when all of a range that has an end is accounted for, and nothing in it is left to buy. */
  isComplete(): boolean
  /** True when it goes on into what comes: only then is there anything to pay ahead for. */
  isEndless(): boolean
  /** The number that comes next. */
  next(): number | undefined
}

export type Missing = { readonly from: number; readonly to: number; readonly sinceMs: number }

export type FeedOptions = {
  readonly books: Books
  readonly listing: Listing
  readonly listed: ListedStream
  readonly meter: Meter
  /** Goes on where an earlier run ended; else begins with the next epoch that comes, or with `begin`. */
  readonly resume: boolean
  /** It is to begin at a number that has to be found first, unless it resumes. */
  readonly ranged: boolean
  /** A later run may resume it: its cursor and what is in hand are kept. */
  readonly keeps: boolean
  readonly tally: Tally
  readonly setup: SetupWatch
  readonly emit: (parcel: Parcel) => void
  /** An epoch that was asked for ahead is seen: now its price is known. False when it was not paid for. */
  readonly prepaid: (want: Want) => boolean
  /** An epoch that was paid for on sight will not be delivered any more. */
  readonly forgone: (want: Want) => void
  /** A key that was paid for does not open its epoch. */
  readonly cheated: () => void
  /** Bytes of sealed messages that are kept for a later run. */
  readonly keptBytesMax: number
  readonly nowMs: () => number
}

export type Entry = {
  /** Where the chain stands behind this entry. */
  readonly head: Head
  /** Only of an epoch. */
  readonly message?: Message
  state: 'seen' | 'asked' | 'passed'
  /** Its key was found here: what holds it up is what stands before it. */
  hasKey?: true
  sinceMs: number
}

/** A feed's memory: shared with `placing.ts` and `handout.ts`. */
export type State = FeedOptions & {
  readonly price: Price
  /** Undefined until the feed has begun. */
  follower: Follower | undefined
  span: Span | undefined
  /** Epochs that were asked for and are not handed out, by number. */
  readonly askedFor: Map<number, Asked>
  /** In the order of the chain. */
  readonly entries: Entry[]
  /** Bytes of the messages that the books keep, by number. */
  readonly kept: Map<number, number>
  keptBytes: number
  /** The books say where this run began. */
  hasCursor: boolean
  /** Readings of the first epoch that an earlier run handed out. */
  skipFirst: number
  shelved: { readonly shelf: Shelf | undefined } | undefined
  /** How far the stream has come, as its index says. */
  reached: number
  missingSinceMs: number | undefined
  /** Epochs came under terms that were not ordered, and it was said. */
  toldTerms: boolean
}

export function openFeed(options: FeedOptions): Feed {
  const state = stateOf(options)
  const { meter, setup, entries, askedFor, price, books } = state
  recall(state)
  return {
    ...{ meter, setup },
    begin(span) {
      state.span = span
      state.follower = followerOf(options, { at: span.from })
    },
    isBegun: () => state.follower !== undefined,
    shelve(shelf) {
      state.shelved = { shelf }
      state.reached = Math.max(state.reached, shelf?.last.number ?? 0)
    },
    shelved: () => state.shelved,
    take: (payloads) => books.soon(() => take(state, payloads)),
    missing: () => missing(state),
    room: () => room(state),
    giveUp: () => giveUp(state),
    wants: () => entries.filter((one) => one.state === 'seen').flatMap((one) => wantOf(state, one)),
    ahead: (count) => ahead(state, count),
    asked: (wants) => asked(state, wants),
    refused(wants) {
      for (const { number } of wants) pass(state, number, number)
      open(state)
    },
    buyAgain: () => buyAgain(state),
    open: () => open(state),
    outstanding: () =>
      [...askedFor].map(([number, { generation }]) => ({ meter, price, generation, number })),
    undelivered() {
      const waiting = entries.filter((one) => isOwed(state, one))
      const [first] = waiting
      return first && { epochs: waiting.length, sinceMs: first.sinceMs }
    },
    isComplete: () => isPast(state) && !entries.some((one) => one.state === 'seen'),
    isEndless: () => state.span?.to === undefined,
    next: () => state.follower?.next(),
  }
}

function stateOf(options: FeedOptions): State {
  const { books, listed, meter } = options
  const { amount, perMs } = listed.terms.price
  const cursor = options.resume ? books.cursors.get(meter.device, meter.stream) : undefined
  const waits = options.ranged && cursor === undefined
  const from = cursor === undefined ? {} : { from: cursor.head }
  return {
    ...options,
    price: { amount: BigInt(amount), perMs: BigInt(perMs) },
    follower: waits ? undefined : followerOf(options, from),
    span: undefined,
    askedFor: books.bought.open(meter),
    entries: [],
    kept: new Map(),
    keptBytes: 0,
    hasCursor: cursor !== undefined,
    skipFirst: cursor?.taken ?? 0,
    shelved: undefined,
    reached: 0,
    missingSinceMs: undefined,
    toldTerms: false,
  }
}

function followerOf(
  { meter, listing }: FeedOptions,
  start: { readonly from?: Head; readonly at?: number },
): Follower {
  const { device, stream } = meter
  return follow({ device, stream, signingKey: listing.offer.signingKey, ...start })
}

/** What an earlier run paid for and had in hand opens with its keys, whether or not the device is there. */
function recall(state: State): void {
  const { books, meter, resume } = state
  if (!resume || state.follower?.next() === undefined) return
  const messages = books.bodies.held(meter)
  books.soon(() => take(state, messages))
}

function take(state: State, payloads: readonly Uint8Array[]): void {
  const { follower, entries, span } = state
  for (const payload of payloads) {
    if (follower === undefined || entries.length >= backlogMax) return
    const message = read(state, payload)
    if (message === undefined) continue
    // What lies behind the end is not ours, but for the stone that stands for what lies before it.
    const { kind, number } = message.header
    if (number > (span?.to ?? number) && kind !== 'tombstone') continue
    for (const verdict of follower.take(message)) hear(state, verdict)
    open(state)
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
  const next = state.follower?.next()
  const till = state.reached >= (next ?? Number.POSITIVE_INFINITY) ? state.reached : undefined
  const to = state.follower?.missing()?.to ?? till
  if (next === undefined || to === undefined || isPast(state)) {
    state.missingSinceMs = undefined
    return undefined
  }
  state.missingSinceMs ??= state.nowMs()
  return { from: next, to: Math.min(to, state.span?.to ?? to), sinceMs: state.missingSinceMs }
}

function room({ entries, follower, books, meter }: State): number {
  const next = follower?.next()
  if (next === undefined || entries.length > 0) return backlogMax - entries.length
  const last = books.keys.reach(meter.device, meter.stream, next) ?? 0
  return Math.max(backlogMax, Math.min(last - next + 1, openingMax))
}

function giveUp(state: State): void {
  const { follower, span, meter, tally } = state
  const gap = missing(state)
  const verdicts = follower?.giveUp() ?? []
  for (const verdict of verdicts) hear(state, verdict)
  if (verdicts.length === 0 && gap !== undefined && span?.to !== undefined) {
    const { device, stream } = meter
    tally.lost('gap', { device, stream, from: gap.from, to: span.to })
    state.follower = followerOf(state, { at: span.to + 1 })
  }
  state.reached = 0
  state.missingSinceMs = undefined
  open(state)
}

function isPast({ span, follower }: State): boolean {
  return span?.to !== undefined && (follower?.next() ?? 0) > span.to
}

function ahead({ follower, askedFor, meter, price }: State, count: number): Want[] {
  const head = follower?.head()
  // Behind a tombstone it is not known which generation comes.
  if (head === undefined || head.generation === 0) return []
  const { generation } = head
  return Array.from({ length: count }, (_, i) => head.number + 1 + i)
    .filter((number) => !askedFor.has(number))
    .map((number) => ({ meter, price, generation, number }))
}
