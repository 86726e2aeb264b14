/**
 * An account: what one channel has promised to this device, what the device has delivered for it,
 * and what the gateway has acknowledged.
 *
 * Amounts are running totals in the token's smallest unit. Totals only grow, so the newest stands
 * for all before it, and one that arrives twice or late changes nothing. At all times
 *
 *   delivered ≤ promised ≤ cap            the device is never owed more than it can collect
 *   acknowledged ≤ promised               the gateway holds no promise that the device does not
 *   delivered − acknowledged ≤ exposureMax     a buyer that signs two trees costs no more
 *
 * All that an honest buyer risks is promised − delivered. Pure: signatures are checked before,
 * storage happens after.
 */
import { type Refusal, refuse } from './refusal.ts'

export type Account = {
  /** The most this device may accept; the operator's grant owns this number. */
  readonly cap: bigint
  /** Highest total the buyer has signed; the buyer owns this number. */
  readonly promised: bigint
  /** Price of everything handed over; the device owns this number. */
  readonly delivered: bigint
  /** Of what was promised, the most that the gateway holds on disk; its ack owns this number. */
  readonly acknowledged: bigint
  /**
   * The most that may be delivered beyond what is acknowledged; the device's config owns this
   * number.
   */
  readonly exposureMax: bigint
}

export type Outcome =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly refusal: Refusal }

/** A new account under a grant's cap. */
export function openAccount(cap: bigint, exposureMax: bigint): Account {
  return { cap, promised: 0n, delivered: 0n, acknowledged: 0n, exposureMax }
}

/** Takes a grant's cap; caps only rise, an equal or lower one changes nothing. */
export function grant(account: Account, cap: bigint): Account {
  return cap > account.cap ? { ...account, cap } : account
}

/** Takes a promise of a total; an equal or lower one is an old friend and changes nothing. */
export function promise(account: Account, total: bigint): Outcome {
  const { cap } = account
  if (total > cap) return refuse('promise-over-cap', { promised: total, cap })
  if (total <= account.promised) return { ok: true, account }
  return { ok: true, account: { ...account, promised: total } }
}

/** Charges for one delivery; call it before handing over the key. A price of zero always passes. */
export function deliver(account: Account, price: bigint): Outcome {
  if (price < 0n) throw new RangeError('a price is not negative')
  if (price === 0n) return { ok: true, account }
  const { promised, exposureMax } = account
  const delivered = account.delivered + price
  if (delivered > promised) {
    return refuse('promise-used-up', { price, promised, delivered: account.delivered })
  }
  const unacknowledged = delivered - account.acknowledged
  if (unacknowledged > exposureMax) {
    return refuse('exposure-reached', { unacknowledged, exposureMax })
  }
  return { ok: true, account: { ...account, delivered } }
}

/**
 * Takes what the gateway acknowledged: this device's amount in the tree that the ack names. More
 * than was promised here changes nothing: the gateway cannot hold what the device has not seen.
 */
export function acknowledge(account: Account, amount: bigint): Account {
  const news = amount > account.acknowledged && amount <= account.promised
  return news ? { ...account, acknowledged: amount } : account
}
