/**
 * Several devices on one line, each asked in its turn.
 *
 * The line belongs to one device at a time: from its question until its driver says that the turn is over.
 * Whoever has been due longest is next. Before anybody is asked the line must have been silent for the gap
 * that the protocol wants; on a line that is never silent, because somebody babbles, it is asked all the same
 * after `drainMostMs`. What comes while nobody was asked is drained and counted: it is no answer.
 *
 * A device that does not answer is asked ever more seldom by its own driver (breaker.ts), so that it costs
 * the others nothing but a rare probe.
 */
import type { Book, Supervised } from './book.ts'
import { type Ear, ear } from './ear.ts'
import type { End } from './listen.ts'
import type { Port } from './port.ts'
import { silence, timer } from './timer.ts'
import { obey } from './turn.ts'

type Occupant = { readonly sensor: Supervised; readonly book: Book }

/** A device on the line: its ear, and when it wants to be asked next. */
type Device = { readonly ear: Ear; readonly book: Book; dueMs: number }

/** Talks with these devices through one life of a port after another; what they know of each other stays. */
export function converse(occupants: readonly Occupant[]) {
  const [{ sensor }] = occupants as [Occupant, ...Occupant[]]
  const { clock, driver } = sensor
  const nowMs = clock.monotonicMs
  const devices: readonly Device[] = occupants.map((one) => ({
    ear: ear({ ...one.sensor, ...one.book.hears }),
    book: one.book,
    dueMs: 0,
  }))
  const serial = { ...driver.serial, ...sensor.serial }
  const gapMs = Math.ceil(driver.bus?.gapMs(serial) ?? 0)
  const silenceMs = Math.max(...occupants.map((one) => one.sensor.driver.silenceMs))

  return async (port: Port, signal: AbortSignal): Promise<End> => {
    const over = new AbortController()
    const wake = timer(step)
    let owner: Device | undefined
    let lastByteMs = Number.NEGATIVE_INFINITY
    let lastFrameMs = nowMs()

    /** Asks whoever is due, until somebody owns the line or everybody's time is yet to come. */
    function step() {
      while (!over.signal.aborted) {
        const device = owner ?? earliest(devices)
        const leftMs = readyMs(device) - nowMs()
        if (leftMs > 0) return wake.set(leftMs)
        ask(device)
      }
    }

    function readyMs(device: Device): number {
      const quietMs = Math.min(lastByteMs + gapMs, device.dueMs + drainMostMs)
      return Math.max(device.dueMs, quietMs)
    }

    function ask(device: Device) {
      const turn = device.ear.ask()
      device.dueMs = nowMs() + Math.max(1, Math.ceil(turn?.wakeMs ?? silenceMs))
      device.book.asks(turn?.breaker)
      if (turn !== undefined)
        obey(port, turn, (refusal) => {
          if (!over.signal.aborted) device.book.hears.doubt(refusal)
        })
      owner = turn?.waits ? device : undefined
      if (owner === undefined) device.ear.flush()
    }

    port.onData((chunk) => {
      if (over.signal.aborted) return
      lastByteMs = nowMs()
      if (owner === undefined) {
        // Nobody was asked: shown with every device, since nobody knows whose it is.
        for (const { book } of devices) book.hears.skipped(chunk.length)
        return
      }
      if (owner.ear.take(chunk) === 0) return
      lastFrameMs = lastByteMs
      owner.dueMs = lastByteMs + gapMs
      wake.set(gapMs)
    })
    step()
    const end = await Promise.race([
      port.closed.then((error) => error ?? new Error('the port was closed')),
      silence(silenceMs, () => nowMs() - lastFrameMs, AbortSignal.any([signal, over.signal])),
    ])
    over.abort()
    wake.clear()
    for (const { ear } of devices) ear.end()
    return end
  }
}

function earliest(devices: readonly Device[]): Device {
  return devices.reduce((first, next) => (next.dueMs < first.dueMs ? next : first))
}

/** A good line falls silent within a frame; one that does not in this time never will. */
const drainMostMs = 250
