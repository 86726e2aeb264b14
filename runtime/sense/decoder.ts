/**
 * Bytes in, sayings and doubts out: a driver at work on one stream of bytes, before any grouping. Used by
 * the supervisor on a live port and by `wayside decode` on a file.
 */
import { type Ask, badChecksum, type Driver, doubt, missingChecksum, type Said } from './driver.ts'
import { cutter } from './frame.ts'
import type { OptionValues } from './options.ts'

/** What one frame said; `offset` counts bytes from the beginning of the stream. */
export type Heard = { readonly offset: number; readonly said: Said }

export type Decoder = {
  push(chunk: Uint8Array): Heard[]
  /** The stream has ended: what the bytes still held say. */
  finish(): Heard[]
  /** A polled driver's turn: bytes to send, when to be called again, what it missed. */
  ask(nowMs: number): Ask<unknown> | undefined
  /** Gives up the bytes still held: the line has ended. */
  drop(): void
  /** Intact frames so far, whether or not they were believed. */
  frames(): number
  skipped(): number
  heldFrom(): number
}

/** With `overlook`, frames whose checksum is wrong or missing are read too, and what they say is unchecked. */
export function decoder(driver: Driver, options: OptionValues, overlook?: 'checksums'): Decoder {
  const cut = cutter(overlook === undefined ? driver.shape : { ...driver.shape, flaw: otherFlaw })
  let memory = driver.begin(options, driver.serial)
  let frames = 0

  function otherFlaw(frame: Uint8Array): string | undefined {
    const found = driver.shape.flaw(frame)
    return found === badChecksum || found === missingChecksum ? undefined : found
  }

  function hear(found: ReturnType<typeof cut.push>): Heard[] {
    const heard: Heard[] = []
    for (const { offset, bytes, flaw } of found) {
      if (flaw !== undefined) {
        heard.push({ offset, said: doubt(flaw) })
        continue
      }
      frames += 1
      const step = driver.decode(bytes, memory)
      memory = step.memory
      const { said } = step
      if (said === undefined) continue
      const broken = overlook !== undefined && said.ok && driver.shape.flaw(bytes) !== undefined
      heard.push({ offset, said: broken ? { ...said, unchecked: true } : said })
    }
    return heard
  }

  return {
    push: (chunk) => hear(cut.push(chunk)),
    finish: () => hear(cut.finish()),
    ask(nowMs) {
      const turn = driver.ask?.(memory, nowMs)
      if (turn === undefined) return undefined
      memory = turn.memory
      // On a shared line, what came before the question is no answer to it.
      const shared = driver.bus !== undefined
      if (turn.send !== undefined && shared) cut.drop(turn.expect ?? driver.shape)
      return turn
    },
    drop: () => cut.drop(driver.shape),
    frames: () => frames,
    skipped: cut.skipped,
    heldFrom: cut.heldFrom,
  }
}
