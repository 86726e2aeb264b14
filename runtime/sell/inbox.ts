/**
 * The inbox: takes any message at once, drops the unwanted in microseconds, and keeps the rest in order
 * for the one who reads. It never blocks, never throws and never grows past its limits.
 */

import { budget } from '../time/budget.ts'
import type { Address } from '../wire/address.ts'
import { peekSession } from '../wire/session.ts'
import { topics } from '../wire/topic.ts'
import type { Drop, SellLimits } from './limits.ts'

export type Mail =
  | { readonly kind: 'order'; readonly message: Uint8Array }
  | { readonly kind: 'request'; readonly session: string; readonly message: Uint8Array }
  /** Retained topics: only the newest payload counts. */
  | { readonly kind: 'grant' | 'ack' | 'gateway'; readonly message: Uint8Array }

export type InboxOptions = {
  readonly device: Address
  readonly operator: Address
  readonly limits: SellLimits
  readonly monotonicMs: () => number
  /** What a session is to us. */
  readonly standing: (session: string) => 'granted' | 'guest' | undefined
  /**
   * Whose request this is: what its session did not seal is nobody's; repetitions and sessions without a
   * grant are guests, which share one budget, so that neither forgers nor echoes use up anybody's own.
   */
  readonly authorOf: (session: string, message: Uint8Array) => 'granted' | 'guest' | undefined
  readonly drop: (why: Drop) => void
  /** Called when there is something to read. */
  readonly wake: () => void
}

/** Buyers ask in bursts, one for each epoch that was sealed while they were away. */
const burstS = 2

export function inbox(options: InboxOptions) {
  const { device, operator, limits, monotonicMs, drop, wake } = options
  const own = topics(device)
  const notices = new Map<string, 'grant' | 'ack' | 'gateway'>([
    [own.grant, 'grant'],
    [own.ack, 'ack'],
    [topics(operator).offer, 'gateway'],
  ])
  const strangers = budget(limits.ordersPerS, monotonicMs, burstS)
  const guests = budget(limits.requestsPerS, monotonicMs, burstS)
  const regulars = new Map<string, ReturnType<typeof budget>>()
  const newest = new Map<'grant' | 'ack' | 'gateway', Uint8Array>()
  const waiting: (Mail & { readonly kind: 'order' | 'request' })[] = []
  let bytes = 0

  return {
    /** Topics to subscribe to. */
    filters: [own.ask, ...notices.keys()],
    handle(topic: string, payload: Uint8Array): void {
      const notice = notices.get(topic)
      if (notice === undefined) {
        if (topic === own.ask) ask(payload)
      } else if (payload.length > limits.noticeBytesMax) drop('too large')
      else {
        newest.set(notice, payload)
        wake()
      }
    },
    /** The next to read: what the gateway said before what buyers ask. */
    next(): Mail | undefined {
      for (const [kind, message] of newest) {
        newest.delete(kind)
        return { kind, message }
      }
      const mail = waiting.shift()
      bytes -= mail?.message.length ?? 0
      return mail
    },
    /** Forgets the budgets of sessions that are gone. */
    sweep(): void {
      for (const session of regulars.keys())
        if (options.standing(session) !== 'granted') regulars.delete(session)
    },
  }

  function ask(message: Uint8Array) {
    const peek = peekSession(message)
    if (peek === undefined) return drop('not a session message')
    const { kind, session } = peek
    if (kind !== 'order' && kind !== 'request') return drop('not a session message')
    if (kind === 'request') {
      if (options.standing(session) === undefined) return drop('unknown session')
      if (message.length > limits.requestBytesMax) return drop('too large')
    }
    const full = bytes + message.length > limits.waitingBytesMax
    if (full || waiting.length >= limits.waitingMax) return drop('queue full')
    const author = kind === 'request' ? options.authorOf(session, message) : 'stranger'
    if (author === undefined) return drop('not opened')
    const shared = author === 'guest' ? guests : strangers
    const own = author === 'granted' ? regular(session) : shared
    if (!own.take()) return drop('over the budget')
    bytes += message.length
    waiting.push(kind === 'order' ? { kind, message } : { kind, session, message })
    wake()
  }

  function regular(session: string) {
    const known = regulars.get(session)
    if (known !== undefined) return known
    const fresh = budget(limits.requestsPerS, monotonicMs, burstS)
    regulars.set(session, fresh)
    return fresh
  }
}
