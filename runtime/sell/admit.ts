/** Whether an order is taken: the wire's rules, then this seller's own terms and prices. Pure. */

import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import type { Offer } from '../wire/offer.ts'
import { checkOrder, type OrderDocument } from '../wire/order.ts'
import { isWithin, type Price } from '../wire/price.ts'
import { type Refusal, refusal } from '../wire/refusal.ts'

/** Terms that this device offers or once offered, and what they cost. */
export type Tariff = {
  readonly stream: string
  readonly price: Price
  /** Nominal length of an epoch: no more of it is charged. */
  readonly epochMs: number
}

export type AdmitGround = {
  readonly device: Address
  readonly offer: Offer
  /** The key that HPKE says has sealed the order. */
  readonly sessionKey: Uint8Array
  readonly timeMs: number | undefined
  /** By hex of the terms' hash. */
  readonly tariffs: ReadonlyMap<string, Tariff>
  /** The highest order number that this channel (own data: this session) has had. */
  readonly newest: bigint | undefined
}

/** The refusal, or undefined when the order is taken. */
export function admit(document: OrderDocument, ground: AdmitGround): Refusal | undefined {
  const { device, offer, sessionKey, timeMs, tariffs, newest } = ground
  const checked = checkOrder(document, {
    device,
    operator: offer.operator,
    sessionKey,
    tokens: offer.rails,
    receiver: offer.receiver,
    receiverAuthorizer: offer.gateway,
    withdrawDelayMin: offer.withdrawDelayMinS,
    ...(timeMs === undefined ? {} : { timeMs }),
  })
  if (!checked.ok) return checked.refusal
  const { order, own } = checked
  if (newest !== undefined && order.number <= newest) {
    return refusal('order-older', { number: order.number, newest })
  }
  if (own) return undefined
  const ordered = order.terms.flatMap((hash) => tariffs.get(hex(hash)) ?? [])
  if (ordered.length === 0) return refusal('order-terms')
  const ceiling = { amount: order.ceilingAmount, perMs: order.ceilingPerMs }
  const dear = ordered.find(({ price }) => !isWithin(price, ceiling))
  return dear === undefined ? undefined : refusal('order-ceiling', { stream: dear.stream })
}
