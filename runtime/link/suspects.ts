/**
 * Which message it is that a broker hangs up on.
 *
 * MQTT 3.1.1 has no word for a message that is too large, or on a topic that the access list forbids: many
 * brokers end the line instead (aedes, AWS IoT Core, mosquitto's `max_packet_size`), and some do on MQTT 5.
 * Sent again first thing on the next line, one such message would keep everything behind it from ever
 * arriving. So after a line that fell with several messages on their way the next one carries them one by
 * one, and what it falls on twice is set aside: messages of that size or more, on that topic. Now and then
 * one of them is tried again, in case the broker has changed its mind.
 */
import type { LinkLimits } from './limits.ts'

export type Sent = { readonly topic: string; readonly bytes: number }

export function openSuspects(
  { inFlightMax, asideMs, refusedMax }: LinkLimits,
  nowMs: () => number = () => performance.now(),
) {
  /** From how many bytes on a topic is set aside, and until when. */
  const aside = new Map<string, { bytes: number; untilMs: number }>()
  /** Messages that the line fell on once, alone. */
  const struck = new Map<string, number>()
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
      if (bytes >= (struck.get(topic) ?? Number.POSITIVE_INFINITY)) struck.delete(topic)
    },
    /** The broker ended the line while these were on their way; says which of them is set aside for it. */
    hungUp(underway: readonly Sent[]): Sent | undefined {
      const [one] = underway
      if (one === undefined) return undefined
      singly = inFlightMax
      if (underway.length > 1) return undefined
      const { topic, bytes } = one
      const before = aside.get(topic)?.bytes
      if (before === undefined && (struck.get(topic) ?? Number.POSITIVE_INFINITY) > bytes) {
        if (struck.size < refusedMax) struck.set(topic, bytes)
        return undefined
      }
      struck.delete(topic)
      if (before !== undefined || aside.size < refusedMax) {
        aside.set(topic, { bytes: Math.min(bytes, before ?? bytes), untilMs: nowMs() + asideMs })
      }
      return one
    },
  }
}
