/**
 * What to pay for gas. Pure. A claim can wait, so it has a ceiling; inside the last half of a withdraw delay
 * it can not, and the ceiling falls. What a node says of prices may be a lie: a base fee is only ever paid as
 * it is, so the highest said is the safe one; a tip is paid in full, so the lowest said is.
 */
import { larger } from '../wire/amount.ts'

/** What the chain asks now, wei for a unit of gas. */
export type Fees = {
  /** Of the newest block (EIP-1559); undefined on a chain that has none. */
  readonly baseFee?: bigint
  /** What a miner would like on top; on a chain without base fee, the whole price. */
  readonly tip: bigint
  /** Time of the newest block, Unix seconds. */
  readonly timeS: number
}

/** What one transaction offers. Without a tip it is a plain gas price. */
export type Price = { readonly maxFee: bigint; readonly tip?: bigint }

export type GasRules = {
  /** The most for a unit of gas, wei. */
  readonly maxFee: bigint
  /** The tip, wei; what the chain asks when it is not given. */
  readonly tip?: bigint
  /** A replacement offers so much more, in per cent: below 12.5 nodes keep the old one. */
  readonly bumpPercent: bigint
}

export const gasRules: GasRules = { maxFee: 1_000n * 10n ** 9n, bumpPercent: 25n }

/** The dearest of what endpoints say of base fees, the cheapest tip, the latest time. */
export function feesOf(said: readonly Fees[]): Fees {
  const [first] = said
  if (first === undefined) throw new RangeError('nobody said a price')
  return said.reduce((all, one) => {
    const baseFee =
      one.baseFee === undefined || all.baseFee === undefined
        ? undefined
        : larger(one.baseFee, all.baseFee)
    const tip = one.tip < all.tip ? one.tip : all.tip
    const timeS = Math.max(one.timeS, all.timeS)
    return baseFee === undefined ? { tip, timeS } : { baseFee, tip, timeS }
  }, first)
}

/** What a unit of gas costs now, tip and all. */
export function costNow({ baseFee = 0n, tip }: Fees): bigint {
  return baseFee + tip
}

/** A first price; undefined while the chain is dearer than the rules allow and nothing presses. */
export function firstPrice(fees: Fees, rules: GasRules, presses = false): Price | undefined {
  const wanted = asked(fees, rules)
  if (presses || wanted.maxFee <= rules.maxFee) return wanted
  const least = (fees.baseFee ?? 0n) + (wanted.tip ?? wanted.maxFee)
  return least > rules.maxFee ? undefined : { ...wanted, maxFee: rules.maxFee }
}

/** A price that replaces `before`; undefined when the ceiling leaves no room for one. */
export function raisedPrice(
  before: Price,
  fees: Fees,
  rules: GasRules,
  presses = false,
): Price | undefined {
  const more = (price: bigint) => price + (price * rules.bumpPercent) / 100n + 1n
  const fresh = asked(fees, rules)
  const maxFee = larger(more(before.maxFee), fresh.maxFee)
  const most = presses || maxFee < rules.maxFee ? maxFee : rules.maxFee
  if (most * 8n < before.maxFee * 9n) return undefined
  if (before.tip === undefined) return { maxFee: most }
  const tip = larger(more(before.tip), fresh.tip ?? 0n)
  return tip <= most ? { maxFee: most, tip } : undefined
}

/** Twice the base fee stays enough for six full blocks. */
function asked({ baseFee, tip: wanted }: Fees, rules: GasRules): Price {
  const tip = rules.tip ?? wanted
  return baseFee === undefined ? { maxFee: wanted } : { maxFee: 2n * baseFee + tip, tip }
}
