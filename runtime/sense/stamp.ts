/** Which byte of a stream was read when. */
import type { Clock } from '../wire/clock.ts'

/** When the first byte was read, by both clocks. */
export type Stamp = { readonly monotonicMs: number; readonly wallMs?: number }

/** One mark a chunk, forgotten once its bytes are cut. */
export function stampBook(clock: Clock) {
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
