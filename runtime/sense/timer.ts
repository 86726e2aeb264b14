/** A bell that is set anew, and the silence that rings one. */

export type Timer = { set(ms: number): void; clear(): void }

export function timer(ring: () => void): Timer {
  let pending: NodeJS.Timeout | undefined
  return {
    set(ms) {
      clearTimeout(pending)
      pending = setTimeout(ring, ms)
    },
    clear: () => clearTimeout(pending),
  }
}

/** Resolves when nothing intact came for `afterMs`, or at the signal. */
export function silence(afterMs: number, sinceMs: () => number, signal: AbortSignal) {
  return new Promise<'silent' | 'stopped'>((done) => {
    const watch = timer(check)
    const stop = () => {
      watch.clear()
      done('stopped')
    }
    function check() {
      const leftMs = afterMs - sinceMs()
      if (leftMs > 0) return watch.set(leftMs)
      signal.removeEventListener('abort', stop)
      done('silent')
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    check()
  })
}
