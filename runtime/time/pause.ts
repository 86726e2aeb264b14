/** A timer of Node counts 31 bits of milliseconds, some 24 days; one that is set for longer goes off at once. */
export const timerMsMax = 2 ** 31 - 1

/** For what nothing ends early. */
export const never: AbortSignal = new AbortController().signal

/** Waits so long, or until the signal aborts, whichever is first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let left = ms
  while (left > timerMsMax && !signal.aborted) {
    await sleep(timerMsMax, signal)
    left -= timerMsMax
  }
  await sleep(left, signal)
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
