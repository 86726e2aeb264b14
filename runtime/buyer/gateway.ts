/**
 * The operator's gateway, as a buyer sees it: it grants the channel to its devices after our order, and
 * acknowledges our books, without which devices soon stop to deliver.
 */

import type { Address } from '../wire/address.ts'
import { type Refusal, sentence } from '../wire/refusal.ts'
import type { BuyerLimits } from './limits.ts'
import { pause } from './pause.ts'
import type { Purse } from './purse.ts'
import type { Session } from './session.ts'
import type { Tally } from './tally.ts'

export type GatewayLine = {
  /** There is a newer promise. */
  look(): void
  /** Shows order and books until `ending`; after `buying` it ends once the newest books are taken. */
  start(buying: AbortSignal, ending: AbortSignal): Promise<void>
  /** True once the newest promise is on the gateway's disk. */
  isSettled(): boolean
}

export type GatewayOptions = {
  readonly operator: Address
  readonly session: Session
  readonly purse: Purse
  readonly tally: Tally
  readonly limits: BuyerLimits
}

export function openGatewayLine(options: GatewayOptions): GatewayLine {
  const { operator, session, purse, tally, limits } = options
  const shown = new Map<Address, bigint>()
  let settledPeriod = 0n
  let wake = new AbortController()

  const isSettled = () => settledPeriod >= purse.channel.period

  return {
    look: () => wake.abort(),
    isSettled,
    async start(buying, ending) {
      if (!(await ordered(ending))) return
      tally.note({ event: 'ordered', seller: operator, session: session.name })
      while (!ending.aborted && !(buying.aborted && isSettled())) {
        if (isSettled() || !(await show(ending))) {
          const signal = AbortSignal.any(isSettled() ? [ending, buying, wake.signal] : [ending])
          await pause(limits.retryMs, signal)
        }
        if (wake.signal.aborted) wake = new AbortController()
      }
      const soon = AbortSignal.any([ending, AbortSignal.timeout(limits.askMs)])
      await session.ask({ kind: 'end' }, soon)
    },
  }

  /** The order, again and again until it is granted: the deposit may not be deep enough yet. */
  async function ordered(ending: AbortSignal): Promise<boolean> {
    for (let told = ''; !ending.aborted; ) {
      const answer = await session.order(ending)
      if (answer === undefined) return false
      if (answer.kind !== 'refusal') return true
      if (answer.refusal.code !== told) refused(answer.refusal)
      told = answer.refusal.code
      await pause(limits.retryMs, ending)
    }
    return false
  }

  /** Shows the newest books, with the leaves that changed since it last took some. */
  async function show(ending: AbortSignal): Promise<boolean> {
    const books = await purse.statement()
    if (books === undefined) return false
    const { voucher, split } = books
    const leaves = books.leaves.filter(({ device, amount }) => shown.get(device) !== amount)
    const answer = await session.ask({ kind: 'books', voucher, split, leaves }, ending)
    if (answer === undefined) return false
    if (answer.kind === 'refusal') {
      // It may know less than we think: the next books hold every leaf.
      shown.clear()
      refused(answer.refusal)
      return false
    }
    for (const { device, amount } of leaves) shown.set(device, amount)
    settledPeriod = split.period
    return true
  }

  function refused(refusal: Refusal) {
    tally.note({ event: 'refused', seller: operator, why: sentence(refusal) })
  }
}
