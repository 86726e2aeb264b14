/**
 * The settler: claims what buyers have promised, many channels in a transaction.
 *
 * It works on a schedule and by value against gas; at once inside a withdraw delay; and at the
 * orderly end. Totals are cumulative, so a claim that is lost, late or sent twice loses nothing:
 * the next one holds it.
 */
import { createTask, validate } from 'node-cron'
import { Fault } from '../faults.ts'
import type { Chain, Claim as VoucherClaim } from '../link/chain.ts'
import { costNow } from '../link/gasprice.ts'
import type { Hex } from '../wire/bytes.ts'
import { type Channel, claimable } from './channel.ts'
import type { Note } from './note.ts'
import { whyOf } from './orders.ts'
import { type Claim, type Policy, plan, urgent } from './plan.ts'

export type SettlerParts = {
  readonly channels: () => Iterable<Channel>
  /** Claims and settles in one multicall. */
  readonly chain: Pick<Chain, 'fees' | 'claim'>
  readonly policy: Policy
  /** A cron line of five fields, in the machine's time zone. */
  readonly schedule: string
  readonly note: (note: Note) => void
  readonly monotonicMs?: () => number
}

export type Settler = {
  /** Claims what a withdrawal is about to take. Never throws. */
  rescue(): Promise<void>
  /** Claims everything that is worth more than its gas. Never throws. */
  settleAll(): Promise<void>
  /** Claims on schedule until the signal aborts. */
  start(signal: AbortSignal): Promise<void>
}

/**
 * A claim that the chain does not show after so long is sent again: it was dropped or reorganised
 * away.
 */
const forgetMs = 60 * 60_000

export function isSchedule(text: string): boolean {
  return text.trim().split(/\s+/).length === 5 && validate(text)
}

export function openSettler(parts: SettlerParts): Settler {
  const { channels, policy, note } = parts
  const { unclaimed, sent } = inFlight(parts.monotonicMs ?? (() => performance.now()))
  let before: Promise<void> = Promise.resolve()

  /** One settlement at a time, so that none is planned on what another is about to move. */
  function settle(some: () => Iterable<Channel>, all: boolean): Promise<void> {
    before = before.then(() => settleNow(unclaimed(some()), all))
    return before
  }

  async function settleNow(due: readonly Channel[], all: boolean): Promise<void> {
    if (due.length === 0) return
    try {
      const price = costNow(await parts.chain.fees())
      for (const claim of plan(due, price, policy, all)) await send(claim)
    } catch (cause) {
      note({ event: 'trouble', where: 'settlement', why: whyOf(cause) })
    }
  }

  async function send(claim: Claim): Promise<void> {
    const { channels: some, receiver, token, value } = claim
    try {
      const {
        hash: transaction,
        gas,
        settled,
      } = await parts.chain.claim(some.map(claimOf), receiver, token)
      for (const channel of some) sent(channel)
      note({ event: 'claimed', channels: some.map(({ id }) => id), value, transaction, gas })
      note({ event: 'settled', receiver, token, amount: settled, transaction })
    } catch (cause) {
      note({ event: 'trouble', where: 'claim', why: whyOf(cause) })
      // One channel that the contract refuses must not keep the others waiting.
      const refused = cause instanceof Fault && cause.code === 'CHAIN_REFUSED'
      for (const half of refused ? halves(claim) : []) await send(half)
    }
  }

  return {
    rescue: () => settle(() => urgent(channels()), true),
    settleAll: () => settle(channels, true),
    async start(signal) {
      const task = createTask(parts.schedule, () => settle(channels, false))
      await task.start()
      await new Promise<void>((done) => {
        if (signal.aborted) done()
        signal.addEventListener('abort', () => done(), { once: true })
      })
      await task.destroy()
      await before
    },
  }
}

/**
 * Claims that were sent and are not yet deep enough to be seen: they count as claimed for a while.
 */
function inFlight(monotonicMs: () => number) {
  const sent = new Map<Hex, { readonly total: bigint; readonly atMs: number }>()
  return {
    sent({ id, voucher }: Channel): void {
      sent.set(id, { total: voucher?.maxClaimableAmount ?? 0n, atMs: monotonicMs() })
    },
    unclaimed: (channels: Iterable<Channel>): readonly Channel[] =>
      [...channels].map((channel) => {
        const mine = sent.get(channel.id)
        if (mine === undefined) return channel
        const over = mine.total <= channel.claimed || monotonicMs() - mine.atMs > forgetMs
        if (over) sent.delete(channel.id)
        return over ? channel : { ...channel, claimed: mine.total }
      }),
  }
}

function halves(claim: Claim): readonly Claim[] {
  const { channels } = claim
  if (channels.length < 2) return []
  const middle = channels.length >> 1
  return [channels.slice(0, middle), channels.slice(middle)].map((half) => ({
    ...claim,
    channels: half,
    value: half.reduce((sum, channel) => sum + claimable(channel), 0n),
  }))
}

function claimOf({ config, balance, voucher }: Channel): VoucherClaim {
  if (voucher === undefined) throw new RangeError('a claim needs a voucher')
  const { maxClaimableAmount } = voucher
  // A voucher past the balance is good for what is there.
  const totalClaimed = maxClaimableAmount < balance ? maxClaimableAmount : balance
  return { config, voucher, totalClaimed }
}
