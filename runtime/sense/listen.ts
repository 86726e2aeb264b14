/** One life of an open port: decodes, groups and stamps what comes, until it ends, falls silent, or the signal. */
import type { Clock } from '../wire/clock.ts'
import { decoder, type Heard } from './decoder.ts'
import type { Driver } from './driver.ts'
import { type Moment, moments } from './moment.ts'
import type { OptionValues } from './options.ts'
import type { Port } from './port.ts'

/** When the first byte was read, by both clocks. */
export type Stamp = { readonly monotonicMs: number; readonly wallMs?: number }

export type Listener = {
  readonly driver: Driver
  readonly options: OptionValues
  readonly clock: Clock
  readonly signal: AbortSignal
  /** So many intact frames came. Told before what they say. */
  intact(frames: number, nowMs: number): void
  /** True while what a frame says is not to be trusted yet. */
  warming(nowMs: number): boolean
  emit(moment: Moment<Stamp>): void
  doubt(reason: string): void
  skipped(bytes: number): void
}

/** Why it ended: the error of the line, its silence, or the signal. The port is left to be closed. */
export async function listen(port: Port, to: Listener): Promise<Error | 'silent' | 'stopped'> {
  const { driver, clock, signal } = to
  const decode = decoder(driver, to.options)
  const group = moments<Stamp>(driver)
  const stamps = stampBook(clock)
  const counted = { frames: 0, skipped: 0 }
  const quiet = timer(() => group.flush().forEach(to.emit))
  const wake = timer(ask)
  const over = new AbortController()
  let lastFrameMs = clock.monotonicMs()

  function hear(heard: readonly Heard[], nowMs: number) {
    const frames = decode.frames() - counted.frames
    counted.frames += frames
    if (frames > 0) {
      lastFrameMs = nowMs
      to.intact(frames, nowMs)
    }
    for (const { offset, said } of heard) {
      if (!said.ok) to.doubt(said.doubt)
      else if (to.warming(nowMs)) to.doubt('warming up')
      else group.push(said, stamps.at(offset)).forEach(to.emit)
    }
    to.skipped(decode.skipped() - counted.skipped)
    counted.skipped = decode.skipped()
    stamps.forget(decode.heldFrom())
    return frames
  }

  function ask() {
    const turn = decode.ask(clock.monotonicMs())
    if (turn === undefined) return
    if (turn.doubt !== undefined) to.doubt(turn.doubt)
    // A write that fails is a line that ends: `closed` tells of it.
    if (turn.send !== undefined) port.write(turn.send).catch(() => {})
    wake.set(turn.wakeMs)
  }

  port.onData((chunk) => {
    if (over.signal.aborted) return
    const nowMs = stamps.mark(chunk.length)
    const frames = hear(decode.push(chunk), nowMs)
    if (driver.moments !== undefined) quiet.set(driver.moments.quietMs)
    if (frames > 0) ask()
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
  // Half a frame is not a doubt about the sensor: the line ended.
  to.skipped(stamps.received() - decode.heldFrom())
  group.flush().forEach(to.emit)
  return end
}

/** Which byte of the stream was read when: one mark a chunk, forgotten once its bytes are cut. */
function stampBook(clock: Clock) {
  let marks: { readonly from: number; readonly stamp: Stamp }[] = []
  let received = 0
  return {
    /** So many bytes are read now. */
    mark(bytes: number): number {
      const monotonicMs = clock.monotonicMs()
      const wall = clock.wall()
      const stamp = wall === undefined ? { monotonicMs } : { monotonicMs, wallMs: wall.ms }
      marks.push({ from: received, stamp })
      received += bytes
      return monotonicMs
    },
    received: () => received,
    at(offset: number): Stamp {
      const mark = marks.findLast(({ from }) => from <= offset) ?? marks[0]
      return mark?.stamp ?? { monotonicMs: clock.monotonicMs() }
    },
    /** Bytes before this one are not asked for any more. */
    forget(offset: number) {
      const first = marks.findLastIndex(({ from }) => from <= offset)
      if (first > 0) marks = marks.slice(first)
    },
  }
}

function timer(ring: () => void) {
  let pending: NodeJS.Timeout | undefined
  return {
    set(ms: number) {
      clearTimeout(pending)
      pending = setTimeout(ring, ms)
    },
    clear: () => clearTimeout(pending),
  }
}

/** Resolves when nothing intact came for `afterMs`, or at the signal. */
function silence(afterMs: number, sinceMs: () => number, signal: AbortSignal) {
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
