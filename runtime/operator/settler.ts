/**
 * The settler: claims what buyers have promised, many channels in a transaction.
 *
 * It works on a schedule and by value against gas; at once inside a withdraw delay; and at the
 * orderly end. Totals are cumulative, so a claim that is lost, late or sent twice loses nothing:
 * the next one holds it.
 */
import { createTask, validate } from 'node-cron'
import { Fault } from '../faults.ts'
import { costNow, type Fees } from '../link/gasprice.ts'
import { aborted, pause } from '../time/pause.ts'
import { type Channel, claimable } from './channel.ts'
import type { Note } from './note.ts'
import { troubleOf } from './orders.ts'
import { type Claim, type Policy, plan, urgent } from './plan.ts'
import { openQueue, type QueueParts } from './queue.ts'

export type SettlerParts = QueueParts & {
  readonly policy: Policy
  /** A cron line of five fields, in the machine's time zone. */
  readonly schedule: string
  readonly note: (note: Note) => void
  /** At the orderly end, how long claims may take to be mined; the next start sees to the rest. */
  readonly endMs?: number
}

export type Settler = {
  /** Looks after claims on their way, and claims what a withdrawal is about to take. Never throws. */
  rescue(): Promise<void>
  /**
   * Claims everything that is worth more than its gas, and waits until it is mined, or until the signal that
   * nobody has the time: then the next start sees to the rest. Never throws.
   */
  settleAll(hurry?: AbortSignal): Promise<void>
  /** Claims on schedule until the signal aborts. */
  start(signal: AbortSignal): Promise<void>
}

/** A minute is five blocks of a slow chain, and what service managers leave to a process that ends. */
const endMsMax = 60_000
/** At the end, how long a chain that does not answer is asked again: a line that just came back needs a moment. */
const awakeMs = 10_000

export function isSchedule(text: string): boolean {
  return text.trim().split(/\s+/).length === 5 && validate(text)
}

export function openSettler(parts: SettlerParts): Settler {
  const { keeper, note } = parts
  const queue = openQueue(parts)
  let before: Promise<unknown> = Promise.resolve()

  /** One settlement at a time, so that none is planned on what another is about to move. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = before.then(work)
    before = mine
    return mine
  }

  /** Resolves to why the chain could not be asked, if so. */
  async function settle(some: Iterable<Channel>, all: boolean): Promise<Note | undefined> {
    const due = [...some].map(queue.ahead).filter((channel) => claimable(channel) > 0n)
    if (due.length === 0) return undefined
    try {
      const fees = await parts.chain.fees()
      for (const claim of plan(due, costNow(fees), parts.policy, all)) await send(claim, fees)
      return undefined
    } catch (cause) {
      return troubleOf('settlement', cause)
    }
  }

  function tell(trouble: Note | undefined): void {
    if (trouble !== undefined) note(trouble)
  }

  async function send(claim: Claim, fees: Fees): Promise<void> {
    try {
      const waits = await queue.add(claim, fees)
      if (waits !== undefined) note({ event: 'trouble', where: 'claim', ...waits })
    } catch (cause) {
      note(troubleOf('claim', cause))
      // One channel that the contract refuses must not keep the others waiting.
      const refused = cause instanceof Fault && cause.code === 'CHAIN_REFUSED'
      for (const half of refused ? halves(claim) : []) await send(half, fees)
    }
  }

  async function end(hurry: AbortSignal): Promise<void> {
    const beganMs = performance.now()
    const endMs = beganMs + (parts.endMs ?? endMsMax)
    const { pollMs } = parts.chain.transactions().limits
    for (;;) {
      // It may be the last word for a long time: an endpoint that rests is asked all the same.
      parts.chain.rouse()
      const trouble = await settle(keeper.all(), true)
      const late = performance.now() > Math.min(endMs, beganMs + awakeMs)
      const isLast = trouble === undefined || late || hurry.aborted
      if (isLast) tell(trouble)
      if (isLast) break
      await pause(pollMs, hurry)
    }
    for (;;) {
      const waiting = await queue.tend()
      if (waiting === 0) return
      if (performance.now() > endMs || hurry.aborted) {
        const why = `${waiting} are not mined yet: the next start sees to them`
        return note({ event: 'trouble', where: 'claim', why })
      }
      await pause(pollMs, hurry)
    }
  }

  return {
    rescue: () =>
      inTurn(async () => {
        await queue.tend()
        tell(await settle(urgent(keeper.all()), true))
      }),
    settleAll: (hurry = new AbortController().signal) => inTurn(() => end(hurry)),
    async start(signal) {
      const task = createTask(parts.schedule, () =>
        inTurn(async () => tell(await settle(keeper.all(), false))),
      )
      await task.start()
      await aborted(signal)
      await task.destroy()
      await before
    },
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
