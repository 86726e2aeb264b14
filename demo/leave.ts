/**
 * How a person leaves the demo. Ctrl-C ends it, unless it was told to go on until Ctrl-C and is selling:
 * then the first one has the buyer leave and everything settled. One more ends it at once. SIGTERM, and
 * the terminal's going away, are the same.
 */
import { constants } from 'node:os'

export type Leave = {
  /** Aborts when the buyer shall leave. */
  readonly enough: AbortSignal
  /** Rejects when everybody shall. */
  readonly hurried: Promise<never>
  /** From here on the first Ctrl-C is `enough`. */
  inOrder(): void
  enoughAfter(ms: number): void
  /** Who is not done by then hangs. */
  after(ms: number): void
  now(): void
  /** The exit code when a person wanted to leave. */
  code(): number | undefined
  forget(): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A terminal sends Ctrl-C to npm and to us, and npm sends its own to us as well: that is one. */
const sameMs = 500

export function heedSignals(say: (text: string) => void): Leave {
  const enough = new AbortController()
  const hurry = new AbortController()
  const hurried = new Promise<never>((_, reject) => {
    hurry.signal.addEventListener('abort', () => reject(hurry.signal.reason), { once: true })
  })
  hurried.catch(() => {})
  const timers: NodeJS.Timeout[] = []
  let heardMs = Number.NEGATIVE_INFINITY
  let orderly = false
  let times = 0
  let code: number | undefined

  function heed(name: (typeof signals)[number]) {
    const nowMs = performance.now()
    const same = nowMs - heardMs < sameMs
    heardMs = nowMs
    if (same) return
    times += 1
    if (times > 1) process.exit(128 + constants.signals[name])
    if (orderly) {
      say('stopping: the buyer leaves, then everything is settled (Ctrl-C again: at once)')
      enough.abort()
    } else {
      say('stopping (Ctrl-C again: at once)')
      code = 128 + constants.signals[name]
      now()
    }
  }

  function now() {
    hurry.abort(new Error('interrupted'))
  }

  for (const name of signals) process.on(name, heed)
  return {
    enough: enough.signal,
    hurried,
    inOrder() {
      orderly = true
    },
    enoughAfter: (ms) => void timers.push(setTimeout(() => enough.abort(), ms)),
    after(ms) {
      const hangs = new Error(`not done after ${ms / 1000} s: something hangs`)
      timers.push(setTimeout(() => hurry.abort(hangs), ms))
    },
    now,
    code: () => code,
    forget() {
      for (const timer of timers) clearTimeout(timer)
      for (const name of signals) process.off(name, heed)
    },
  }
}
