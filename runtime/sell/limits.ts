/** The limits of the selling room, and what it tells of itself. */

export type SellLimits = {
  /** Value that one channel may get beyond what the gateway acknowledged, in the token's smallest unit. */
  readonly exposureMax: bigint
  /** Orders that are read in a second, of all strangers together; the rest is dropped unread. */
  readonly ordersPerS: number
  /**
   * Requests that are read in a second: of one session whose channel is granted, or of all others together;
   * the rest is dropped unread.
   */
  readonly requestsPerS: number
  /** One request; the longest promise has half of it. */
  readonly requestBytesMax: number
  /** One retained list or offer of the gateway: the fullest list has a third of it. */
  readonly noticeBytesMax: number
  /** Messages and bytes that wait to be read; what comes then is dropped. */
  readonly waitingMax: number
  readonly waitingBytesMax: number
  /** Sessions that are open at once, and ended ones whose names are remembered. */
  readonly sessionsMax: number
  readonly endedMax: number
  /** Channels with an order but no grant; kept in memory only, the oldest goes first. */
  readonly guestsMax: number
  /** Stored bytes that a channel may fetch beside twice what it paid for. */
  readonly fetchFreeBytes: number
  /** One answer with stored messages. Below 128 KiB: the most that AWS IoT Core takes. */
  readonly chunkBytesMax: number
  /** All chunks that answer one fetch; the buyer asks again for more. */
  readonly runBytesMax: number
  /** How long what was paid for is kept for its buyer to fetch, gateway time. */
  readonly pinMs: number
  /** Epochs charged in one commit. */
  readonly batchEpochsMax: number
  /** How long an ended session's name and an expired one's keys are remembered, gateway time. */
  readonly sessionKeepMs: number
  /** Between two durable notes of gateway time while nothing is sold. */
  readonly timeSaveMs: number
  /** Between two `sold` messages to the gateway. */
  readonly soldEveryMs: number
}

export const sellLimits: SellLimits = {
  exposureMax: 50_000n,
  ordersPerS: 5,
  requestsPerS: 20,
  requestBytesMax: 16 << 10,
  noticeBytesMax: 256 << 10,
  waitingMax: 256,
  waitingBytesMax: 8 << 20,
  sessionsMax: 1_024,
  endedMax: 256,
  guestsMax: 64,
  fetchFreeBytes: 16 << 20,
  chunkBytesMax: 120 << 10,
  runBytesMax: 8 << 20,
  pinMs: 86_400_000,
  batchEpochsMax: 512,
  sessionKeepMs: 7 * 86_400_000,
  timeSaveMs: 600_000,
  soldEveryMs: 5_000,
}

/** What happened at the counter; metrics and logs are made of these. */
export type SellNote =
  | { readonly event: 'dropped'; readonly why: Drop; readonly times: number }
  | { readonly event: 'refused'; readonly code: string; readonly session: string }
  | { readonly event: 'opened'; readonly session: string; readonly channel: string }
  | { readonly event: 'ended'; readonly session: string }
  | {
      readonly event: 'sold'
      readonly channel: string
      readonly epochs: number
      readonly amount: bigint
    }
  | { readonly event: 'granted'; readonly channel: string; readonly cap: bigint }
  | { readonly event: 'unsent'; readonly topic: string }

/** Why a message was dropped without an answer. */
export type Drop =
  | 'not a session message'
  | 'unknown session'
  | 'over the budget'
  | 'queue full'
  | 'too large'
  | 'not opened'
  | 'not from the gateway'
