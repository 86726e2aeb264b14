/**
 * Which message it is that a broker hangs up on.
 *
 * MQTT 3.1.1 has no word for a message that is too large, or on a topic that the access list forbids: many
 * brokers end the line instead (aedes, AWS IoT Core, mosquitto's `max_packet_size`), and some do on MQTT 5.
 * Sent again first thing on the next line, one such message would keep everything behind it from ever
 * arriving. So when two lines in a row fall with the same message as the oldest on its way, the next carry as
 * many as there were one by one, and what three in a row fall on alone is set aside: messages of that size or
 * more, on that topic. After a while one of them is tried again, in case the broker has changed its mind, or
 * it was only the radio.
 */
import type { LinkLimits } from './limits.ts'

export type Sent = { readonly topic: string; readonly bytes: number }

export function openSuspects(
  { inFlightMax, asideFirstMs, asideMaxMs, refusedMax }: LinkLimits,
  nowMs: () => number = () => performance.now(),
) {
  /** From how many bytes on a topic is set aside, until when, and for how long it was the last time. */
  const aside = new Map<string, { bytes: number; untilMs: number; forMs: number }>()
  /** The oldest that was on its way when the last line fell, and how many lines in a row fell so. */
  let struck: Sent | undefined
  let times = 0
  /** So many answers are waited for one by one. */
  let singly = 0

  return {
    /** How many messages may be on their way. */
    width: () => (singly > 0 ? 1 : inFlightMax),
    isAside({ topic, bytes }: Sent): boolean {
      const found = aside.get(topic)
      return found !== undefined && bytes >= found.bytes && nowMs() < found.untilMs
    },
    /** Whether anything on that topic is set aside. */
    has: (topic: string) => aside.has(topic),
    acked({ topic, bytes }: Sent): void {
      singly = Math.max(0, singly - 1)
      const found = aside.get(topic)
      if (found !== undefined && bytes >= found.bytes) aside.delete(topic)
      if (struck?.topic === topic && bytes >= struck.bytes) struck = undefined
    },
    /** The broker ended the line while these were on their way; says which of them is set aside for it. */
    hungUp(underway: readonly Sent[]): Sent | undefined {
      const [one] = underway
      if (one === undefined) return undefined
      const { topic, bytes } = one
      times = struck?.topic === topic && struck.bytes === bytes ? times + 1 : 1
      struck = one
      if (underway.length > 1) {
        if (times > 1) singly = underway.length
        return undefined
      }
      const before = aside.get(topic)
      if (times < inARow && before === undefined) return undefined
      if (before === undefined && aside.size >= refusedMax) return undefined
      const forMs = Math.min(asideMaxMs, before === undefined ? asideFirstMs : 2 * before.forMs)
      const least = Math.min(bytes, before?.bytes ?? bytes)
      aside.set(topic, { bytes: least, untilMs: nowMs() + forMs, forMs })
      return one
    },
  }
}

const inARow = 3
