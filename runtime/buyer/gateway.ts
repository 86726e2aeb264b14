/**
 * The operator's gateway, as a buyer sees it: it grants the channel to its devices after our order, and
 * acknowledges our books, without which devices soon stop to deliver.
 */
import { type Bell, bell } from '../time/bell.ts'
import { pause } from '../time/pause.ts'
import type { Address } from '../wire/address.ts'
import type { Refusal } from '../wire/refusal.ts'
import { sentence } from '../wire/refusal.ts'
import type { BuyerLimits } from './limits.ts'
import type { Orders } from './orders.ts'
import type { OrderTime } from './ordertime.ts'
import type { Purse } from './purse.ts'
import type { Session } from './session.ts'
import type { SessionRow } from './sessions.ts'
import type { Tally } from './tally.ts'

export type GatewayLine = {
  /** There is a newer promise. */
  look(): void
  /** Shows order and books until `ending`; after `sold` it ends once the newest books are taken. */
  start(sold: AbortSignal, ending: AbortSignal): Promise<void>
}

export type GatewayOptions = {
  readonly operator: Address
  readonly orders: Orders
  readonly time: OrderTime
  /** Opens the session of the newest order. */
  readonly dial: () => Promise<{ readonly session: Session; readonly row: SessionRow }>
  readonly purse: Purse
  readonly tally: Tally
  readonly limits: BuyerLimits
}

type State = GatewayOptions & {
  readonly bell: Bell
  /** What it holds of each device, as far as we know. */
  readonly shown: Map<Address, bigint>
  settledPeriod: bigint
}

export function openGatewayLine(options: GatewayOptions): GatewayLine {
  const state: State = { ...options, bell: bell(), shown: new Map(), settledPeriod: 0n }
  return {
    look: state.bell.ring,
    async start(sold, ending) {
      sold.addEventListener('abort', state.bell.ring, { once: true })
      while (!ending.aborted) {
        const { session, row } = await options.dial()
        if (await ordered(state, session, ending)) {
          await keepBooks(state, session, row, sold, ending)
        }
        if (sold.aborted) await leave(state, session, row, ending)
        session.close()
        // What breaks off here is gone on with in the same session by the next run.
        if (sold.aborted || ending.aborted) return
        options.orders.forget(row)
      }
    },
  }
}

/** The order, again and again until it is granted: the deposit may not be deep enough yet. */
async function ordered(state: State, session: Session, ending: AbortSignal): Promise<boolean> {
  const { tally, operator, limits } = state
  for (let told = ''; !ending.aborted; ) {
    const answer = await session.order(ending)
    if (answer === undefined) return false
    if (answer.kind !== 'refusal') {
      tally.note({ event: 'ordered', seller: operator, session: session.name })
      return true
    }
    const { code } = answer.refusal
    state.time.heed(operator, answer.refusal, true)
    if (code !== told) tellRefused(state, answer.refusal)
    told = code
    await pause(limits.retryMs, ending)
    if (code === 'order-ended') return false
  }
  return false
}

/** Shows the books whenever they are newer, until the session should be renewed or all is sold. */
async function keepBooks(
  state: State,
  session: Session,
  row: SessionRow,
  sold: AbortSignal,
  ending: AbortSignal,
): Promise<void> {
  const { limits, orders } = state
  while (!ending.aborted && !orders.isStale(row)) {
    const settled = isSettled(state)
    if (settled && sold.aborted) return
    if (settled) await state.bell.wait(idleMs, ending)
    else if (!(await show(state, session, ending))) await pause(limits.retryMs, ending)
  }
}

/** Shows the newest books, with the leaves that changed since it last took some. */
async function show(state: State, session: Session, ending: AbortSignal): Promise<boolean> {
  const { purse, shown } = state
  const books = await purse.statement()
  if (books === undefined) return false
  const { voucher, split } = books
  const leaves = books.leaves.filter(({ device, amount }) => shown.get(device) !== amount)
  // It hears nothing in a session that has ended: then another order may be due.
  const soon = AbortSignal.any([ending, AbortSignal.timeout(4 * state.limits.askMs)])
  const answer = await session.ask({ kind: 'books', voucher, split, leaves }, soon)
  if (answer === undefined) return false
  if (answer.kind === 'refusal') {
    // It may know less than we think: the next books hold every leaf.
    shown.clear()
    tellRefused(state, answer.refusal)
    return false
  }
  for (const { device, amount } of leaves) shown.set(device, amount)
  state.settledPeriod = split.period
  return true
}

async function leave(state: State, session: Session, row: SessionRow, ending: AbortSignal) {
  const soon = AbortSignal.any([ending, AbortSignal.timeout(state.limits.askMs)])
  if ((await session.ask({ kind: 'end' }, soon)) !== undefined) state.orders.forget(row)
}

function isSettled({ settledPeriod, purse }: State): boolean {
  return settledPeriod >= purse.channel.period
}

function tellRefused({ tally, operator }: State, refusal: Refusal): void {
  tally.note({ event: 'refused', seller: operator, why: sentence(refusal) })
}

/** Without news, how often we look whether another order is due, or was given to a device. */
const idleMs = 1_000
