/** The limits of the gateway's desk, each with its reason. */
export type DeskLimits = {
  /**
   * Orders a second that are looked at; the rest dies unread. Each costs a decryption and a chain
   * read.
   */
  readonly ordersPerSecond: number
  /** Requests a second of one session: the largest books take a tenth of a second to check. */
  readonly requestsPerSecond: number
  /** Buyers at a time; each is a few hundred bytes. */
  readonly sessionsMax: number
  /**
   * Orders that wait for their deposit to be deep enough, and how long: an hour of a slow chain.
   */
  readonly waitingMax: number
  readonly waitingMs: number
  /**
   * The chain is read before buyers are heard; a chain that hangs holds the desk up for so long. What
   * was not read by then gets no acks until it is.
   */
  readonly firstLookMs: number
  /**
   * At the end the last notices get so long: a broker that hangs must not keep money from being
   * claimed.
   */
  readonly endMs: number
}

export const deskLimits: DeskLimits = {
  ordersPerSecond: 5,
  requestsPerSecond: 5,
  sessionsMax: 10_000,
  waitingMax: 256,
  waitingMs: 3_600_000,
  firstLookMs: 5_000,
  endMs: 5_000,
}
