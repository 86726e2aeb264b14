/**
 * The offers that are kept while sellers are looked for. Anybody may sign any number of them, so there is a
 * bound on their count and on their bytes. Past it what nobody vouches for goes first, and among its like the
 * newest comer: a flood comes on top of what the broker has long retained.
 */
import type { Address } from '../wire/address.ts'
import type { Enrolment } from '../wire/enrolment.ts'
import type { Offer } from '../wire/offer.ts'
import type { BuyerLimits } from './limits.ts'
import type { ListedStream } from './market.ts'

/** An offer that was checked as far as it can be without trust. */
export type KeptOffer = {
  readonly offer: Offer
  /** The operator's word that came within it. */
  readonly enrolment?: Enrolment
  /** Of its streams those that are wanted. */
  readonly streams: readonly ListedStream[]
  readonly bytes: number
}

/** `perhaps`: it may yet be vouched for, or its operator turn out to be the one to pay. */
export type Worth = 'no use' | 'perhaps' | 'believed'

export type Offers = {
  /** Keeps it in the place of an older one by the same key. False when there is no room for it. */
  put(kept: KeptOffer): boolean
  /** The newest one of that key. */
  get(device: Address, signingKey: Address): KeptOffer | undefined
  all(): Iterable<KeptOffer>
  clear(): void
}

export function openOffers(
  limits: Pick<BuyerLimits, 'offersMax' | 'offerBytesMax'>,
  worthOf: (kept: KeptOffer) => Worth,
): Offers {
  /** By device and key; who came last stands last. */
  const kept = new Map<string, KeptOffer>()
  let bytes = 0

  function drop(name: string): void {
    bytes -= kept.get(name)?.bytes ?? 0
    kept.delete(name)
  }

  /** The newest comer of those that are only `perhaps` of use. */
  function least(): string | undefined {
    for (const name of [...kept.keys()].reverse()) {
      const one = kept.get(name)
      if (one !== undefined && worthOf(one) !== 'believed') return name
    }
    return undefined
  }

  function fits(one: KeptOffer): boolean {
    return kept.size < limits.offersMax && bytes + one.bytes <= limits.offerBytesMax
  }

  return {
    put(one) {
      const name = nameOf(one.offer.device, one.offer.signingKey)
      drop(name)
      const worth = worthOf(one)
      if (worth === 'no use') return true
      while (!fits(one)) {
        const less = worth === 'believed' ? least() : undefined
        if (less === undefined) return false
        drop(less)
      }
      kept.set(name, one)
      bytes += one.bytes
      return true
    },
    get: (device, signingKey) => kept.get(nameOf(device, signingKey)),
    all: () => kept.values(),
    clear() {
      kept.clear()
      bytes = 0
    },
  }
}

function nameOf(device: Address, signingKey: Address): string {
  return `${device}/${signingKey}`
}
