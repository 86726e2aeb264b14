/**
 * Switching a receiver to UBX, in its memory only: without power it is again what it was.
 *
 *   asked for   MON-VER, and CFG-PRT of this port with no payload: "how is it set?"
 *   CFG-MSG     NAV-PVT once a navigation epoch, on this port
 *   CFG-PRT     the answer sent back with UBX put in and NMEA taken out: speed and all else stay
 *   CFG-VALSET  the same in the words of protocol 27 and later, for each port that it may be
 *
 * A receiver of protocol 14 or older has no NAV-PVT and refuses it: then NAV-POSLLH, NAV-SOL, NAV-VELNED and
 * NAV-TIMEUTC. Whenever no navigation message came for ten seconds, all is said again: the receiver, unlike
 * its adapter, may have been without power.
 *
 * Source: u-blox, "u-blox 8 / M8 Receiver description incl. protocol specification" (R28), §32.11; "ZED-F9P
 * Interface description" (HPG 1.50) and "M10 SPG 5.10 Interface description", §3.10.24 and §6.
 */
import { message } from './frame.ts'

export type Setup = {
  readonly queue: readonly Uint8Array[]
  readonly begun: boolean
  /** How this port is set was asked, and not yet answered. */
  readonly asksPort: boolean
  readonly saidOld: boolean
  readonly saidNew: boolean
  /** A navigation message came since the last turn. */
  readonly heard: boolean
  /** When one last came, or the set-up was last begun. */
  readonly lastMs: number
}

export const setupBefore: Setup = {
  ...{ queue: [], begun: false, asksPort: false, saidOld: false, saidNew: false },
  ...{ heard: false, lastMs: 0 },
}

const againMs = 10_000

/** What is to be said now, and when to look again. */
export function turn(
  before: Setup,
  nowMs: number,
): { setup: Setup; send?: Uint8Array; wakeMs: number } {
  const lastMs = before.heard ? nowMs : before.lastMs
  const starts = !before.begun || nowMs - lastMs >= againMs
  const setup: Setup = starts
    ? { ...setupBefore, begun: true, asksPort: true, queue: opening, lastMs: nowMs }
    : { ...before, heard: false, lastMs }
  const wakeMs = Math.max(100, againMs - (nowMs - setup.lastMs))
  if (setup.queue.length === 0) return { setup, wakeMs }
  return { setup: { ...setup, queue: [] }, send: joined(setup.queue), wakeMs }
}

/** The receiver answered: how this port is set. Undefined when nobody asked. */
export function portAnswered(setup: Setup, payload: DataView): Setup | undefined {
  if (!setup.asksPort || payload.byteLength < 20) return undefined
  const bytes = [...new Uint8Array(payload.buffer, payload.byteOffset, 20)]
  const protocols = payload.getUint16(outMaskAt, true)
  const wanted = (protocols | ubxBit) & ~nmeaBit
  bytes[outMaskAt] = wanted & 0xff
  bytes[outMaskAt + 1] = wanted >> 8
  const queue = wanted === protocols ? setup.queue : [...setup.queue, message(0x06, 0x00, bytes)]
  return { ...setup, asksPort: false, queue }
}

/** The receiver said which protocol it speaks. */
export function versionAnswered(setup: Setup, protVer: number): Setup {
  if (setup.saidNew || protVer < 27) return setup
  return { ...setup, saidNew: true, queue: [...setup.queue, ...newWords] }
}

/** The receiver refused CFG-MSG for NAV-PVT: it is older than that message, or so new that it wants keys. */
export function messageRefused(setup: Setup): Setup {
  if (setup.saidOld || setup.saidNew) return setup
  return { ...setup, saidOld: true, queue: [...setup.queue, ...oldMessages] }
}

const outMaskAt = 14
const [ubxBit, nmeaBit] = [1, 2]

const each = (group: number, id: number) => message(0x06, 0x01, [group, id, 1])
const opening = [message(0x0a, 0x04, []), message(0x06, 0x00, []), each(0x01, 0x07)]
const oldMessages = [0x02, 0x06, 0x12, 0x21].map((id) => each(0x01, id))

/** By port: the keys of NAV-PVT's rate, of UBX out and of NMEA out. One a message, for some have fewer ports. */
const newWords = [
  [0x20910007, 0x10740001, 0x10740002], // UART1
  [0x20910008, 0x10760001, 0x10760002], // UART2
  [0x20910009, 0x10780001, 0x10780002], // USB
].map(([rate = 0, ubx = 0, nmea = 0]) => valset([rate, 1], [ubx, 1], [nmea, 0]))

/** Version 0, layer 1 (RAM), then keys (u4) with their values of one byte. */
function valset(...pairs: readonly (readonly [number, number])[]): Uint8Array {
  const words = pairs.flatMap(([key, value]) => [key, key >> 8, key >> 16, key >>> 24, value])
  return message(0x06, 0x8a, [0, 1, 0, 0, ...words.map((word) => word & 0xff)])
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
