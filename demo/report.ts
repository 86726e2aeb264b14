/** The demo's books: everything that was counted, held against everything else. */
import type { Stage } from './story.ts'

export type Report = {
  readonly ok: boolean
  readonly seconds: number
  readonly readings: {
    readonly sensed: number
    readonly stored: number
    readonly inferred: number
    readonly doubts: Readonly<Record<string, number>>
  }
  readonly epochs: {
    readonly sealed: number
    readonly published: number
    readonly sold: number
    readonly opened: number
    readonly verified: number
    readonly afterStopSealed: number
    readonly afterStopOpened: number
  }
  readonly money: {
    readonly price: string
    readonly promised: string
    readonly delivered: string
    readonly settled: string
    readonly deposited: string
    readonly token: {
      readonly buyerBefore: string
      readonly buyerAfter: string
      readonly payeeBefore: string
      readonly payeeAfter: string
    }
  }
  readonly gas: Readonly<Record<string, number>>
  readonly eavesdropper: {
    readonly seen: number
    readonly opened: number
    readonly keysTried: number
    readonly guesses: number
    /** What the same code opens when it is given one paid key. */
    readonly withOneKey: readonly string[]
  }
  readonly stages: readonly Stage[]
  /** What does not balance, in sentences; empty when `ok`. */
  readonly wrong: readonly string[]
}

export type Facts = Omit<Report, 'ok' | 'wrong'> & {
  readonly oneKey: string | undefined
  readonly codes: Readonly<Record<string, number>>
}

/** Every promise of the demo as one line: what must hold, and whether it does. */
export function balance({ oneKey, codes, ...facts }: Facts): Report {
  const { readings, epochs, money, eavesdropper } = facts
  const doubted = Object.values(readings.doubts).reduce((sum, n) => sum + n, 0)
  const { buyerBefore, buyerAfter, payeeBefore, payeeAfter } = money.token
  const promises: readonly (readonly [boolean, string])[] = [
    [readings.stored > 0, 'no reading was stored'],
    [readings.inferred > 0, 'the model never ran'],
    [readings.sensed === readings.stored + doubted, 'sensed is not stored + doubts'],
    [epochs.sealed === epochs.published, 'an epoch was sealed and not published'],
    [epochs.sold > 0, 'nothing was sold'],
    [epochs.sold === epochs.opened, 'an epoch that was sold did not open'],
    [epochs.opened === epochs.verified, 'an epoch that opened did not verify'],
    [epochs.afterStopSealed > 0, 'nothing was sealed after the buyer stopped'],
    [epochs.afterStopOpened === 0, 'an epoch opened after the buyer had stopped'],
    [BigInt(money.price) > 0n, 'the price was nothing'],
    [money.promised === money.price, 'promised is not the price of the covered time'],
    [money.delivered === money.promised, 'delivered is not promised'],
    [money.settled === money.delivered, 'settled is not delivered'],
    [
      BigInt(payeeAfter) - BigInt(payeeBefore) === BigInt(money.settled),
      "the payee's balance does not agree with what was settled",
    ],
    [
      BigInt(buyerBefore) - BigInt(buyerAfter) === BigInt(money.deposited),
      "the buyer's balance does not agree with what was deposited",
    ],
    [eavesdropper.seen === epochs.published, 'the eavesdropper did not see every sealed epoch'],
    [eavesdropper.guesses > 0, 'there was no one-reading epoch to guess'],
    [eavesdropper.opened === 0, 'the eavesdropper opened an epoch'],
    [
      oneKey !== undefined && eavesdropper.withOneKey.join() === oneKey,
      'one paid key did not open exactly its epoch',
    ],
    ...Object.entries(codes).map(
      ([name, code]) => [code === 0, `${name} ended with exit code ${code}`] as const,
    ),
  ]
  const wrong = promises.filter(([holds]) => !holds).map(([, sentence]) => sentence)
  return { ok: wrong.length === 0, ...facts, wrong }
}
