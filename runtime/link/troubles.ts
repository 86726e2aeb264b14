/** What is wrong with which endpoint of a chain: told when it begins, while it lasts, and when it is over. */
import type { Fault, FaultCode } from '../faults.ts'

/** What is wrong with one endpoint, when it begins and each time that it still is; and that it is over. */
export type EndpointNote =
  | {
      readonly event: 'endpoint failing'
      readonly rpc: string
      readonly code: FaultCode
      readonly why: string
      /** Wall clock, ms since 1970. */
      readonly sinceMs: number
    }
  | {
      readonly event: 'endpoint well'
      readonly rpc: string
      readonly code: FaultCode
      readonly seconds: number
    }

export type Troubles = {
  /** It is there, or still there. `what` names the question that brought it up. */
  is(place: number, what: string, why: Fault): void
  /** The same question was answered as it should. */
  over(place: number, what: string): void
}

export function openTroubles(
  rpcs: readonly string[],
  options: {
    readonly note?: (note: EndpointNote) => void
    readonly wallMs?: () => number
    readonly monotonicMs?: () => number
    /** A trouble that lasts is told again after so long; one that nobody saw since is forgotten. */
    readonly tellMs: number
  },
): Troubles {
  const { note = () => {}, wallMs = Date.now, tellMs } = options
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  type Trouble = {
    code: FaultCode
    sinceMs: number
    fromMs: number
    toldMs: number
    seenMs: number
  }
  const known = rpcs.map(() => new Map<string, Trouble>())

  /** Troubles that nobody met again: nobody asks that question any more. */
  function forget(place: number, keep: string): void {
    for (const [what, { seenMs }] of known[place] ?? []) {
      if (what !== keep && monotonicMs() - seenMs > tellMs) end(place, what)
    }
  }

  function end(place: number, what: string): void {
    const trouble = known[place]?.get(what)
    if (trouble === undefined) return
    known[place]?.delete(what)
    const seconds = Math.round((monotonicMs() - trouble.fromMs) / 1000)
    note({ event: 'endpoint well', rpc: rpcs[place] ?? '', code: trouble.code, seconds })
  }

  return {
    is(place, what, why) {
      const atMs = monotonicMs()
      const fresh = { sinceMs: wallMs(), fromMs: atMs, toldMs: Number.NEGATIVE_INFINITY }
      const { sinceMs, fromMs, toldMs } = known[place]?.get(what) ?? fresh
      const tell = atMs - toldMs >= tellMs
      const told = tell ? atMs : toldMs
      known[place]?.set(what, { code: why.code, sinceMs, fromMs, toldMs: told, seenMs: atMs })
      forget(place, what)
      if (!tell) return
      const rpc = rpcs[place] ?? ''
      note({ event: 'endpoint failing', rpc, code: why.code, why: why.message, sinceMs })
    },
    over(place, what) {
      end(place, what)
      forget(place, what)
    },
  }
}
