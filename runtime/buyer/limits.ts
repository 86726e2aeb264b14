/** The buyer's limits: each with its default and its reason. */
export type BuyerLimits = {
  /** How long the broker may take to answer at the start, ms. */
  readonly connectMs: number
  /** After the first fitting offer, how long others of the fleet are waited for, ms. */
  readonly discoverMs: number
  /** How long a first fitting offer is waited for, ms. */
  readonly offerMs: number
  /**
   * Offers that are kept while sellers are looked for, and their bytes: as many as one payment has
   * leaves. What nobody vouches for goes first, its newest comer before the others.
   */
  readonly offersMax: number
  readonly offerBytesMax: number
  /** How long a missing number may still be on its way before it is fetched, ms. */
  readonly gapMs: number
  /** First wait for an answer before a request is sent again, and the longest, ms. */
  readonly askMs: number
  readonly askMaxMs: number
  /** Parts of one answer to a fetch; a seller that sends more has not answered. */
  readonly partsMax: number
  /** Runs of keys of one device that are kept; with more, a version is not confirmed, and none is lost. */
  readonly keyRunsMax: number
  /** Pause after a refusal that time may heal (no grant yet, exposure reached), ms. */
  readonly retryMs: number
  /** Epochs in one promise: with `ahead` 0, the most that is risked at once on a device. */
  readonly batchMax: number
  /** Paid and not delivered for so long, ms: reported, and the promise is said again. */
  readonly undeliveredMs: number
  /** Readings that wait for the consumer; beyond it nothing more is bought. */
  readonly waitingMax: number
  /** Sealed messages of a stream that are paid for and wait, kept in the books for a later run, bytes. */
  readonly keptBytesMax: number
  /** At the end, how long what is paid for is still waited for, ms. */
  readonly endMs: number
  /** How long an order holds, ms; the session is renewed at half of it. */
  readonly orderMs: number
}

export const buyerLimits: BuyerLimits = {
  connectMs: 5_000,
  discoverMs: 1_500,
  offerMs: 30_000,
  offersMax: 16_384,
  offerBytesMax: 64 << 20,
  gapMs: 500,
  askMs: 2_000,
  askMaxMs: 30_000,
  partsMax: 4_096,
  keyRunsMax: 8_192,
  retryMs: 1_000,
  batchMax: 32,
  undeliveredMs: 15_000,
  waitingMax: 50_000,
  keptBytesMax: 64 << 20,
  endMs: 5_000,
  orderMs: 7 * 86_400_000,
}
