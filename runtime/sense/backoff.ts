/** Delays between attempts, with full jitter: uniform below a ceiling that doubles. */
type Backoff = { nextMs(): number; reset(): void }

export function backoff(bounds: {
  readonly firstMs: number
  readonly mostMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}): Backoff {
  let ceilingMs = bounds.firstMs
  return {
    nextMs() {
      const waitMs = bounds.random() * ceilingMs
      ceilingMs = Math.min(2 * ceilingMs, bounds.mostMs)
      return waitMs
    },
    reset() {
      ceilingMs = bounds.firstMs
    },
  }
}

/** Resolves after so long, or at once when the signal comes. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
