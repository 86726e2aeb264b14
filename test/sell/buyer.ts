/** A buyer on paper: it says what it is told to, and reads what comes back. */
import type { TestContext } from 'node:test'
import { randomBytes } from '#crypto'
import type { Address } from '../../runtime/wire/address.ts'
import { type Answer, decodeAnswer } from '../../runtime/wire/answer.ts'
import { unhex } from '../../runtime/wire/bytes.ts'
import type { ChannelConfig, Rail } from '../../runtime/wire/channel.ts'
import type { HpkeKey } from '../../runtime/wire/hpke.ts'
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
  type WorldOptions,
  world,
} from './world.ts'

export type Buyer = Awaited<ReturnType<typeof buyer>>

export type BuyerOptions = {
  readonly order?: Partial<Order>
  readonly document?: Partial<OrderDocument>
  readonly own?: boolean
  readonly signer?: Signer
  /** Where it buys; the world of these tests, unless named. */
  readonly ground?: Ground
  /** The key that seals: one session with a device and its gateway, as one order opens both. */
  readonly session?: HpkeKey
}

/** From whom, out of which channel, and up to which price. */
export type Ground = {
  /** Whose `ask` it is: a device, or an operator for its gateway. */
  readonly to: Address
  readonly hpke: Uint8Array
  readonly order: Omit<Order, 'number' | 'sessionKey'>
  readonly config: ChannelConfig
  readonly rail: Rail
}

export const worldGround: Ground = {
  to: device,
  hpke: unhex(offer.hpke),
  order: {
    channelId: channel,
    seller: device,
    terms: [termsHash(terms)],
    ceilingAmount: 10n,
    ceilingPerMs: 1_000n,
    untilMs: startMs + 10 * dayMs,
  },
  config,
  rail,
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

export type SaleOptions = WorldOptions & { readonly cap?: bigint; readonly epochs?: number }

/** A shop that knows the time, with a grant and so many epochs on its shelf, and a buyer in session with it. */
export async function openSale(context: TestContext, options: SaleOptions = {}) {
  const { cap = 1_000n, epochs = 0, ...more } = options
  const at = await world(context, more)
  await at.ack(startMs)
  await at.grant(cap)
  at.seal(epochs)
  const one = await buyer(at)
  await one.order()
  return { at, one }
}

export async function buyer(at: Line, options: BuyerOptions = {}) {
  const { own = false, signer = buyerSigner, ground = worldGround } = options
  const { to: seller, config, rail } = ground
  const session = options.session ?? (await generateSessionKey())
  let message: Uint8Array = new Uint8Array(0)
  let keys: SessionKeys | undefined
  let counter = 0n

  const name = () => sessionName((keys as SessionKeys).id)

  async function sealAnew(order: Partial<Order> = {}): Promise<void> {
    const document = await signedOrder({ ...options.order, ...order })
    const sealed = await sealOrder({
      order: encodeOrder({ ...document, ...options.document }),
      session,
      recipient: ground.hpke,
    })
    message = sealed.message
    keys = sealed.keys
    counter = 0n
  }

  async function signedOrder(more: Partial<Order>): Promise<OrderDocument> {
    const free = own ? { channelId: new Uint8Array(32), ceilingAmount: 0n } : {}
    const order: Order = {
      ...ground.order,
      ...free,
      number: 1n,
      sessionKey: session.publicKey,
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
    /** The same of a body that no request has. */
    async say(plain: Uint8Array): Promise<Answer | undefined> {
      counter += 1n
      return answerTo(
        counter,
        sealMessage('request', keys as SessionKeys, counter, plain, randomBytes),
      )
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
    const own = at.sent.filter(({ topic }) => topic === topics(seller).answer(name()))
    return own.flatMap(({ payload }) => {
      const opened = openMessage(payload, keys as SessionKeys, 'answer')
      return opened === undefined ? [] : [decodeAnswer(opened.plain)]
    })
  }

  function keysBody(): KeysBody | undefined {
    const payload = at.retained(topics(seller).keys(name()))
    const opened = payload && openMessage(new Uint8Array(payload), keys as SessionKeys, 'keys')
    return opened === undefined ? undefined : decodeKeysBody(opened.plain)
  }
}

/** A promise of `amount` to a device (this one), as the only leaf of its period's tree. */
export async function pay(amount: bigint, period: bigint, more: PayOptions = {}): Promise<Payment> {
  const { signer = buyerSigner, index = 0, channelId = channel, rail = worldGround.rail } = more
  const tree = paymentTree()
  const leaf = { index, device: more.device ?? device, amount }
  tree.set(leaf)
  const { root, total } = tree.root()
  const voucher = { channelId, maxClaimableAmount: total }
  const split = { channelId, period, total, root }
  return {
    voucher: await signVoucher(voucher, rail, signer),
    split: await signSplit(split, rail, signer),
    leaf,
    path: tree.path(index),
  }
}

export type PayOptions = {
  readonly signer?: Signer
  readonly index?: number
  readonly channelId?: Uint8Array
  readonly rail?: Rail
  readonly device?: Address
}

export function air(from: number, to: number): Range {
  return { stream: 'air', generation: 1, from, to }
}
