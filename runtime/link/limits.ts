/** The limits of the line to the broker, and what it tells of itself. */

export type LinkLimits = {
  /** Back-off before the first retry and at most, ms; the wait is drawn from 0 up to it. */
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** A connection that held this long was a good one: the back-off starts over. */
  readonly stableMs: number
  /** So many short lives in a row that the broker ended unasked, and we say that we were taken over. */
  readonly takeoversMin: number
  readonly connectMs: number
  /** At the end: how long PUBACKs are waited for, and then the broker's goodbye. */
  readonly leaveMs: number
  readonly keepaliveS: number
  /** Publishes on their way at once; the broker's own limit (MQTT 5) may be lower. */
  readonly inFlightMax: number
  /** How long the broker keeps our queue while we are away (MQTT 5; 3.1.1 leaves it to the broker). */
  readonly sessionS: number
  /** Largest message we take, bytes (said to an MQTT 5 broker). */
  readonly messageBytesMax: number
}

export const linkLimits: LinkLimits = {
  retryFirstMs: 1_000,
  retryMaxMs: 60_000,
  stableMs: 60_000,
  takeoversMin: 3,
  connectMs: 10_000,
  leaveMs: 3_000,
  keepaliveS: 30,
  inFlightMax: 64,
  sessionS: 7 * 86_400,
  messageBytesMax: 4 << 20,
}

/**
 * What happened on the line. `taken over` means that another client seems to use our id, and the two
 * throw each other out (a cloned card?): the broker ended one short connection after another, unasked.
 */
export type LinkNote =
  | { readonly event: 'connected'; readonly version: 4 | 5 }
  | { readonly event: 'disconnected'; readonly why: string; readonly retryMs: number }
  | { readonly event: 'taken over'; readonly clientId: string; readonly times: number }
  | { readonly event: 'refused'; readonly topic: string }
