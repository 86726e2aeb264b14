/** A buyer on paper: it says what it is told to, and reads what comes back. */
import { randomBytes } from '#crypto'
import { type Answer, decodeAnswer } from '../../runtime/wire/answer.ts'
import { unhex } from '../../runtime/wire/bytes.ts'
import { decodeKeysBody, type KeysBody } from '../../runtime/wire/keysbody.ts'
import { leafKey } from '../../runtime/wire/keytree.ts'
import { encodeOrder, type Order, type OrderDocument, signOrder } from '../../runtime/wire/order.ts'
import type { Payment } from '../../runtime/wire/payment.ts'
import { paymentTree } from '../../runtime/wire/paymenttree.ts'
import { encodeRequest, type Range, type Request } from '../../runtime/wire/request.ts'
import {
  generateSessionKey,
  openMessage,
  type SessionKeys,
  sealMessage,
  sealOrder,
  sessionName,
} from '../../runtime/wire/session.ts'
import type { Signer } from '../../runtime/wire/signer.ts'
import { signSplit } from '../../runtime/wire/split.ts'
import { termsHash } from '../../runtime/wire/terms.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'
import {
  buyerSigner,
  channel,
  config,
  dayMs,
  device,
  offer,
  rail,
  startMs,
  terms,
} from './world.ts'

export type Buyer = Awaited<ReturnType<typeof buyer>>

export type BuyerOptions = {
  readonly order?: Partial<Order>
  readonly document?: Partial<OrderDocument>
  readonly own?: boolean
  readonly signer?: Signer
}

/** How a buyer's messages come to the shop and back. */
export type Line = {
  ask(payload: Uint8Array): void
  /** Everything that was answered, newest last. */
  readonly sent: readonly { readonly topic: string; readonly payload: Uint8Array }[]
  /** What stands retained on a topic. */
  retained(topic: string): Uint8Array | undefined
  /** Waits until it holds, or the shop died. */
  until(holds: () => boolean): Promise<void>
}

export async function buyer(at: Line, options: BuyerOptions = {}) {
  const { own = false, signer = buyerSigner } = options
  const session = await generateSessionKey()
  let message: Uint8Array = new Uint8Array(0)
  let keys: SessionKeys | undefined
  let counter = 0n

  const name = () => sessionName((keys as SessionKeys).id)

  async function sealAnew(order: Partial<Order> = {}): Promise<void> {
    const document = await signedOrder({ ...options.order, ...order })
    const sealed = await sealOrder({
      order: encodeOrder({ ...document, ...options.document }),
      session,
      recipient: unhex(offer.hpke),
    })
    message = sealed.message
    keys = sealed.keys
    counter = 0n
  }

  async function signedOrder(more: Partial<Order>): Promise<OrderDocument> {
    const order: Order = {
      channelId: own ? new Uint8Array(32) : channel,
      number: 1n,
      seller: device,
      terms: [termsHash(terms)],
      ceilingAmount: own ? 0n : 10n,
      ceilingPerMs: 1_000n,
      sessionKey: session.publicKey,
      untilMs: startMs + 10 * dayMs,
      ...more,
    }
    const signed = await signOrder(order, signer)
    return own ? { order: signed } : { order: signed, config, rail }
  }

  await sealAnew()

  return {
    name,
    sealAnew,
    orderMessage: () => message,
    /** The signed order, as whoever can open it has it. */
    orderBytes: async () =>
      encodeOrder({ ...(await signedOrder(options.order ?? {})), ...options.document }),
    /** Sends the order; the answer to it. */
    async order(): Promise<Answer | undefined> {
      return answerTo(0n, message)
    },
    /** Sends a request under the next counter; its answer. */
    async request(request: Request): Promise<Answer | undefined> {
      const sealed = seal(request)
      return answerTo(counter, sealed)
    },
    /** Sends it, and does not wait. */
    send: (request: Request): void => at.ask(seal(request)),
    seal,
    answers,
    keysBody,
    /** The leaf key of an epoch, if the retained keys give one. */
    keyOf(number: number, stream = 'air'): Uint8Array | undefined {
      const runs = keysBody()?.covers.filter((one) => one.stream === stream) ?? []
      return leafKey(
        runs.flatMap((one) => one.runs.flatMap(({ nodes }) => nodes)),
        number,
      )
    },
  }

  async function answerTo(to: bigint, sealed: Uint8Array): Promise<Answer | undefined> {
    const before = answers().length
    at.ask(sealed)
    const news = () =>
      answers()
        .slice(before)
        .find((answer) => answer.to === to)
    await at.until(() => news() !== undefined)
    return news()
  }

  function seal(request: Request): Uint8Array {
    counter += 1n
    const plain = encodeRequest(request)
    return sealMessage('request', keys as SessionKeys, counter, plain, randomBytes)
  }

  function answers(): Answer[] {
    const own = at.sent.filter(({ topic }) => topic === topics(device).answer(name()))
    return own.flatMap(({ payload }) => {
      const opened = openMessage(payload, keys as SessionKeys, 'answer')
      return opened === undefined ? [] : [decodeAnswer(opened.plain)]
    })
  }

  function keysBody(): KeysBody | undefined {
    const payload = at.retained(topics(device).keys(name()))
    const opened = payload && openMessage(new Uint8Array(payload), keys as SessionKeys, 'keys')
    return opened === undefined ? undefined : decodeKeysBody(opened.plain)
  }
}

/** A promise of `amount` to this device, as the only leaf of its period's tree. */
export async function pay(amount: bigint, period: bigint, more: PayOptions = {}): Promise<Payment> {
  const { signer = buyerSigner, index = 0 } = more
  const tree = paymentTree()
  const leaf = { index, device, amount }
  tree.set(leaf)
  const { root, total } = tree.root()
  const voucher = { channelId: channel, maxClaimableAmount: total }
  const split = { channelId: channel, period, total, root }
  return {
    voucher: await signVoucher(voucher, rail, signer),
    split: await signSplit(split, rail, signer),
    leaf,
    path: tree.path(index),
  }
}

export type PayOptions = { readonly signer?: Signer; readonly index?: number }

export function air(from: number, to: number): Range {
  return { stream: 'air', generation: 1, from, to }
}
