/**
 * How the line stands, for whoever looks after it: what is wrong with it, each as a fault with its cure,
 * until it is well again.
 */
import { type Fault, fault } from '../faults.ts'
import type { LinkLimits, LinkNote } from './limits.ts'
import { type Ending, shutOut } from './reasons.ts'

export type BrokerState = {
  readonly connected: boolean
  readonly version?: '3.1.1' | '5'
  /** While there is no line: how the last one ended, or why there was none. */
  readonly down?: string
  /** What a person must see to. */
  readonly troubles: readonly Fault[]
  /** How often another client with our id threw us out. */
  readonly takeovers: number
  /** When our certificate ends, Unix ms. */
  readonly certificateUntilMs?: number
}

type Place = { readonly url: string; readonly clientId: string }

export function openStanding(
  { url, clientId }: Place,
  limits: LinkLimits,
  note: (note: LinkNote) => void,
) {
  const refused = new Map<string, Fault>()
  let shut: Fault | undefined
  let clone: Fault | undefined
  let files: Fault | undefined
  let inARow = 0
  let takeovers = 0
  let upSinceMs: number | undefined
  let why: string | undefined

  const isStable = () => upSinceMs !== undefined && performance.now() - upSinceMs >= limits.stableMs

  return {
    /** A connection stands. */
    up(): void {
      upSinceMs = performance.now()
      why = undefined
      shut = undefined
      refused.clear()
    },
    /**
     * A connection ended or did not come about; says whether it was a stable one, and what only a person
     * can mend, which is tried again slowly. `resting`: nothing was on its way when it ended.
     */
    down(ending: Ending, resting: boolean, version: string) {
      const stable = isStable()
      why = ending.why
      if (stable) clone = undefined
      // MQTT 3.1.1 hangs up without a word; but it also does so to refuse what it was just sent.
      const silent = ending.kind === 'hung up' && upSinceMs !== undefined && resting && !stable
      inARow = silent || ending.kind === 'taken over' ? inARow + 1 : 0
      upSinceMs = undefined
      if (ending.kind === 'taken over' || inARow >= limits.takeoversMin) {
        takeovers += 1
        clone = fault('BROKER_TAKEN_OVER', { url, clientId, times: takeovers })
        const { message, cure } = clone
        note({ event: 'taken over', clientId, times: takeovers, why: message, cure })
        return { stable, slow: clone }
      }
      shut = shutOut(ending, url, version)
      if (shut !== undefined) note({ event: 'shut out', why: shut.message, cure: shut.cure })
      return { stable, slow: shut }
    },
    /** The broker refuses a topic or a filter; told once, until it takes it. */
    refuses(topic: string, why: Fault): void {
      const known = refused.has(topic)
      if (known || refused.size >= limits.refusedMax) return
      refused.set(topic, why)
      note({ event: 'refused', topic, why: why.message })
    },
    /** Why the broker did not let us in the last time, if it did not. */
    shut: () => shut,
    /** How the last line ended, or why there was none. */
    why: () => why,
    takes: (topic: string) => void refused.delete(topic),
    /** We took leave ourselves, to come back with another login. */
    left(): void {
      upSinceMs = undefined
    },
    filesServe(renewed: boolean): void {
      files = undefined
      if (renewed) note({ event: 'login renewed' })
    },
    filesFail(why: Fault): void {
      files = why
      note({ event: 'login kept', why: why.message })
    },
    state(): Pick<BrokerState, 'troubles' | 'takeovers' | 'down'> {
      if (isStable()) clone = undefined
      const line = [shut, clone, files].filter((one) => one !== undefined)
      const ended = why === undefined ? {} : { down: why }
      return { troubles: [...line, ...refused.values()], takeovers, ...ended }
    },
  }
}

/** The line as the health document shows it; `wallMs` is undefined while the clock is unset. */
export function lineHealth(url: string, state: BrokerState, wallMs: number | undefined) {
  const { certificateUntilMs: untilMs, troubles, ...more } = state
  const known = untilMs !== undefined && wallMs !== undefined
  return {
    url,
    ...more,
    troubles: troubles.map(({ code, message, cure }) => ({ code, message, cure })),
    ...(known ? { certificateDays: Math.floor((untilMs - wallMs) / dayMs) } : {}),
  }
}

const dayMs = 86_400_000
