/** A port that is recorded while it is used: what comes from it, and what is written to it. */
import type { OpenPort } from './port.ts'
import type { Recorded } from './recording.ts'

/** Ports of `open`, of which each chunk is told with `nowMs` before anybody makes something of it. */
export function taped(
  open: OpenPort,
  nowMs: () => number,
  tell: (row: Recorded) => void,
): OpenPort {
  return async (line) => {
    const port = await open(line)
    return {
      ...port,
      onData(take) {
        port.onData((bytes) => {
          tell({ ms: nowMs(), bytes })
          take(bytes)
        })
      },
      write(bytes) {
        tell({ ms: nowMs(), bytes, asked: true })
        return port.write(bytes)
      },
    }
  }
}
