/** A port that a test or a bench plays upon: same type as the real one, no machine behind it. */
import type { OpenPort, Port } from './port.ts'

export type MockPort = {
  readonly open: OpenPort
  /** How often it was opened, and at which rate it runs. */
  readonly opened: { count: number; baudRate?: number }
  /** What was written to it. */
  readonly written: Uint8Array[]
  /** Every rate that it was opened at or changed to, in order. */
  readonly rates: number[]
  /** The sensor speaks; nobody listening, the bytes are lost, as on a real line. */
  say(bytes: Uint8Array): void
  /** The cable is pulled. */
  hangUp(why: string): void
  /** From now on opening fails with this, until undefined is given. */
  refuse(why: string | undefined): void
}

export function mockPort(): MockPort {
  let take: ((chunk: Uint8Array) => void) | undefined
  let down: ((error: Error | undefined) => void) | undefined
  let refusal: string | undefined
  const opened: { count: number; baudRate?: number } = { count: 0 }
  const written: Uint8Array[] = []
  const rates: number[] = []

  function run(baudRate: number) {
    opened.baudRate = baudRate
    rates.push(baudRate)
  }

  function end(error: Error | undefined) {
    take = undefined
    down?.(error)
  }

  const open: OpenPort = async ({ baudRate }): Promise<Port> => {
    opened.count += 1
    run(baudRate)
    if (refusal !== undefined) throw new Error(refusal)
    const closed = new Promise<Error | undefined>((resolve) => {
      down = resolve
    })
    return {
      closed,
      onData(listener) {
        take = listener
      },
      write: async (bytes) => void written.push(bytes),
      setRate: async (rate) => run(rate),
      async close() {
        end(undefined)
        await closed
      },
    }
  }
  return {
    open,
    opened,
    written,
    rates,
    say: (bytes) => take?.(bytes),
    hangUp: (why) => end(new Error(why)),
    refuse(why) {
      refusal = why
    },
  }
}
