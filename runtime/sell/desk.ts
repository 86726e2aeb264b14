/**
 * The desk: every rule of a sale, as plain decisions over one channel's books. It signs nothing, reads no
 * clock and stores nothing; whatever it says yes to is committed before any key goes out.
 *
 * Whatever arrives twice, late or out of order changes nothing.
 */
import { acknowledge, deliver, promise, grant as raise } from '../wire/account.ts'
import type { Ack } from '../wire/ack.ts'
import { equal, hex } from '../wire/bytes.ts'
import type { Grant } from '../wire/grant.ts'
import { runsMax } from '../wire/keysbody.ts'
import { checkPayment, type Payment } from '../wire/payment.ts'
import { charge } from '../wire/price.ts'
import { type Refusal, refusal, refuse } from '../wire/refusal.ts'
import type { Range } from '../wire/request.ts'
import type { Tariff } from './admit.ts'
import { type Books, type Lost, meterName, type Pending } from './books.ts'
import type { SealedEpoch } from './rows.ts'
import { has, type Runs, size, union, without } from './runs.ts'

export type Decision =
  | { readonly ok: true; readonly books: Books }
  | { readonly ok: false; readonly refusal: Refusal }

/** What the desk must know beside the books. */
export type Ground = {
  /** Gateway time for money, ms since 1970; undefined when none was ever heard. */
  readonly timeMs: number | undefined
  /** What these terms (hex of their hash) say; undefined for terms that were never offered. */
  readonly tariffOf: (terms: string) => Tariff | undefined
}

/** Promises that wait for an ack; older ones are covered by the ack of any newer. */
export const pendingMax = 64

/**
 * Takes a grant that the gateway signed. The cap only rises, the place never moves; of two grants the one
 * under the newer register stands, then the one with the higher cap, then the later end.
 */
export function takeGrant(books: Books, grant: Grant): Books {
  const known = books.grant?.grant
  if (known !== undefined) {
    if (known.index !== grant.index) return books
    const news =
      Number(grant.registryVersion - known.registryVersion) ||
      Number(grant.cap - known.cap) ||
      grant.untilMs - known.untilMs
    if (news < 0) return books
  }
  return { ...books, grant: { grant, live: true }, account: raise(books.account, grant.cap) }
}

/** The gateway's list has no grant for this channel any more: nothing more is sold on it. */
export function endGrant(books: Books): Books {
  return books.grant === undefined ? books : { ...books, grant: { ...books.grant, live: false } }
}

/** Takes an ack that the gateway signed: what it acknowledges, and that it spoke. */
export function takeAck(books: Books, ack: Ack): Books {
  if (books.ack !== undefined && ack.period < books.ack.period) return books
  const heardMs = Math.max(books.heardMs, ack.timeMs)
  const matching = books.pending.find((one) => isAcked(one, ack))
  // Of this very period another tree may still be waiting: a buyer that signs two is acked for one.
  const pending = books.pending.filter(
    (one) => one.period > ack.period || (one.period === ack.period && one !== matching),
  )
  const account =
    matching === undefined ? books.account : acknowledge(books.account, matching.amount)
  return { ...books, ack, heardMs, pending, account }
}

/** Takes a payment: a promise, when it is news; an equal or older one changes nothing. */
export function takePayment(books: Books, payment: Payment, ground: Ground): Decision {
  const { config, rail } = books.order
  if (config === undefined || rail === undefined) return refuse('promise-channel')
  if (books.grant === undefined) return refuse('grant-missing')
  const { grant } = books.grant
  const checked = checkPayment(
    payment,
    {
      channelId: books.order.order.channelId,
      rail,
      payerAuthorizer: config.payerAuthorizer,
      device: grant.device,
      index: grant.index,
    },
    books.payment,
  )
  if (!checked.ok) return checked
  if (!checked.news || isBeforeLoss(books, payment)) return { ok: true, books }
  const no = mayServe(books, ground)
  const isCounted = books.ack !== undefined && isAcked(payment.split, books.ack)
  if (no !== undefined && !(isCounted && mayFinish(no))) return { ok: false, refusal: no }
  const { amount } = payment.leaf
  const promised = promise(books.account, amount)
  if (!promised.ok) return promised
  const { period, root } = payment.split
  const { lost, ...rest } = books
  const account = lost === undefined ? promised.account : spentBefore(promised.account, lost)
  const next = { ...rest, payment, account }
  const entry: Pending = { period, root, amount }
  // The gateway may have acknowledged this very tree before it came here.
  if (books.ack !== undefined && isAcked(entry, books.ack))
    return { ok: true, books: { ...next, account: acknowledge(next.account, amount) } }
  return { ok: true, books: { ...next, pending: [...books.pending, entry].slice(-pendingMax) } }
}

/** Notes epochs that the buyer asks for; they may lie ahead, and what it has is not asked for again. */
export function want(books: Books, ranges: readonly Range[]): Decision {
  const wanted = union(books.wanted, without(ranges, books.bought))
  if (wanted.length > runsMax)
    return refuse('keys-unconfirmed', { runs: wanted.length, max: runsMax })
  return { ok: true, books: { ...books, wanted } }
}

export type Supply = {
  readonly books: Books
  /** Why it stopped before the last epoch. */
  readonly stopped?: Refusal
}

/**
 * Charges for sealed epochs that the buyer wants, oldest first, as far as its promise goes. `held` is what
 * the buyer has confirmed: the keys message need not repeat it.
 */
export function supply(
  books: Books,
  epochs: readonly SealedEpoch[],
  held: Runs,
  ground: Ground,
): Supply {
  let now = books
  for (const epoch of epochs) {
    if (has(now.bought, epoch)) continue
    const range = { ...chainOf(epoch), from: epoch.number, to: epoch.number }
    const wanted = without(now.wanted, [range])
    const bought = union(now.bought, [range])
    if (!isReadings(epoch)) {
      // Bought for nothing, so that a clock map or tombstone does not cut a run of keys in two.
      now = { ...now, wanted, bought }
      continue
    }
    const priced = now.own ? { ok: true as const, books: now } : chargeFor(now, epoch, ground)
    if (priced === 'not ordered') {
      now = { ...now, wanted }
      continue
    }
    if (!priced.ok) return { books: now, stopped: priced.refusal }
    const runs = without(bought, held).length
    if (runs > runsMax) {
      return { books: now, stopped: refusal('keys-unconfirmed', { runs, max: runsMax }) }
    }
    const bytesPaid = now.bytesPaid + epoch.bytes
    now = { ...priced.books, wanted, bought, bytesPaid }
  }
  return { books: now }
}

/**
 * Forgets wanted epochs that will never come: numbers up to a stream's tip that are not stored any more.
 * Call it when all that is stored was supplied.
 */
export function forgetMissing(
  books: Books,
  tips: readonly { readonly stream: string; readonly number: number }[],
): Books {
  const gone = books.wanted.flatMap(({ stream, generation }) => {
    const tip = tips.find((one) => one.stream === stream)
    return tip === undefined ? [] : [{ stream, generation, from: 0, to: tip.number }]
  })
  const wanted = without(books.wanted, gone)
  return size(wanted) === size(books.wanted) ? books : { ...books, wanted }
}

/** Stored bytes that the buyer may fetch again yet: twice what it paid for plus `freeBytes`, in all. */
export function fetchLeft({ bytesPaid, bytesFetched }: Books, freeBytes: number): number {
  return Math.max(0, 2 * bytesPaid + freeBytes - bytesFetched)
}

/** Lets the buyer fetch so many stored bytes again, within its allowance. */
export function fetchBytes(books: Books, bytes: number, freeBytes: number): Decision {
  if (bytes > fetchLeft(books, freeBytes)) {
    const max = 2 * books.bytesPaid + freeBytes
    return refuse('fetch-allowance', { bytes: books.bytesFetched, max })
  }
  return { ok: true, books: { ...books, bytesFetched: books.bytesFetched + bytes } }
}

/** Why nothing may be sold on this channel now; undefined when it may. Own data always may. */
export function mayServe(books: Books, { timeMs }: Ground): Refusal | undefined {
  if (books.own) return undefined
  if (timeMs === undefined) return refusal('time-unknown')
  const { untilMs } = books.order.order
  if (untilMs <= timeMs) return refusal('order-ended', { untilMs, timeMs })
  if (books.grant === undefined) return refusal('grant-missing')
  const { grant, live } = books.grant
  if (!live) return refusal('grant-taken-back')
  if (grant.untilMs <= timeMs) return refusal('grant-ended', { untilMs: grant.untilMs, timeMs })
  const ageMs = timeMs - books.heardMs
  const maxMs = ((books.order.config?.withdrawDelay ?? 0) * 1000) / 2
  return ageMs > maxMs ? refusal('ack-stale', { ageMs, maxMs }) : undefined
}

/**
 * What was promised here is claimed, also of a payer who withdraws: so it is delivered within the exposure,
 * though no promise is taken any more but one that the gateway holds.
 */
function mayFinish({ code }: Refusal): boolean {
  return code === 'grant-taken-back'
}

function chargeFor(books: Books, epoch: SealedEpoch, ground: Ground): Decision | 'not ordered' {
  const terms = hex(epoch.terms)
  const tariff = ground.tariffOf(terms)
  const ordered = books.order.order.terms.some((one) => equal(one, epoch.terms))
  if (!ordered || tariff === undefined) return 'not ordered'
  const no = mayServe(books, ground)
  if (no !== undefined && !mayFinish(no)) return { ok: false, refusal: no }
  const meter = meterName(epoch.stream, terms)
  const before = books.coveredMs.get(meter) ?? 0n
  const more = BigInt(Math.min(epoch.coveredMs, tariff.epochMs))
  const delivered = deliver(books.account, charge(before, more, tariff.price))
  if (!delivered.ok) return no === undefined ? delivered : { ok: false, refusal: no }
  const coveredMs = new Map(books.coveredMs).set(meter, before + more)
  return { ok: true, books: { ...books, account: delivered.account, coveredMs } }
}

/**
 * With lost books only the newest ack tells what was taken before. An older payment that is shown first would
 * count as all that was spent, and what was delivered for the ones behind it would be delivered once more.
 */
function isBeforeLoss({ lost, ack }: Books, { split }: Payment): boolean {
  return lost !== undefined && ack !== undefined && split.period < ack.period
}

/** Nobody here knows what was delivered before the books were lost: at most what was promised. */
function spentBefore(account: Books['account'], { spent }: Lost): Books['account'] {
  const { promised } = account
  return { ...account, delivered: spent === 'all' || spent > promised ? promised : spent }
}

function isReadings({ kind }: SealedEpoch): boolean {
  return kind === 'readings' || kind === 'interrupted'
}

function chainOf({ stream, generation }: SealedEpoch) {
  return { stream, generation }
}

function isAcked(entry: Pick<Pending, 'period' | 'root'>, ack: Ack): boolean {
  return entry.period === ack.period && equal(entry.root, ack.root)
}
