/** A session with one buyer: which channel it draws on, and how far its counters have come. */
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { type Cover, type KeysBody, runsMax } from '../wire/keysbody.ts'
import type { KeyNode } from '../wire/keytree.ts'
import type { SessionKeys } from '../wire/session.ts'
import type { SessionRow } from './rows.ts'
import { type Runs, without } from './runs.ts'

export type Session = {
  /** 32 hex digits, as it stands in topics. */
  readonly name: string
  readonly channel: Hex
  /** SHA-256 of the order message that opened it. */
  readonly message: Hex
  readonly orderNumber: bigint
  readonly untilMs: number
  readonly keys: SessionKeys
  /** Newest request counter taken. */
  readonly counter: bigint
  /** Answer counters up to this one are reserved durably, so that none is used twice after a crash. */
  readonly answers: number
  readonly keysVersion: number
  readonly ended: boolean
  /** What the buyer confirmed to hold. */
  readonly held: Runs
}

/** Answer counters reserved in one commit. */
export const answersReserved = 1_024

export function sessionRow(session: Session): SessionRow {
  const { name, keys } = session
  return {
    session: name,
    channel: session.channel,
    message: session.message,
    orderNumber: String(session.orderNumber),
    untilMs: session.untilMs,
    ask: keys.ask,
    answer: keys.answer,
    keys: keys.keys,
    counter: String(session.counter),
    answers: session.answers,
    keysVersion: session.keysVersion,
    ended: session.ended ? 1 : 0,
    held: session.held,
  }
}

export function sessionFrom(row: SessionRow): Session {
  const { session: name, ask, answer, keys } = row
  return {
    name,
    channel: hex(unhex(row.channel)),
    message: hex(unhex(row.message)),
    orderNumber: BigInt(row.orderNumber),
    untilMs: row.untilMs,
    keys: { id: unhex(name), ask, answer, keys },
    counter: BigInt(row.counter),
    answers: row.answers,
    keysVersion: row.keysVersion,
    ended: row.ended === 1,
    held: row.held,
  }
}

/**
 * The body of the session's retained keys: the cover of everything bought that the buyer has not confirmed
 * to hold, as far as one message goes. Generations that were destroyed give no nodes and drop out.
 */
export function keysBody(
  session: Session,
  bought: Runs,
  cover: (stream: string, generation: number, from: number, to: number) => readonly KeyNode[],
): KeysBody {
  const covers = new Map<string, Cover>()
  for (const { stream, generation, from, to } of without(bought, session.held).slice(0, runsMax)) {
    const nodes = cover(stream, generation, from, to)
    if (nodes.length === 0) continue
    const name = `${stream}/${generation}`
    const runs = covers.get(name)?.runs ?? []
    covers.set(name, { stream, generation, runs: [...runs, { from, to, nodes }] })
  }
  return { version: BigInt(session.keysVersion), covers: [...covers.values()] }
}
