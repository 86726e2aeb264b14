/** The end of a feed: epochs that have their key are opened, in the order of the chain, and handed out. */
import { type Message, openEpoch } from '../wire/epoch.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Entry, State } from './feed.ts'
import type { Head } from './follow.ts'
import { itemsOf, type Verified } from './item.ts'

/** Hands out what can be, from the front; what is not asked for or has no key holds up what is behind. */
export function open(state: State): void {
  const { entries, emit } = state
  for (let entry = entries[0]; entry !== undefined; entry = entries[0]) {
    const { head, message } = entry
    const leaf = entry.state === 'asked' ? keyOf(state, entry) : undefined
    if (entry.state !== 'passed' && leaf === undefined) return
    entries.shift()
    if (message === undefined || leaf === undefined) emit({ taken: () => advance(state, head) })
    else unseal(state, message, leaf, head)
  }
}

/** The epoch's leaf of the key tree, if we hold it. */
export function keyOf({ books, meter }: State, { head }: Entry): Uint8Array | undefined {
  return books.keys.leaf(meter.device, meter.stream, head.generation, head.number)
}

/** Whether its seller has yet to give the key that was paid for. */
export function isOwed(state: State, entry: Entry): boolean {
  if (entry.state !== 'asked' || entry.hasKey) return false
  if (keyOf(state, entry) === undefined) return true
  entry.hasKey = true
  return false
}

function unseal(state: State, message: Message, leaf: Uint8Array, head: Head): void {
  const { tally, listing, listed, meter } = state
  try {
    const opened = openEpoch(message, leaf)
    tally.count('opened')
    const { enrolment } = listing
    const about = { terms: listed.terms, ...(enrolment === undefined ? {} : { enrolment }) }
    hand(state, itemsOf(message, opened, about), message, head)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    const { device, stream } = meter
    const { number } = head
    tally.finding('paid and does not open', { device, stream, number, why: error.message })
    state.cheated()
    state.emit({ taken: () => advance(state, head) })
  }
}

function hand(state: State, items: readonly Verified[], { header }: Message, head: Head): void {
  const { books, emit, meter, keeps } = state
  const { device, stream } = meter
  // Within an epoch the cursor stands behind the epoch before it, and counts.
  const before = { generation: header.generation, number: head.number - 1, hash: header.previous }
  const fresh = items.slice(state.skipFirst)
  state.skipFirst = 0
  for (const item of fresh.slice(0, -1)) {
    const cursor = { device, stream, head: before, taken: item.index + 1 }
    emit({ item, taken: () => keeps && books.soon(() => books.cursors.put(cursor)) })
  }
  const last = fresh.at(-1)
  emit({ ...(last === undefined ? {} : { item: last }), taken: () => advance(state, head) })
}

/** Everything up to that head was handed out. */
function advance(state: State, head: Head): void {
  const { books, meter, askedFor, kept, keeps } = state
  const { device, stream } = meter
  books.soon(() => {
    if (keeps) books.cursors.put({ device, stream, head, taken: 0 })
    books.bought.drop(meter, head.number)
    books.bodies.drop(meter, head.number)
    books.keys.drop(device, stream, head.number)
  })
  for (const number of askedFor.keys()) if (number <= head.number) askedFor.delete(number)
  for (const [number, bytes] of kept) {
    if (number > head.number) break
    kept.delete(number)
    state.keptBytes -= bytes
  }
}
