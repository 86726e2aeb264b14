/**
 * How a channel's balance is dealt out as caps. Pure, and caps only rise:
 *
 * - a device ordered alone gets everything that is free;
 * - a fleet gets even shares of half the balance; the other half waits for those who sell more: a member
 *   that has used half of its cap gets another share, as long as there is one.
 */
import { smaller } from '../wire/amount.ts'
import { type Channel, capsTotal, isOpen, type Member } from './channel.ts'

/** The part of the balance that a fleet's first even shares are cut from: one in this many. */
export const firstSharesPart = 2n
/** A member is topped up when it has used one in this many of its cap. */
export const topUpPart = 2n

/** The channel with caps raised as far as its orders, its use and its balance allow. */
export function deal(channel: Channel): Channel {
  if (!isOpen(channel)) return channel
  let free = channel.balance - channel.withdrawing - capsTotal(channel)
  if (free <= 0n || channel.members.length === 0) return channel
  const share = evenShare(channel)
  let dealt = false
  const members = channel.members.map((member) => {
    const raise = smaller(wanted(member, share, free), free)
    if (raise <= 0n) return member
    free -= raise
    dealt = true
    return { ...member, cap: member.cap + raise }
  })
  return dealt ? { ...channel, members } : channel
}

function wanted(member: Member, share: bigint, free: bigint): bigint {
  if (member.alone) return free
  if (member.cap < share) return share - member.cap
  const used = (member.paid ?? 0n) * topUpPart
  return member.cap > 0n && used >= member.cap ? share : 0n
}

function evenShare(channel: Channel): bigint {
  const pot = (channel.balance - channel.withdrawing) / firstSharesPart
  const share = pot / BigInt(channel.members.length)
  // A balance too small to halve is still dealt: a unit a member, as far as it goes.
  return share > 0n ? share : 1n
}
