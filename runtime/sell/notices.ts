/**
 * What the gateway says: grants and acks, both retained lists. Lists are not signed as a whole, their rows
 * are. A list of grants counts only when every row is the gateway's word to this device, because what it
 * leaves out has ended; of acks each row counts by itself. Rows of channels that nobody ordered are kept
 * only as long as the list they stand in.
 */
import { type Ack, decodeAcks, recoverAck } from '../wire/ack.ts'
import type { Address } from '../wire/address.ts'
import { equal, type Hex, hex } from '../wire/bytes.ts'
import { decodeGrants, encodeGrant, type Grant, recoverGrant } from '../wire/grant.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Answers } from './answers.ts'
import { attempt } from './attempt.ts'
import { type Books, ownChannel } from './books.ts'
import { endGrant, takeAck, takeGrant } from './desk.ts'
import type { Drop, SellNote } from './limits.ts'
import type { moneyTime } from './moneytime.ts'
import type { Till } from './till.ts'

export type NoticesOptions = {
  readonly device: Address
  /** Who signs grants and acks. */
  readonly gateway: () => Address
  readonly till: Till
  readonly time: ReturnType<typeof moneyTime>
  readonly answers: Answers
  readonly note: (note: SellNote) => void
  readonly drop: (why: Drop) => void
}

export function notices(options: NoticesOptions) {
  const { till, time, note, drop } = options
  /** The newest lists, so that an order which comes after them finds what was said. */
  let grants = new Map<Hex, Grant>()
  let acks = new Map<Hex, Ack>()

  return {
    async takeGrants(payload: Uint8Array): Promise<void> {
      const rows = attempt(() => decodeGrants(payload))
      if (rows instanceof Malformed || !rows.every(isGenuine)) return drop('not from the gateway')
      grants = new Map(rows.map((grant) => [hex(grant.channelId), grant]))
      for (const books of till.allBooks()) {
        if (books.own) continue
        const grant = grants.get(books.channel)
        const next = grant === undefined ? endGrant(books) : takeGrant(books, grant)
        if (sameGrant(books, next)) continue
        const sessions = till.live(books.channel)
        await till.commit({ books: acked(next), sessions })
        note({ event: 'granted', channel: books.channel, cap: next.account.cap })
        await options.answers.welcomeAll(next)
      }
    },
    takeAcks(payload: Uint8Array): void {
      const rows = attempt(() => decodeAcks(payload))
      if (rows instanceof Malformed) {
        drop('not from the gateway')
        return
      }
      acks = new Map(rows.map((ack) => [hex(ack.channelId), ack]))
      hearTime(rows)
      for (const books of till.allBooks()) {
        const next = acked(books)
        // No commit: should a crash forget it, the retained list says it again.
        if (next !== books) till.touchBooks(next)
      }
    },
    /** What was already said of a channel that is new here. */
    brief(books: Books): Books {
      const grant = grants.get(books.channel)
      return acked(grant === undefined ? books : takeGrant(books, grant))
    },
  }

  /** A row of the list before needs no look: it is the same, byte for byte. */
  function isGenuine(grant: Grant): boolean {
    if (grant.device !== options.device) return false
    const known = grants.get(hex(grant.channelId))
    if (known !== undefined && equal(encodeGrant(known), encodeGrant(grant))) return true
    return recoverGrant(grant) === options.gateway()
  }

  function acked(books: Books): Books {
    const ack = acks.get(books.channel)
    if (ack === undefined || books.channel === ownChannel) return books
    if (books.ack !== undefined && hex(books.ack.signature) === hex(ack.signature)) return books
    if (recoverAck(ack) !== options.gateway()) {
      drop('not from the gateway')
      return books
    }
    return takeAck(books, ack)
  }

  /** The newest time that the gateway signed, whatever channel it stands in. */
  function hearTime(rows: readonly Ack[]) {
    const newest = rows.reduce<Ack | undefined>(
      (best, row) => (best === undefined || row.timeMs > best.timeMs ? row : best),
      undefined,
    )
    if (newest === undefined || newest.timeMs <= (time.nowMs() ?? -1)) return
    if (recoverAck(newest) === options.gateway()) time.hear(newest.timeMs)
    else drop('not from the gateway')
  }
}

function sameGrant({ grant: before }: Books, { grant: after }: Books): boolean {
  if (before === undefined || after === undefined) return before === after
  const same = equal(encodeGrant(before.grant), encodeGrant(after.grant))
  return same && before.live === after.live
}
