/**
 * The till: the books and sessions in memory, and the one way to change them. A change is on disk before
 * memory shows it, and the sealed keys of what was bought go out with the same commit.
 *
 * Channels without a grant are guests: strangers may make as many as they like, so they live in memory
 * only and the oldest makes room.
 */
import { Fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { encodeKeysBody } from '../wire/keysbody.ts'
import type { KeyNode } from '../wire/keytree.ts'
import { sealMessage } from '../wire/session.ts'
import { topics } from '../wire/topic.ts'
import { type Books, booksFrom, booksRow, type Lost } from './books.ts'
import type { SalesStore } from './rows.ts'
import { without } from './runs.ts'
import { keysBody, type Session, sessionFrom, sessionRow } from './session.ts'
import { together } from './together.ts'

export type TillOptions = {
  readonly device: Address
  readonly store: SalesStore
  readonly cover: Cover
  readonly random: (length: number) => Uint8Array
  readonly timeMs: () => number | undefined
  readonly exposureMax: bigint
  readonly guestsMax: number
  readonly pinMs: number
}

export type Cover = (
  stream: string,
  generation: number,
  from: number,
  to: number,
) => readonly KeyNode[]

export type TillChange = {
  readonly books?: Books
  readonly sessions?: readonly Session[]
  /** True when the channel bought more: every live session of it gets a new version of its keys. */
  readonly release?: boolean
  /** Sessions that are over and need not be remembered. */
  readonly forget?: readonly Session[]
}

export type Till = ReturnType<typeof till>

export function till(options: TillOptions, saved: Awaited<ReturnType<SalesStore['sales']>>) {
  const { store, exposureMax, guestsMax, pinMs } = options
  const topic = topics(options.device)
  const save = together(store)
  const books = new Map<Hex, Books>()
  const sessions = new Map<string, Session>()
  const touched = new Set<Hex>()
  const lostSessions = new Set(saved.lostSessions)
  const lost = new Map(saved.lostChannels.map((row) => [row.channel, lostFrom(row)]))
  for (const row of saved.channels) {
    const one = booksFrom(row, exposureMax)
    const gone = lost.get(one.channel)
    books.set(one.channel, gone === undefined ? one : { ...one, lost: gone })
  }
  for (const row of saved.sessions) sessions.set(row.session, sessionFrom(row))

  return {
    books: (channel: Hex) => books.get(channel),
    allBooks: () => [...books.values()],
    session: (name: string) => sessions.get(name),
    /** Whether the gateway granted that session's channel anything (own data: always), or it is a guest. */
    standing(name: string): 'granted' | 'guest' | undefined {
      const session = sessions.get(name)
      if (session === undefined) return undefined
      return isKept(books.get(session.channel)) ? 'granted' : 'guest'
    },
    allSessions: () => [...sessions.values()],
    /** What a channel must be taken for that existed before the books were lost. */
    lost: (channel: Hex) => lost.get(channel),
    /** Whether the session was opened before the books were lost, and is in none of them. */
    isLost: (session: string) => lostSessions.has(session),
    /** Sessions of that channel that still get keys. */
    live,
    /** Notes in memory what needs no disk: the next commit takes it along. */
    touch: (session: Session) => void sessions.set(session.name, session),
    touchBooks(next: Books): void {
      books.set(next.channel, next)
      touched.add(next.channel)
    },
    /** Commits what was only touched, and the time. */
    async save(): Promise<void> {
      const channels = [...touched].flatMap((channel) => books.get(channel) ?? []).filter(isKept)
      touched.clear()
      const timeMs = options.timeMs() ?? null
      if (timeMs === null) return
      const rows = channels.map(booksRow)
      await save({ channels: rows, sessions: [], forgotten: [], timeMs, retained: [] })
    },
    commit,
  }

  function live(channel: Hex): Session[] {
    const nowMs = options.timeMs() ?? 0
    return [...sessions.values()].filter(
      (one) => one.channel === channel && !one.ended && one.untilMs > nowMs,
    )
  }

  /** False, with nothing changed, when an epoch that it sells was evicted meanwhile. */
  async function commit(change: TillChange): Promise<boolean> {
    const { books: next, forget = [] } = change
    const changed = new Map((change.sessions ?? []).map((one) => [one.name, one]))
    const retained: { topic: string; payload: Uint8Array }[] = [...changed.values()]
      .filter(({ ended, keysVersion }) => ended && keysVersion > 0)
      .concat(forget)
      .map(({ name }) => ({ topic: topic.keys(name), payload: new Uint8Array(0) }))
    if (next !== undefined && change.release === true) {
      const known = live(next.channel).filter(({ name }) => !changed.has(name))
      for (const one of [...known, ...changed.values()]) {
        if (one.ended) continue
        const session = { ...one, keysVersion: one.keysVersion + 1 }
        changed.set(session.name, session)
        retained.push({ topic: topic.keys(session.name), payload: sealedKeys(session, next) })
      }
    }
    const kept = (channel: Hex) => isKept(channel === next?.channel ? next : books.get(channel))
    const channels = next !== undefined && isKept(next) ? [booksRow(next)] : []
    const rows = [...changed.values()].filter(({ channel }) => kept(channel)).map(sessionRow)
    const forgotten = forget.map(({ name }) => name)
    const found = next !== undefined && isFound(next) ? [next.channel] : []
    if (channels.length + rows.length + forgotten.length + retained.length > 0) {
      const timeMs = options.timeMs() ?? null
      const sale = { channels, sessions: rows, forgotten, timeMs, retained, found }
      if (!(await save({ ...sale, ...soldBy(next, timeMs) }))) return false
    }
    for (const channel of found) lost.delete(channel)
    if (next !== undefined) {
      books.set(next.channel, next)
      touched.delete(next.channel)
    }
    for (const session of changed.values()) sessions.set(session.name, session)
    for (const { name } of forget) sessions.delete(name)
    makeRoom()
    return true
  }

  /** What a change sells; whoever paid for it can fetch it for a while. */
  function soldBy(next: Books | undefined, timeMs: number | null) {
    if (next === undefined) return {}
    const fresh = without(next.bought, books.get(next.channel)?.bought ?? [])
    if (fresh.length === 0) return {}
    return next.own || timeMs === null
      ? { fresh }
      : { fresh, pinUntilMs: Math.floor(timeMs) + pinMs }
  }

  /** Its first payment since the books were lost. */
  function isFound(next: Books): boolean {
    return next.lost === undefined && lost.has(next.channel)
  }

  function sealedKeys(session: Session, next: Books): Uint8Array {
    const body = encodeKeysBody(keysBody(session, next.bought, nodesOf))
    return sealMessage('keys', session.keys, BigInt(session.keysVersion), body, options.random)
  }

  /** What was destroyed is gone: nobody opens it any more, its buyers neither. */
  function nodesOf(...range: Parameters<Cover>): readonly KeyNode[] {
    try {
      return options.cover(...range)
    } catch (cause) {
      if (cause instanceof Fault && cause.code === 'GENERATION_MISSING') return []
      throw cause
    }
  }

  function makeRoom() {
    const guests = [...books.values()].filter((one) => !isKept(one))
    for (const { channel } of guests.slice(0, Math.max(0, guests.length - guestsMax))) {
      books.delete(channel)
      for (const { name, channel: theirs } of [...sessions.values()])
        if (theirs === channel) sessions.delete(name)
    }
  }
}

/** Books that go to disk: the owner's, and those of a channel that the gateway has granted. */
export function isKept(books: Books | undefined): boolean {
  return books !== undefined && (books.own || books.grant !== undefined)
}

function lostFrom({ spent }: { readonly spent: string | null }): Lost {
  return { spent: spent === null ? 'all' : BigInt(spent) }
}
