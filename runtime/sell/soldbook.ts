/**
 * Tells the gateway, sealed and retained, the newest payment of every channel: with it the operator can
 * claim what was promised here, even of a buyer that never went to the gateway.
 */
import type { Address } from '../wire/address.ts'
import { equal, hex, unhex } from '../wire/bytes.ts'
import { Malformed } from '../wire/malformed.ts'
import { readOffer } from '../wire/offer.ts'
import { sealSold, soldMax } from '../wire/sold.ts'
import { topics } from '../wire/topic.ts'
import { attempt, malformed } from './attempt.ts'
import type { Drop } from './limits.ts'
import type { SalesStore } from './rows.ts'
import type { Till } from './till.ts'

export type SoldOptions = {
  readonly device: Address
  readonly operator: () => Address
  readonly store: SalesStore
  readonly till: Till
  readonly monotonicMs: () => number
  readonly everyMs: number
  readonly drop: (why: Drop) => void
}

export function soldBook(options: SoldOptions) {
  const { till } = options
  const topic = topics(options.device).sold
  let recipient: Uint8Array | undefined
  let offerVersion = 0
  let said = ''
  let saidAtMs = Number.NEGATIVE_INFINITY

  return {
    /** Takes the gateway's own offer: it names the key to seal to. */
    takeGateway(payload: Uint8Array): void {
      const read = attempt(() => readOffer(payload))
      const operator = options.operator()
      // Anybody can enrol a key of theirs for anybody: an operator speaks with its own.
      const isOurs = !(read instanceof Malformed) && read.signer === operator
      if (!isOurs || read.offer.device !== operator) {
        options.drop('not from the gateway')
        return
      }
      // An older one, said again, may name a key that was given up because it leaked.
      if (read.offer.version < offerVersion) return
      offerVersion = read.offer.version
      const key = unhex(read.offer.hpke)
      if (recipient === undefined || !equal(key, recipient)) said = ''
      recipient = key
    },
    /** Says what is new, not too often; resolves to the ms to wait before it can say more. */
    async say(): Promise<number> {
      const payments = till
        .allBooks()
        .flatMap(({ payment }) => (payment === undefined ? [] : [payment]))
        .slice(-soldMax)
      const now = payments.map(({ split }) => `${hex(split.channelId)}/${split.period}`).join()
      if (recipient === undefined || now === said) return Number.POSITIVE_INFINITY
      const waitMs = saidAtMs + options.everyMs - options.monotonicMs()
      if (waitMs > 0) return waitMs
      const sealed = await sealSold(payments, options.device, recipient).catch(malformed)
      if (sealed instanceof Malformed) {
        recipient = undefined
        options.drop('not from the gateway')
        return Number.POSITIVE_INFINITY
      }
      await options.store.setRetained(topic, sealed)
      said = now
      saidAtMs = options.monotonicMs()
      return Number.POSITIVE_INFINITY
    },
  }
}
