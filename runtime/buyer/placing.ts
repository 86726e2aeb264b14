/** The middle of a feed: what the follower found takes its place, is bought, and is kept until handed out. */
import { hex } from '../wire/bytes.ts'
import { encodeMessage, type Message } from '../wire/epoch.ts'
import { coveredMs } from '../wire/price.ts'
import type { Entry, State } from './feed.ts'
import type { Head, Verdict } from './follow.ts'
import { keyOf } from './handout.ts'
import type { Want } from './want.ts'

/** Takes what follows from a message, in the order of the chain. */
export function hear(state: State, verdict: Verdict): void {
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
    const { from, to } = verdict
    const last = Math.min(to, state.span?.to ?? to)
    tally.lost(verdict.kind, { device, stream, from, to: last })
    if (verdict.kind === 'evicted') forget(state, from, to)
  }
}

/** They were asked of the seller, and are paid for or will be when they are seen. */
export function asked(state: State, wants: readonly Want[]): void {
  for (const { number, generation, coveredMs } of wants) {
    state.askedFor.set(number, { generation, metered: coveredMs !== undefined })
  }
  const numbers = new Set(wants.map(({ number }) => number))
  state.books.soon(() => {
    for (const entry of state.entries) {
      if (entry.state === 'seen' && numbers.has(entry.head.number)) mark(state, entry)
    }
  })
}

/** Epochs that will not open any more: evicted before they were delivered. */
export function pass(state: State, from: number, to: number): void {
  const { device, stream } = state.meter
  for (const entry of state.entries) {
    const { number } = entry.head
    if (number < from || number > to) continue
    if (entry.state === 'passed' || keyOf(state, entry) !== undefined) continue
    if (entry.state === 'asked') forgo(state, entry)
    entry.state = 'passed'
    state.tally.lost('evicted', { device, stream, from: number, to: number })
  }
}

/** The seller counts what was paid for them as spent. */
export function buyAgain(state: State): void {
  for (const entry of state.entries) {
    if (entry.state !== 'asked' || keyOf(state, entry) !== undefined) continue
    forgo(state, entry)
    entry.state = 'seen'
  }
}

/** What is asked of the seller for an epoch that is seen. */
export function wantOf({ meter, price, listed }: State, { message, head }: Entry): Want[] {
  if (message === undefined) return []
  const { openedMonotonicMs, closedMonotonicMs } = message.header
  const span = { openedMonotonicMs, closedMonotonicMs, nominalMs: listed.terms.epochMs }
  const { generation, number } = head
  return [{ meter, price, generation, number, coveredMs: coveredMs(span) }]
}

/** An epoch in its place in the chain: for sale if it came under the terms that were ordered. */
function see(state: State, message: Message, head: Head): void {
  const { tally, askedFor, listed } = state
  const { number, generation } = head
  tally.count('seen')
  state.setup.passed(number, message.header.setup)
  const entry: Entry = { message, head, state: 'seen', sinceMs: state.nowMs() }
  state.entries.push(entry)
  if (hex(message.header.terms) !== listed.hash) {
    decline(state, entry)
    return
  }
  const known = askedFor.get(number)
  if (known?.generation === generation) {
    if (known.metered || wantOf(state, entry).every(state.prepaid)) {
      askedFor.set(number, { generation, metered: true })
      mark(state, entry)
      return
    }
    // What was promised ahead ended before the numbers that were asked for: these are bought like others.
    forget(state, number, Number.POSITIVE_INFINITY)
  }
  // What the channel once bought has its key here, whatever our books say: nothing is paid for twice.
  if (keyOf(state, entry) !== undefined) mark(state, entry)
  else if (state.follower?.isBuried(number)) pass(state, number, number)
}

/** Other terms were not consented to: said once, counted always. */
function decline(state: State, entry: Entry): void {
  const { device, stream } = state.meter
  entry.state = 'passed'
  const about = { device, stream, number: entry.head.number }
  state.tally.finding('other terms', about, state.toldTerms)
  state.toldTerms = true
}

/** The seller will give no key for it any more: its price is ours to spend on another. */
function forgo(state: State, entry: Entry): void {
  const { askedFor, tally, forgone } = state
  const known = askedFor.get(entry.head.number)
  askedFor.delete(entry.head.number)
  tally.count('bought', -1)
  if (known?.metered) for (const want of wantOf(state, entry)) forgone(want)
}

/** Numbers that were asked for ahead and are not paid: evicted, or past the end of the promise. */
function forget({ askedFor, books, meter }: State, from: number, to: number): void {
  const gone = [...askedFor.keys()].filter((number) => from <= number && number <= to)
  for (const number of gone) {
    askedFor.delete(number)
    books.bought.remove(meter, number)
  }
}

/** For a later run: where to go on even when nothing was handed out, and what is in hand. */
function keep(state: State, { message, head }: Entry): void {
  const { keeps, books, meter, kept, keptBytesMax } = state
  if (!keeps || message === undefined) return
  if (!state.hasCursor) {
    const { device, stream } = meter
    const { generation, previous } = message.header
    const before = { generation, number: head.number - 1, hash: previous }
    books.cursors.put({ device, stream, head: before, taken: 0 })
    state.hasCursor = true
  }
  const bytes = encodeMessage(message)
  if (state.keptBytes + bytes.length > keptBytesMax) return
  books.bodies.put(meter, head.number, bytes)
  kept.set(head.number, bytes.length)
  state.keptBytes += bytes.length
}

/** It is paid for: from here on it waits for its key, and is kept for the run after this one. */
function mark(state: State, entry: Entry): void {
  entry.state = 'asked'
  entry.sinceMs = state.nowMs()
  state.tally.count('bought')
  keep(state, entry)
}
