/** A driver at work on a live line: decodes, groups and stamps what comes, and accounts for every byte. */
import type { Clock } from '../wire/clock.ts'
import { decoder, type Heard } from './decoder.ts'
import type { Ask, Driver } from './driver.ts'
import { type Moment, moments } from './moment.ts'
import type { OptionValues } from './options.ts'
import { type Stamp, stampBook } from './stamp.ts'

export type Hearing = {
  readonly driver: Driver
  readonly options: OptionValues
  readonly clock: Clock
  /** So many intact frames came. Told before what they say. */
  intact(frames: number, nowMs: number): void
  /** True while what a frame says is not to be trusted yet. */
  warming(nowMs: number): boolean
  emit(moment: Moment<Stamp>): void
  doubt(reason: string): void
  skipped(bytes: number): void
}

export type Ear = {
  /** Takes what was read now; how many intact frames it ended. */
  take(chunk: Uint8Array): number
  /** A polled driver's turn: what to send, and when to be called again. */
  ask(): Ask<unknown> | undefined
  /** Hands out the moments that are open: no more will come to them. */
  flush(): void
  /** The line has ended. Half a frame is not a doubt about the sensor. */
  end(): void
}

export function ear(to: Hearing): Ear {
  const decode = decoder(to.driver, to.options)
  const group = moments<Stamp>(to.driver)
  const stamps = stampBook(to.clock)
  const counted = { frames: 0, skipped: 0 }

  function hear(heard: readonly Heard[], nowMs: number): number {
    const frames = decode.frames() - counted.frames
    counted.frames += frames
    if (frames > 0) to.intact(frames, nowMs)
    for (const { offset, said } of heard) {
      if (!said.ok) to.doubt(said.doubt)
      else if (to.warming(nowMs)) to.doubt('warming up')
      else group.push(said, stamps.at(offset)).forEach(to.emit)
    }
    account()
    return frames
  }

  function account() {
    to.skipped(decode.skipped() - counted.skipped)
    counted.skipped = decode.skipped()
    stamps.forget(decode.heldFrom())
  }

  function flush() {
    group.flush().forEach(to.emit)
  }

  return {
    take(chunk) {
      const nowMs = stamps.mark(chunk.length)
      return hear(decode.push(chunk), nowMs)
    },
    ask() {
      const turn = decode.ask(to.clock.monotonicMs())
      account()
      if (turn?.doubt !== undefined) to.doubt(turn.doubt)
      return turn
    },
    flush,
    end() {
      decode.drop()
      account()
      flush()
    },
  }
}
