/**
 * One channel as the operator's gateway keeps it. Pure: the chain is read before, SQLite written
 * after.
 *
 *   number                  authority                      may
 *   balance, claimed        the chain, k blocks deep       rise; a balance that stays low ends it
 *   cap of a member         this gateway                   rise
 *   paid of a member        the buyer's signed tree        rise, up to its cap
 *   taken of a member       its device, as it shows        rise
 *   acked                   this gateway, once on disk     rise
 *
 *   paid ≤ cap, Σ caps ≤ balance − withdrawing
 *
 * so that whatever a device accepts within its grant can be collected. A member's place in the list
 * is its index in the payment tree for ever: members are appended, never moved and never removed.
 */
import type { Address } from '../wire/address.ts'
import { larger, smaller } from '../wire/amount.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import type { ChannelConfig, Rail } from '../wire/channel.ts'
import type { Voucher } from '../wire/voucher.ts'

export type Channel = {
  /**
   * The EIP-712 hash of its config: the same after a reorg, so a re-mined deposit keeps its
   * vouchers.
   */
  readonly id: Hex
  readonly config: ChannelConfig
  readonly rail: Rail
  /** Everything ever deposited and not taken back, claimed money included. */
  readonly balance: bigint
  readonly claimed: bigint
  /** The most that it ever held: with less, money was taken back or a block was taken back. */
  readonly deposited: bigint
  /** Since when it holds less than it did, gateway time in ms; not kept over a restart. */
  readonly shortSinceMs?: number
  /** What the payer has asked to take back, by the word of any endpoint. */
  readonly withdrawing: bigint
  /** When it may be taken, Unix seconds by the chain's clock. */
  readonly withdrawableS?: number
  /**
   * The chain was not asked for it yet since the start, or not for long: then it is not known whether
   * a withdrawal has begun, and nothing is said that a device may rely on. Not kept over a restart.
   */
  readonly unseen?: 'yet' | 'long'
  /** Why this channel gets no more grants and acks; it never goes away again. */
  readonly ended?: Ending
  readonly members: readonly Member[]
  /** The books that this gateway holds in full: the newest split and every leaf under it. */
  readonly acked: Books
  /** Roots of splits past the acked one, by period, to notice a buyer who signs two trees. */
  readonly splits: ReadonlyMap<bigint, Hex>
  /** The largest total that the buyer has signed: what the settler claims. */
  readonly voucher?: Voucher
}

export type Ending = 'withdrawal' | 'two trees'

export type Member = {
  readonly device: Address
  readonly cap: bigint
  /** Its leaf in the acked tree; undefined while the buyer's tree has none for it. */
  readonly paid?: bigint
  /** Its leaf in the newest payment that its device has shown to have taken. */
  readonly taken?: bigint
  /** True when an order named it alone, and not as one of a fleet. */
  readonly alone: boolean
  /** When the last order that names it ends, ms since 1970 by the gateway's clock. */
  readonly untilMs: number
}

/** Books as an Ack says them; signing the same again gives the same bytes. */
export type Books = {
  readonly period: bigint
  readonly root: Hex
  readonly total: bigint
  /** Gateway time of the ack, ms since 1970. */
  readonly timeMs: number
}

/** What k blocks below the tip say of a channel. */
export type Seen = {
  readonly balance: bigint
  readonly totalClaimed: bigint
  readonly withdrawal?:
    | {
        readonly amount: bigint
        readonly atS?: number
        /** False while only some endpoints show it. */
        readonly agreed?: boolean
      }
    | undefined
  /** Why not all endpoints say it: then it counts only as far as it is bad news. */
  readonly doubt?: { readonly message: string }
}

export function newChannel(id: Uint8Array, config: ChannelConfig, rail: Rail): Channel {
  const acked = { period: 0n, root: emptyRoot, total: 0n, timeMs: 0 }
  const money = { balance: 0n, claimed: 0n, deposited: 0n, withdrawing: 0n }
  return { id: hex(id), config, rail, ...money, members: [], acked, splits: new Map() }
}

/** A balance that fell counts as a reorganisation for so long, and as a withdrawal from then on. */
export const reorganisedMs = 30 * 60_000

/**
 * Takes what the chain says now. A pending withdrawal ends the channel. So does one that went
 * through while nobody looked, which shows as a balance that fell and stays low; a reorganised
 * deposit comes back, its channel with the same id and vouchers, and until then nothing is granted
 * or acked. What only some endpoints say is heeded in the same way, and ends nothing: one that lies
 * alone can hold a channel up, and neither fill nor close it.
 */
export function observe(channel: Channel, seen: Seen, nowMs: number): Channel {
  if (seen.doubt !== undefined || seen.withdrawal?.agreed === false) {
    return suspect(channel, seen, nowMs)
  }
  const { shortSinceMs = nowMs, withdrawableS: _, unseen: __, ...rest } = channel
  const deposited = seen.balance > channel.deposited ? seen.balance : channel.deposited
  const short = seen.balance < deposited
  const next: Channel = {
    ...rest,
    balance: seen.balance,
    claimed: seen.totalClaimed,
    deposited,
    withdrawing: seen.withdrawal?.amount ?? 0n,
    ...withdrawable(seen),
    ...(short ? { shortSinceMs } : {}),
  }
  const gone = short && nowMs - shortSinceMs >= reorganisedMs
  return seen.withdrawal !== undefined || gone ? end(next, 'withdrawal') : next
}

function suspect(channel: Channel, seen: Seen, nowMs: number): Channel {
  const { withdrawal, balance } = seen
  if (withdrawal === undefined && balance >= channel.balance) return channel
  const { shortSinceMs = nowMs } = channel
  const withdrawing = withdrawal?.amount ?? channel.withdrawing
  return { ...channel, ...withdrawable(seen), withdrawing, shortSinceMs }
}

function withdrawable({ withdrawal }: Seen): { readonly withdrawableS?: number } {
  return withdrawal?.atS === undefined ? {} : { withdrawableS: withdrawal.atS }
}

/** Whether its deposit stands, or whatever else its buyer must hear. */
export function isFunded(channel: Channel): boolean {
  return channel.ended !== undefined || (channel.balance > 0n && channel.shortSinceMs === undefined)
}

/** As far as is known its money is there: it may get grants and acks now. */
export function isOpen(channel: Channel): boolean {
  const { ended, shortSinceMs, withdrawing, unseen } = channel
  const isStill = shortSinceMs === undefined && withdrawing === 0n
  return ended === undefined && isStill && unseen === undefined
}

/** The first reason stands: what ended a channel is told to its buyer. */
export function end(channel: Channel, why: Ending): Channel {
  return channel.ended === undefined ? { ...channel, ended: why } : channel
}

/**
 * Appends the devices that are new to the channel, and lets every one be served until `untilMs`.
 */
export function join(
  channel: Channel,
  devices: readonly Address[],
  order: { readonly alone: boolean; readonly untilMs: number },
): Channel {
  const members = [...channel.members]
  const places = new Map(members.map((member, index) => [member.device, index]))
  for (const device of new Set(devices)) {
    const index = places.get(device)
    const member = index === undefined ? undefined : members[index]
    if (index === undefined || member === undefined) {
      members.push({ device, cap: 0n, alone: order.alone, untilMs: order.untilMs })
    } else {
      members[index] = {
        ...member,
        alone: member.alone || order.alone,
        untilMs: Math.max(order.untilMs, member.untilMs),
      }
    }
  }
  return { ...channel, members }
}

/** Acks the same books again at a later time, so that devices know it; an ended channel stays. */
export function ackAgain(channel: Channel, timeMs: number): Channel {
  if (!isOpen(channel) || timeMs <= channel.acked.timeMs) return channel
  return { ...channel, acked: { ...channel.acked, timeMs } }
}

/** Devices that are new to the register join every channel whose buyer ordered the fleet. */
export function joinFleet(channel: Channel, devices: readonly Address[], nowMs: number): Channel {
  if (channel.ended !== undefined) return channel
  const fleet = channel.members.filter(({ alone, untilMs }) => !alone && untilMs > nowMs)
  const known = new Set(channel.members.map(({ device }) => device))
  const fresh = devices.filter((device) => !known.has(device))
  if (fleet.length === 0 || fresh.length === 0) return channel
  const untilMs = Math.max(...fleet.map((member) => member.untilMs))
  return join(channel, fresh, { alone: false, untilMs })
}

export function capsTotal(channel: Channel): bigint {
  return channel.members.reduce((sum, member) => sum + member.cap, 0n)
}

/**
 * What the payer owes in all: what it promised. Once it withdraws, devices refuse what it promises, and a
 * voucher names one total for all of them: then it owes each what that has taken or may count on.
 */
export function owed({ voucher, ended, withdrawing, members }: Channel): bigint {
  const promised = voucher?.maxClaimableAmount ?? 0n
  if (ended !== 'withdrawal' && withdrawing === 0n) return promised
  const counted = members.reduce((sum, { paid = 0n, taken = 0n }) => sum + larger(paid, taken), 0n)
  return smaller(promised, counted)
}

/** The running total that a claim names; never more than is there. */
export function claimTotal(channel: Channel): bigint {
  return smaller(owed(channel), channel.balance)
}

/** What a claim would bring above what the chain has already moved. */
export function claimable(channel: Channel): bigint {
  return larger(claimTotal(channel) - channel.claimed, 0n)
}

/** The root of a payment tree without leaves. */
export const emptyRoot: Hex = `0x${'0'.repeat(64)}`
