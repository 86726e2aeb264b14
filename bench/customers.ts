/** A device's counter on a real store, with so many buyers at it, each with a channel and a session. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, randomBytes, sign } from '#crypto'
import { openShop } from '../runtime/sell/shop.ts'
import { openStore } from '../runtime/store/client.ts'
import { encodeAcks, signAck } from '../runtime/wire/ack.ts'
import { hex, unhex } from '../runtime/wire/bytes.ts'
import { type ChannelConfig, channelId } from '../runtime/wire/channel.ts'
import { decodeMessage } from '../runtime/wire/epoch.ts'
import { encodeGrants, signGrant } from '../runtime/wire/grant.ts'
import { headerHash } from '../runtime/wire/header.ts'
import { cover, rememberedBelow } from '../runtime/wire/keytree.ts'
import type { Offer } from '../runtime/wire/offer.ts'
import { encodeOrder, signOrder } from '../runtime/wire/order.ts'
import { paymentTree } from '../runtime/wire/paymenttree.ts'
import { encodeRequest } from '../runtime/wire/request.ts'
import {
  generateSessionKey,
  type SessionKeys,
  sealMessage,
  sealOrder,
} from '../runtime/wire/session.ts'
import { localSigner } from '../runtime/wire/signer.ts'
import { signSplit } from '../runtime/wire/split.ts'
import { type Terms, termsHash } from '../runtime/wire/terms.ts'
import { topics } from '../runtime/wire/topic.ts'
import { signVoucher } from '../runtime/wire/voucher.ts'
import { chain } from '../test/buyer/chain.ts'

export type Counter = {
  readonly customers: readonly Customer[]
  /** Hands the shop a message for the device's `ask`. */
  ask(message: Uint8Array): void
  /** Seals the next epoch, and resolves when every buyer that paid for it has its key. */
  seal(): Promise<void>
  close(): Promise<void>
}

export type Customer = {
  readonly keys: SessionKeys
  /** The next request, sealed. */
  seal(plain: Uint8Array): Uint8Array
  /** Promises enough for the next so many epochs, and asks for them. */
  payAhead(epochs: number): Promise<void>
}

const rail = { chainId: 31_337, settlement: `0x${'5e'.repeat(20)}` as const }
const token = `0x${'70'.repeat(20)}` as const
const terms: Terms = {
  stream: 'air',
  fields: [{ name: 'pm2_5', unit: 'ug/m3', type: 'number' }],
  epochMs: 1_000,
  price: { amount: '10', perMs: 1_000 },
  policy: 'use',
}
const untilMs = Date.now() + 86_400_000

export async function openCounter(buyers: number): Promise<Counter> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-counter-'))
  const store = await openStore({ path: join(folder, 'store.sqlite') })
  const secret = randomBytes(32)
  const device = addressOf(secret)
  const hpke = await generateSessionKey()
  const [operator, gateway] = [localSigner(randomBytes(32)), localSigner(randomBytes(32))]
  const made = chain({ secret, terms: termsHash(terms) })
  const rails = [
    { ...rail, collector: token, token, tokenName: 'USDC', tokenVersion: '2', decimals: 6 },
  ]
  const offer: Offer = {
    ...{ version: 1, device, operator: operator.address, signingKey: device, rails },
    ...{ hpke: hex(hpke.publicKey), receiver: operator.address, gateway: gateway.address },
    ...{ withdrawDelayMinS: 86_400, streams: [terms] },
  }
  let released = 0
  // As the device's own generations have it.
  const below = rememberedBelow()
  const shop = await openShop({
    key: { device, sign: (digest) => sign(digest, secret), hpke },
    offer: () => offer,
    store,
    cover: (_stream, _generation, from, to) => cover(made.root, from, to, below),
    clock: { monotonicMs: () => performance.now() },
    publish: async () => {},
    limits: { exposureMax: 1_000_000n },
    note(note) {
      if (note.event === 'sold') released += note.epochs
    },
  })
  const stop = new AbortController()
  const ended = shop.start(stop.signal)
  const until = async (holds: () => boolean) => {
    while (!holds()) await sleep(1)
  }
  const ask = (message: Uint8Array) => shop.handle(topics(device).ask, message)
  const notice = (kind: 'grant' | 'ack', payload: Uint8Array) =>
    shop.handle(topics(device)[kind], payload)

  const orders = await Promise.all(
    Array.from({ length: buyers }, () => order(offer, gateway.address)),
  )
  const grants = await Promise.all(
    orders.map(({ channel }) => {
      const grant = { channelId: channel, device, index: 0, cap: 1_000_000n, registryVersion: 1n }
      return signGrant({ ...grant, untilMs }, gateway)
    }),
  )
  const acks = await Promise.all(
    orders.map(({ channel }) => {
      const none = { period: 0n, root: new Uint8Array(32), total: 0n, timeMs: Date.now() }
      return signAck({ channelId: channel, ...none }, gateway)
    }),
  )
  notice('grant', encodeGrants(grants))
  notice('ack', encodeAcks(acks))
  for (const [i, { message }] of orders.entries()) {
    // Strangers share a budget of orders, so one may have to be said again.
    while (shop.counts().sessions <= i) {
      ask(message)
      await sleep(210)
    }
  }

  let asked = 0
  return {
    customers: orders.map(({ keys, payer, channel }) => {
      let counter = 0n
      const seal = (plain: Uint8Array) => {
        counter += 1n
        return sealMessage('request', keys, counter, plain, randomBytes)
      }
      return {
        keys,
        seal,
        async payAhead(epochs) {
          const amount = BigInt(epochs) * 10n
          const tree = paymentTree()
          tree.set({ index: 0, device, amount })
          const { root, total } = tree.root()
          const payment = {
            voucher: await signVoucher(
              { channelId: channel, maxClaimableAmount: total },
              rail,
              payer,
            ),
            split: await signSplit({ channelId: channel, period: 1n, total, root }, rail, payer),
            leaf: { index: 0, device, amount },
            path: tree.path(0),
          }
          const from = made.next()
          const range = { stream: 'air', generation: 1, from, to: from + epochs - 1 }
          const before = shop.counts().promised
          // Who has flooded the device waits for its budget to fill again.
          while (shop.counts().promised === before) {
            ask(seal(encodeRequest({ kind: 'promise', payment, buy: [range] })))
            await sleep(20)
          }
          asked += 1
        },
      }
    }),
    ask,
    async seal() {
      const message = made.epoch(10)
      const { header, headerBytes } = decodeMessage(message)
      const { stream, generation, number, count, boot } = header
      const { openedMonotonicMs, closedMonotonicMs } = header
      const row = {
        ...{ stream, generation, number, count, boot, kind: 'readings', terms: header.terms },
        ...{ openedMonotonicMs, closedMonotonicMs, coveredMs: 1_000, message },
        ...{ hash: headerHash(headerBytes), topic: topics(device).epoch(stream) },
      }
      await store.commit({ gains: [], sealed: [row], messages: [], audits: [] })
      const goal = released + asked
      shop.look()
      await until(() => released >= goal)
    },
    async close() {
      stop.abort()
      await ended
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** A signed order on a channel of its own, sealed to the device. */
async function order(offer: Offer, gateway: Offer['gateway']) {
  const payer = localSigner(randomBytes(32))
  const config: ChannelConfig = {
    ...{ payer: payer.address, payerAuthorizer: payer.address, receiver: offer.receiver },
    ...{ receiverAuthorizer: gateway, token, withdrawDelay: 7 * 86_400, salt: randomBytes(32) },
  }
  const channel = channelId(config, rail)
  const session = await generateSessionKey()
  const signed = await signOrder(
    {
      ...{ channelId: channel, number: 1n, seller: offer.device, terms: [termsHash(terms)] },
      ...{ ceilingAmount: 10n, ceilingPerMs: 1_000n, sessionKey: session.publicKey, untilMs },
    },
    payer,
  )
  const document = encodeOrder({ order: signed, config, rail })
  const recipient = unhex(offer.hpke)
  return { payer, channel, ...(await sealOrder({ order: document, session, recipient })) }
}
