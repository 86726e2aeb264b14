/** One life of an open port: hears what comes, until it ends, falls silent, or the signal. */
import { ear, type Hearing } from './ear.ts'
import type { Port } from './port.ts'
import { silence, timer } from './timer.ts'
import { obey } from './turn.ts'

export type Listener = Hearing & { readonly signal: AbortSignal }

/** Why a life of a port ended: the error of the line, its silence, or the signal. */
export type End = Error | 'silent' | 'stopped'

/** Listens to its end; the port is left to be closed. */
export async function listen(port: Port, to: Listener): Promise<End> {
  const { driver, clock, signal } = to
  const hearing = ear(to)
  const quiet = timer(hearing.flush)
  const wake = timer(ask)
  const over = new AbortController()
  let lastFrameMs = clock.monotonicMs()

  function ask() {
    const turn = hearing.ask()
    if (turn === undefined) return
    obey(port, turn, (refusal) => {
      if (!over.signal.aborted) to.doubt(refusal)
    })
    wake.set(turn.wakeMs)
  }

  port.onData((chunk) => {
    if (over.signal.aborted) return
    const frames = hearing.take(chunk)
    if (driver.moments !== undefined) quiet.set(driver.moments.quietMs)
    if (frames === 0) return
    lastFrameMs = clock.monotonicMs()
    ask()
  })
  ask()
  const sinceMs = () => clock.monotonicMs() - lastFrameMs
  const end = await Promise.race([
    port.closed.then((error) => error ?? new Error('the port was closed')),
    silence(driver.silenceMs, sinceMs, AbortSignal.any([signal, over.signal])),
  ])
  over.abort()
  quiet.clear()
  wake.clear()
  hearing.end()
  return end
}
