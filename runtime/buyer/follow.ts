/**
 * The follower: one stream's chain of headers, verified link by link.
 *
 * Messages come in any order, twice, with gaps, forged or spliced; verdicts leave in the order of the
 * chain. Nothing here is believed that the device's signing key did not sign, and nothing is passed on
 * whose predecessor is not known or named as missing. Pure: no clock, no I/O; whoever feeds it decides
 * when a gap is not worth waiting for any longer (`skip`).
 */
import type { Address } from '../wire/address.ts'
import { equal } from '../wire/bytes.ts'
import { type ClearBody, readClearBody, type Tombstone } from '../wire/clearbody.ts'
import { carriesReadings, type Message } from '../wire/epoch.ts'
import { headerHash } from '../wire/header.ts'
import { Malformed } from '../wire/malformed.ts'

/** Where a follower stands: the last header of the chain that it has accounted for. */
export type Head = {
  readonly generation: number
  readonly number: number
  /** SHA-256 of that header, or of the last one that a tombstone stands for. */
  readonly hash: Uint8Array
  /** Boot and closing time of the last epoch of readings: the next one of that boot begins no earlier. */
  readonly boot?: string
  readonly closedMonotonicMs?: number
}

/** What is wrong with a message; each is counted, shown, and never paid for. */
export type Finding =
  | 'another stream'
  | 'wrong signature'
  | 'broken chain'
  | 'fork'
  | 'generation went back'
  | 'overlapping time'
  | 'malformed body'

export type Verdict =
  /** The next epoch of readings, its header good and its place in the chain proven. */
  | { readonly kind: 'epoch'; readonly message: Message; readonly head: Head }
  /** A clear statement of the device: a clock map, a generation, or the tombstone itself. */
  | {
      readonly kind: 'statement'
      readonly message: Message
      readonly body: ClearBody
      readonly head: Head
    }
  /** A header of a kind that a later version defines: its place in the chain holds, its body is opaque. */
  | { readonly kind: 'unknown'; readonly message: Message; readonly head: Head }
  /** Numbers that the device evicted and says so, signed. */
  | { readonly kind: 'evicted'; readonly from: number; readonly to: number; readonly head: Head }
  /** Numbers that nobody gave us: the chain goes on behind them unproven. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number; readonly head: Head }
  | { readonly kind: 'finding'; readonly finding: Finding; readonly number: number }

export type Follower = {
  /** Takes one message and returns what follows from it, in the order of the chain. */
  take(message: Message): Verdict[]
  /** The numbers that are missing before what is held can be passed on. */
  missing(): { readonly from: number; readonly to: number } | undefined
  /** Gives the missing numbers up: says so, and goes on behind them. */
  giveUp(): Verdict[]
  /** The last header accounted for; undefined before the first. */
  head(): Head | undefined
  /** The number that comes next; undefined while the first message may be any. */
  next(): number | undefined
  /** True when the device signed a tombstone, at hand here, that stands for this number. */
  isBuried(number: number): boolean
}

export type FollowOptions = {
  readonly device: Address
  readonly stream: string
  /** Whose signature counts: as the enrolment, or the device's own id, names it. */
  readonly signingKey: Address
  /** Where an earlier run ended; without it the first message anchors the chain. */
  readonly from?: Head
  /** Without `from`: the first number that is wanted. Its header anchors the chain, or a tombstone does. */
  readonly at?: number
  readonly limits?: Partial<FollowLimits>
}

export type FollowLimits = {
  /** Messages held while their predecessors are missing; the furthest one is dropped (it can be fetched). */
  readonly heldMax: number
  /** How many past hashes are remembered, to tell a repetition from a fork. */
  readonly rememberedMax: number
  /** Tombstones that are remembered before their turn; a stream has about one. */
  readonly gravesMax: number
}

export const followLimits: FollowLimits = { heldMax: 256, rememberedMax: 4096, gravesMax: 8 }

export function follow(options: FollowOptions): Follower {
  const { from } = options
  const state: State = {
    options,
    limits: { ...followLimits, ...options.limits },
    held: new Map(),
    remembered: new Map(from === undefined ? [] : [[from.number, from.hash]]),
    graves: [],
    head: from,
  }
  return {
    take: (message) => take(state, message),
    missing: () => missing(state),
    giveUp() {
      const gap = missing(state)
      const next = gap && state.held.get(gap.to + 1)
      if (gap === undefined || next === undefined) return []
      const head = behind(state.head, gap.to, next.header.previous)
      state.head = head
      return [{ kind: 'gap', ...gap, head }, ...drain(state)]
    },
    head: () => state.head,
    next: () => nextOf(state),
    isBuried: (number) => graveOf(state, number) !== undefined,
  }
}

type State = {
  readonly options: FollowOptions
  readonly limits: FollowLimits
  /** Messages whose predecessors are missing, by number. */
  readonly held: Map<number, Message>
  /** Hashes of headers that were passed, by number, oldest first. */
  readonly remembered: Map<number, Uint8Array>
  /** Signed by the device, wherever they stand in its chain; oldest first. */
  readonly graves: Tombstone[]
  head: Head | undefined
}

function nextOf({ head, options }: State): number | undefined {
  return head === undefined ? options.at : head.number + 1
}

/** Past numbers of which only the last hash is known; the time sold before them still counts. */
function behind(before: Head | undefined, number: number, hash: Uint8Array): Head {
  return { ...(before ?? { generation: 0 }), number, hash }
}

function take(state: State, message: Message): Verdict[] {
  const { held, remembered } = state
  const { number } = message.header
  const finding = lookAt(message, state.options)
  if (finding !== undefined) return [{ kind: 'finding', finding, number }]
  const known = held.get(number)?.headerBytes
  const hash = known === undefined ? remembered.get(number) : headerHash(known)
  if (hash !== undefined) {
    const same = equal(hash, headerHash(message.headerBytes))
    return same ? [] : [{ kind: 'finding', finding: 'fork', number }]
  }
  const next = nextOf(state)
  if (next !== undefined && number < next) return []
  held.set(number, message)
  // The stone stays when the message has to make room: it is what a fetch of evicted numbers gives.
  bury(state, message)
  if (held.size > state.limits.heldMax) held.delete(Math.max(...held.keys()))
  if (next === undefined) {
    // The first message that we see of a stream: what was before it is not ours to judge.
    const { generation, previous } = message.header
    state.head = { generation, number: number - 1, hash: previous }
  }
  return drain(state)
}

function missing(state: State) {
  const next = nextOf(state)
  if (state.held.size === 0 || next === undefined) return undefined
  return { from: next, to: Math.min(...state.held.keys()) - 1 }
}

/** Passes on whatever is next, and steps over what a tombstone at hand stands for. */
function drain(state: State): Verdict[] {
  const verdicts: Verdict[] = []
  for (let next = nextOf(state); next !== undefined; next = nextOf(state)) {
    const message = state.held.get(next)
    if (message !== undefined) {
      state.held.delete(next)
      verdicts.push(link(state, message, state.head))
      continue
    }
    const head = over(state, next)
    if (head === undefined) break
    state.head = head
    verdicts.push({ kind: 'evicted', from: next, to: head.number, head })
  }
  return verdicts
}

/** Behind the buried numbers from `next` on; what is at hand among them is not stepped over. */
function over(state: State, next: number): Head | undefined {
  const grave = graveOf(state, next)
  if (grave === undefined) return undefined
  const first = Math.min(...state.held.keys())
  const atHand = first <= grave.to ? state.held.get(first) : undefined
  if (atHand === undefined) return behind(state.head, grave.to, grave.last)
  return behind(state.head, first - 1, atHand.header.previous)
}

/** Holds a header to the one before it; only one that fits moves the head. */
function link(state: State, message: Message, before: Head | undefined): Verdict {
  const { header } = message
  const { number, generation } = header
  if (before !== undefined && !equal(header.previous, before.hash)) {
    return { kind: 'finding', finding: 'broken chain', number }
  }
  if (generation < (before?.generation ?? 0)) {
    return { kind: 'finding', finding: 'generation went back', number }
  }
  const hash = headerHash(message.headerBytes)
  remember(state, number, hash)
  const here = { ...before, generation, number, hash }
  state.head = here
  if (carriesReadings(header)) {
    const { boot, openedMonotonicMs, closedMonotonicMs } = header
    // It stands in the chain, but its time was sold already: nothing is paid for it.
    const overlaps = boot === before?.boot && openedMonotonicMs < (before.closedMonotonicMs ?? 0)
    if (overlaps) return { kind: 'finding', finding: 'overlapping time', number }
    state.head = { ...here, boot, closedMonotonicMs }
    return { kind: 'epoch', message, head: state.head }
  }
  if (typeof header.kind === 'number') return { kind: 'unknown', message, head: here }
  const body = bodyOf(message)
  if (body === undefined) return { kind: 'finding', finding: 'malformed body', number }
  return { kind: 'statement', message, body, head: here }
}

function remember({ remembered, limits }: State, number: number, hash: Uint8Array): void {
  remembered.set(number, hash)
  const [oldest] = remembered.keys()
  if (remembered.size > limits.rememberedMax && oldest !== undefined) remembered.delete(oldest)
}

function bury({ graves, limits }: State, message: Message): void {
  if (message.header.kind !== 'tombstone') return
  const body = bodyOf(message)
  if (body?.kind !== 'tombstone') return
  graves.push(body)
  if (graves.length > limits.gravesMax) graves.shift()
}

/** The tombstone at hand that stands for this number. */
function graveOf({ graves }: State, number: number): Tombstone | undefined {
  return graves.findLast(({ from, to }) => from <= number && number <= to)
}

/** What can be said of a message before its place in the chain is known. */
function lookAt(
  message: Message,
  { device, stream, signingKey }: FollowOptions,
): Finding | undefined {
  const { header, signer } = message
  if (header.device !== device || header.stream !== stream) return 'another stream'
  if (signer !== signingKey) return 'wrong signature'
  return undefined
}

function bodyOf(message: Message): ClearBody | undefined {
  try {
    return readClearBody(message)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
