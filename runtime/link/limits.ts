/** The limits of the line to the broker, and what it tells of itself. */

export type LinkLimits = {
  /** Back-off before the first retry and at most, ms; the wait is drawn from 0 up to it. */
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** A connection that held this long was a good one: the back-off starts over. */
  readonly stableMs: number
  /**
   * So many short lives in a row that the broker ended without a word, and we say that we were taken over:
   * MQTT 3.1.1 has no word for it, and mosquitto 2.0 does not say that of MQTT 5.
   */
  readonly takeoversMin: number
  readonly connectMs: number
  /**
   * How long the oldest message may wait for its PUBACK, or a filter for its SUBACK, on a line that is up: a
   * broker may lose one (AWS IoT Core does past its rates), and only a new line may carry it again (MQTT 5
   * §4.4).
   */
  readonly ackMs: number
  /** How long a message is set aside that the broker hangs up on, before it is tried again; doubled up to. */
  readonly asideFirstMs: number
  readonly asideMaxMs: number
  /** At the end: how long PUBACKs are waited for, and then the broker's goodbye. */
  readonly leaveMs: number
  readonly keepaliveS: number
  /** Publishes on their way at once; the broker's own limit (MQTT 5) may be lower. */
  readonly inFlightMax: number
  /** How long the broker keeps our queue while we are away (MQTT 5; 3.1.1 leaves it to the broker). */
  readonly sessionS: number
  /** Largest message we take, bytes (said to an MQTT 5 broker). */
  readonly messageBytesMax: number
  /** Topics that are sent as a number (MQTT 5), each way: as many as a device has streams, and no more. */
  readonly aliasesMax: number
  /** How often the files of the login are looked at, ms: they are used when two looks in a row agree. */
  readonly filesMs: number
  /** Refused topics that are remembered for the health document. */
  readonly refusedMax: number
}

export const linkLimits: LinkLimits = {
  retryFirstMs: 1_000,
  retryMaxMs: 60_000,
  stableMs: 60_000,
  takeoversMin: 3,
  connectMs: 10_000,
  ackMs: 90_000,
  asideFirstMs: 30_000,
  asideMaxMs: 600_000,
  leaveMs: 3_000,
  keepaliveS: 30,
  inFlightMax: 64,
  sessionS: 7 * 86_400,
  messageBytesMax: 4 << 20,
  aliasesMax: 96,
  filesMs: 2_000,
  refusedMax: 32,
}

/**
 * What happened on the line.
 *
 * `shut out`: the broker is there and does not let us in; tried again slowly. `taken over`: another client
 * uses our id, and the two throw each other out (a cloned card?). `refused`: a topic that the broker keeps
 * from us. `login renewed`: the files of the login changed, and serve from now on; `login kept`: they
 * changed, and do not serve, so the ones before go on.
 */
export type LinkNote =
  | { readonly event: 'connected'; readonly version: '3.1.1' | '5' }
  | { readonly event: 'disconnected'; readonly why: string; readonly retryMs: number }
  | { readonly event: 'shut out'; readonly why: string; readonly cure: string }
  | {
      readonly event: 'taken over'
      readonly clientId: string
      readonly times: number
      readonly why: string
      readonly cure: string
    }
  | { readonly event: 'refused'; readonly topic: string; readonly why: string }
  | { readonly event: 'login renewed' }
  | { readonly event: 'login kept'; readonly why: string }
