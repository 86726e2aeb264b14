/**
 * What to claim now: pure arithmetic of value against gas.
 *
 * Vouchers are running totals, so waiting loses nothing: a channel is claimed when its part of the
 * gas is small beside what it brings. Two things change that: a payer who withdraws (then whatever
 * is worth more than its gas is claimed at once), and the orderly end.
 */
import type { Address } from '../wire/address.ts'
import { type Channel, claimable } from './channel.ts'

export type Policy = {
  /**
   * What a coin of the chain (10^18 wei) is worth, in the token's smallest unit; 0: not weighed.
   */
  readonly perCoin: (token: Address) => bigint
  /** Gas may cost at most this share of what is claimed, in per mille. */
  readonly gasPermille: bigint
}

/** One transaction: the channels of one receiver and token, the most valuable first. */
export type Claim = {
  readonly receiver: Address
  readonly token: Address
  readonly channels: readonly Channel[]
  /** What it brings, in the token's smallest unit. */
  readonly value: bigint
}

/** Gas of a claim and settle in one multicall: for its first channel, and for each further one. */
export const gasFirst = 80_000n
export const gasEach = 20_000n
/** Channels in one transaction: 2 M gas, far below any block. */
export const channelsMax = 100

/**
 * The transactions that are worth sending at this gas price (wei); `all` claims whatever is worth
 * more than its gas, as at the end or inside a withdraw delay.
 */
export function plan(
  channels: Iterable<Channel>,
  gasPrice: bigint,
  policy: Policy,
  all = false,
): readonly Claim[] {
  const permille = all ? 1000n : policy.gasPermille
  const worth = (value: bigint, gas: bigint, token: Address) =>
    value > 0n && value * permille >= costOf(gas, gasPrice, policy.perCoin(token)) * 1000n

  const groups = new Map<string, Channel[]>()
  for (const channel of channels) {
    if (!worth(claimable(channel), gasEach, channel.config.token)) continue
    const key = `${channel.config.receiver} ${channel.config.token}`
    groups.set(key, [...(groups.get(key) ?? []), channel])
  }
  const claims = [...groups.values()].flatMap((group) => batches(group).map(claimOf))
  return claims.filter(({ channels: { length }, value, token }) =>
    worth(value, gasFirst + gasEach * BigInt(length - 1), token),
  )
}

/** What that gas costs in the token's smallest unit. */
export function costOf(gas: bigint, gasPrice: bigint, perCoin: bigint): bigint {
  return (gas * gasPrice * perCoin) / 10n ** 18n
}

/** Those that a withdrawal is about to empty, and that have something left to claim. */
export function urgent(channels: Iterable<Channel>): readonly Channel[] {
  return [...channels].filter((channel) => channel.withdrawing > 0n && claimable(channel) > 0n)
}

function batches(group: readonly Channel[]): Channel[][] {
  const sorted = [...group].sort((a, b) => (claimable(b) > claimable(a) ? 1 : -1))
  const count = Math.ceil(sorted.length / channelsMax)
  return Array.from({ length: count }, (_, i) =>
    sorted.slice(i * channelsMax, (i + 1) * channelsMax),
  )
}

function claimOf(channels: Channel[]): Claim {
  const [first] = channels
  if (first === undefined) throw new RangeError('a claim has at least one channel')
  const { receiver, token } = first.config
  const value = channels.reduce((sum, channel) => sum + claimable(channel), 0n)
  return { receiver, token, channels, value }
}
