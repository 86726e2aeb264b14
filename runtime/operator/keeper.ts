/**
 * The gateway's channels in memory, never ahead of the disk: `put` returns once the change is
 * durable, and only then says what there is to tell to whom.
 */
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { type Channel, type Member, owed } from './channel.ts'
import type { SentClaim } from './claimtable.ts'
import type { Change, Ledger } from './ledger.ts'
import type { Note } from './note.ts'

export type Keeper = {
  get(id: Hex): Channel | undefined
  all(): Iterable<Channel>
  /** The channels in which this device has a place, ended ones too. */
  of(device: Address): readonly Place[]
  /** Gateway time, ms since 1970: the wall clock, but never before a time that was signed. */
  nowMs(): number
  /** Makes the channel and what goes with it durable in one commit. */
  put(now: Channel, along?: Omit<Change, 'channels'>): void
  /** Claims that were signed and are not yet done with, oldest first. */
  claims(): readonly SentClaim[]
  /** Writes a claim down; it must be durable before its first byte leaves. */
  send(claim: SentClaim): void
  /** Drops a claim; what it brought, if it was mined, counts as claimed in the same commit. */
  finish(claim: SentClaim, mined: boolean): void
}

export type Place = {
  readonly channel: Channel
  readonly index: number
  readonly member: Member
}

export type Changed = (kind: 'grant' | 'ack', device: Address) => void

export function openKeeper(parts: {
  readonly ledger: Ledger
  readonly wallMs: () => number
  readonly changed: Changed
  readonly note: (note: Note) => void
}): Keeper {
  const { ledger, wallMs, changed, note } = parts
  const channels = new Map<Hex, Channel>()
  const places = new Map<Address, Map<Hex, number>>()
  let newestMs = 0
  for (const channel of ledger.channels()) enter(undefined, { ...channel, unseen: 'yet' })
  const claims = new Map(ledger.claims().map((claim) => [claim.number, claim]))

  function enter(before: Channel | undefined, now: Channel): void {
    channels.set(now.id, now)
    newestMs = Math.max(newestMs, now.acked.timeMs)
    for (const [index, { device }] of now.members.entries()) {
      if (index < (before?.members.length ?? 0)) continue
      const own = places.get(device) ?? new Map<Hex, number>()
      places.set(device, own.set(now.id, index))
    }
  }

  function claimed(id: Hex, total: bigint) {
    const before = channels.get(id)
    if (before === undefined || before.claimed >= total) return []
    return [{ before, now: { ...before, claimed: total } }]
  }

  return {
    get: (id) => channels.get(id),
    all: () => channels.values(),
    of: (device) =>
      [...(places.get(device) ?? [])].flatMap(([id, index]) => {
        const channel = channels.get(id)
        const member = channel?.members[index]
        return channel === undefined || member === undefined ? [] : [{ channel, index, member }]
      }),
    nowMs: () => Math.max(newestMs, wallMs()),
    put(now, along = {}) {
      const before = channels.get(now.id)
      ledger.save({ ...along, channels: [{ before, now }] })
      enter(before, now)
      tell(before, now, changed)
      for (const news of newsOf(before, now)) note(news)
    },
    claims: () => [...claims.values()],
    send(claim) {
      ledger.save({ claim })
      claims.set(claim.number, claim)
    },
    finish(claim, mined) {
      const moved = mined ? [...claim.totals].flatMap(([id, total]) => claimed(id, total)) : []
      ledger.save({ channels: moved, done: claim.number })
      claims.delete(claim.number)
      for (const { before, now } of moved) enter(before, now)
    },
  }
}

function tell(before: Channel | undefined, now: Channel, changed: Changed): void {
  const ended =
    before?.ended !== now.ended || (before?.withdrawing ?? 0n) > 0n !== now.withdrawing > 0n
  const acked = before?.acked !== now.acked
  for (const [index, member] of now.members.entries()) {
    const old = before?.members[index]
    if (isRaised(old, member) || ended) changed('grant', member.device)
    if (acked || old === undefined) changed('ack', member.device)
  }
}

/** What a person who watches wants to know. */
function* newsOf(before: Channel | undefined, now: Channel): Iterable<Note> {
  const { id: channel, balance, withdrawing, ended, acked } = now
  if (balance > (before?.balance ?? 0n)) yield { event: 'deposited', channel, balance }
  if (withdrawing > 0n && withdrawing !== before?.withdrawing) {
    yield { event: 'withdrawing', channel, amount: withdrawing }
  }
  if (now.shortSinceMs !== undefined && before?.shortSinceMs === undefined) yield* shortOf(now)
  if (ended !== undefined && before?.ended === undefined) {
    yield { event: 'ended', channel, why: ended }
    const lost = owed(now) - balance
    if (ended === 'withdrawal' && lost > 0n) yield { event: 'lost', channel, amount: lost }
  }
  for (const [index, member] of now.members.entries()) {
    const { device, cap, untilMs } = member
    if (isRaised(before?.members[index], member) && cap > 0n && ended === undefined) {
      yield { event: 'granted', channel, device, cap, untilMs }
    }
  }
  const { period, total } = acked
  if (period > (before?.acked.period ?? 0n)) yield { event: 'acked', channel, period, total }
}

/** Said at the first look, since what it was is known only much later. */
function* shortOf(now: Channel): Iterable<Note> {
  const { id: channel, balance, deposited } = now
  const amount = deposited - balance
  const over = owed(now) - balance
  if (amount > 0n) yield { event: 'short', channel, amount, owed: over > 0n ? over : 0n }
}

function isRaised(before: Member | undefined, now: Member): boolean {
  return before?.cap !== now.cap || before.untilMs !== now.untilMs
}
