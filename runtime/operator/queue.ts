/**
 * Claims on their way: each stands on the disk before its first byte leaves, and until it is k blocks
 * deep.
 *
 * So a restart, whenever it comes, finds what was sent, hands the same bytes over again and sees it
 * through: no claim is forgotten, and none is paid for twice, since every version of it takes the same
 * nonce. What waits in vain is offered again at a higher price; what a reorganisation took off the
 * chain is handed over again.
 */
import { failpoint } from '../disk/failpoint.ts'
import type { Chain, Claim as VoucherClaim } from '../link/chain.ts'
import { costNow, type Fees, firstPrice, raisedPrice } from '../link/gasprice.ts'
import type { Receipt } from '../link/node.ts'
import { newest } from '../link/outgoing.ts'
import type { Hex } from '../wire/bytes.ts'
import { type Channel, claimTotal } from './channel.ts'
import type { SentClaim } from './claimtable.ts'
import type { Keeper } from './keeper.ts'
import type { Note } from './note.ts'
import { troubleOf } from './orders.ts'
import type { Claim } from './plan.ts'

export type QueueParts = {
  readonly keeper: Pick<Keeper, 'get' | 'all' | 'claims' | 'send' | 'finish' | 'nowMs'>
  readonly chain: Pick<Chain, 'fees' | 'claimCall' | 'transactions' | 'settledIn' | 'rouse'>
  readonly note: (note: Note) => void
}

/** Why a claim waits. */
export type Wait = { readonly why: string; readonly code?: 'GAS_DEAR' }

export type Queue = {
  /** The channel as it will be once everything on its way has arrived. */
  ahead(channel: Channel): Channel
  /**
   * Signs, writes down and sends one claim. Says why it waits, if it does. Throws CHAIN_REFUSED when the
   * contract would refuse it, and what the chain throws.
   */
  add(claim: Claim, fees: Fees): Promise<Wait | undefined>
  /** Looks after what is on its way. Never throws. Says how many are not mined yet. */
  tend(): Promise<number>
}

/** Claims on their way at a time: more wait for the next look, so that nodes keep them all. */
export const onTheWayMax = 16
/** A claim signed by a key that is ours no more is given up after so long: the next one holds it. */
const strangerMs = 60 * 60_000

export function openQueue(parts: QueueParts): Queue {
  const { keeper, chain, note } = parts
  const sums = () => {
    const totals = new Map<Hex, bigint>()
    for (const claim of keeper.claims()) {
      for (const [id, total] of claim.totals) {
        if (total > (totals.get(id) ?? 0n)) totals.set(id, total)
      }
    }
    return totals
  }
  return {
    ahead(channel) {
      const total = sums().get(channel.id) ?? 0n
      return total > channel.claimed ? { ...channel, claimed: total } : channel
    },
    async add(plan, fees) {
      const onTheWay = keeper.claims()
      if (onTheWay.length >= onTheWayMax)
        return { why: `${onTheWay.length} claims are on their way` }
      const { channels, receiver, token, value } = plan
      const box = chain.transactions()
      const price = firstPrice(fees, box.rules, channels.some(presses(fees)))
      if (price === undefined) return dear(fees, box.rules.maxFee)
      const rows = channels.map(rowOf)
      const call = await chain.claimCall(rows, receiver, token)
      const taken = onTheWay.filter(({ sender }) => sender === box.from).flatMap(noncesOf)
      const outgoing = await box.write(call, price, taken)
      const nowMs = keeper.nowMs()
      const claim: SentClaim = {
        ...{ receiver, token, value, outgoing },
        number: Math.max(0, ...onTheWay.map(({ number }) => number)) + 1,
        sender: box.from,
        totals: new Map(channels.map(({ id }, i) => [id, rows[i]?.totalClaimed ?? 0n])),
        sinceMs: nowMs,
        versionMs: nowMs,
      }
      keeper.send(claim)
      failpoint('claim.written')
      const transaction = newest(outgoing).hash
      note({ event: 'claiming', channels: [...claim.totals.keys()], value, transaction })
      const why = await post(parts, claim)
      return why === undefined ? undefined : { why }
    },
    async tend() {
      let waiting = 0
      for (const claim of keeper.claims()) {
        try {
          if (await tendOne(parts, claim)) waiting += 1
        } catch (cause) {
          waiting += 1
          note(troubleOf('claim', cause))
        }
      }
      return waiting
    },
  }
}

/** Returns whether it still waits to be mined. */
async function tendOne(parts: QueueParts, claim: SentClaim): Promise<boolean> {
  const { keeper, chain, note } = parts
  const box = chain.transactions()
  const isOwn = claim.sender === box.from
  const others = keeper.claims().filter((one) => one !== claim && one.sender === box.from)
  const fate = await box.fate(claim.outgoing, others.flatMap(noncesOf))
  if (fate.state === 'mined') return false
  if (fate.state === 'deep') {
    arrive(parts, claim, fate.receipt)
    return false
  }
  if (isOwn ? fate.state === 'displaced' : keeper.nowMs() - claim.sinceMs > strangerMs) {
    keeper.finish(claim, false)
    const why = isOwn ? 'another transaction took its nonce' : 'its key is not ours any more'
    note({ event: 'trouble', where: 'claim', why: `${newest(claim.outgoing).hash}: ${why}` })
    return false
  }
  const renewed = isOwn && fate.state === 'waiting' ? await renew(parts, claim, fate.gap) : claim
  const why = await post(parts, renewed)
  if (why !== undefined) note({ event: 'trouble', where: 'claim', why })
  return true
}

/** Another version where one is due: into a gap of nonces, or at a higher price. */
async function renew(
  { keeper, chain, note }: QueueParts,
  claim: SentClaim,
  gap: number | undefined,
): Promise<SentClaim> {
  const box = chain.transactions()
  const nowMs = keeper.nowMs()
  const late = nowMs - claim.versionMs >= box.limits.minedMs
  if (gap === undefined && !late) return claim
  const fees = await chain.fees()
  const last = newest(claim.outgoing)
  const pressing = [...claim.totals.keys()].some((id) => {
    const channel = keeper.get(id)
    return channel !== undefined && presses(fees)(channel)
  })
  const dearer = raisedPrice(last.price, fees, box.rules, pressing)
  const price = gap === undefined ? dearer : (dearer ?? last.price)
  if (price === undefined) {
    // Said once a version, and not once a look.
    keeper.send({ ...claim, versionMs: nowMs })
    note({ event: 'trouble', where: 'claim', ...dear(fees, box.rules.maxFee) })
    return claim
  }
  const outgoing = await box.rewrite(claim.outgoing, price, gap)
  const renewed = { ...claim, outgoing, versionMs: nowMs }
  keeper.send(renewed)
  failpoint('claim.renewed')
  const { hash: transaction } = newest(outgoing)
  note({ event: 'replaced', before: last.hash, transaction, maxFee: price.maxFee })
  return renewed
}

async function post({ chain }: QueueParts, { outgoing }: SentClaim): Promise<string | undefined> {
  const why = await chain.transactions().post(outgoing)
  failpoint('claim.posted')
  return why
}

/** Told before it is dropped: after a kill between the two it is told again, with the same transaction. */
function arrive({ keeper, chain, note }: QueueParts, claim: SentClaim, receipt: Receipt): void {
  const { receiver, token, value, totals } = claim
  const { hash: transaction, gas } = receipt
  failpoint('claim.deep')
  if (!receipt.ok) {
    keeper.finish(claim, false)
    const why = `${transaction} failed on chain, ${gas} gas`
    note({ event: 'trouble', where: 'claim', why, code: 'CLAIM_FAILED' })
    return
  }
  note({ event: 'claimed', channels: [...totals.keys()], value, transaction, gas })
  const amount = chain.settledIn(receipt, receiver, token)
  note({ event: 'settled', receiver, token, amount, transaction })
  keeper.finish(claim, true)
  failpoint('claim.finished')
}

/** In the last half of a withdraw delay no price is too high. */
function presses({ timeS }: Fees): (channel: Channel) => boolean {
  return ({ withdrawing, withdrawableS, config }) =>
    withdrawing > 0n &&
    (withdrawableS === undefined || timeS >= withdrawableS - config.withdrawDelay / 2)
}

function dear(fees: Fees, max: bigint): Wait {
  return { why: `a unit of gas costs ${costNow(fees)} wei, the limit is ${max}`, code: 'GAS_DEAR' }
}

function noncesOf({ outgoing }: SentClaim): number[] {
  return outgoing.versions.map(({ nonce }) => nonce)
}

function rowOf(channel: Channel): VoucherClaim & { totalClaimed: bigint } {
  const { config, voucher } = channel
  if (voucher === undefined) throw new RangeError('a claim needs a voucher')
  return { config, voucher, totalClaimed: claimTotal(channel) }
}
