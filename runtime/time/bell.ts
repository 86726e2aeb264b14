import { timerMsMax } from './pause.ts'

/** Something to wait at: for a time, or until it is rung, or until the signal aborts. */
export type Bell = { ring(): void; wait(ms: number, signal: AbortSignal): Promise<void> }

/** A ring while nobody waits ends the next wait at once, so that none is missed. */
export function bell(): Bell {
  let rung = false
  let wake = () => {}
  return {
    ring() {
      rung = true
      wake()
    },
    async wait(ms, signal) {
      // Never only microtasks: a loop that always has something to do must let timers and lines in.
      if (ms <= 0) await new Promise<void>((resolve) => setImmediate(resolve))
      else if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = ms > timerMsMax ? undefined : setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
          signal.addEventListener('abort', wake, { once: true })
        })
        signal.removeEventListener('abort', wake)
        wake = () => {}
      }
      rung = false
    },
  }
}
