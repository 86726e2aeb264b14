/** A device's shop on a real store, its gateway, its epochs, and a buyer with a channel, for the tests. */
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, randomBytes, sha256, sign } from '#crypto'
import { openDatabase } from '../../runtime/disk/sqlite.ts'
import type { DeviceKey } from '../../runtime/sell/answers.ts'
import type { SellNote } from '../../runtime/sell/limits.ts'
import type { SalesStore } from '../../runtime/sell/rows.ts'
import { openShop, type Shop, type ShopOptions } from '../../runtime/sell/shop.ts'
import { chainTable } from '../../runtime/store/chain.ts'
import { type EpochRow, epochTable } from '../../runtime/store/epoch.ts'
import { outboxTable } from '../../runtime/store/outbox.ts'
import { pinTable } from '../../runtime/store/pin.ts'
import { reservations } from '../../runtime/store/reserved.ts'
import { retainedTable } from '../../runtime/store/retained.ts'
import { salesTables } from '../../runtime/store/sales.ts'
import { tombstoneTable } from '../../runtime/store/tombstone.ts'
import { type Ack, encodeAcks, signAck } from '../../runtime/wire/ack.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { type ChannelConfig, channelId } from '../../runtime/wire/channel.ts'
import { decodeMessage } from '../../runtime/wire/epoch.ts'
import { encodeGrants, type Grant, signGrant } from '../../runtime/wire/grant.ts'
import { type Header, headerHash } from '../../runtime/wire/header.ts'
import { cover } from '../../runtime/wire/keytree.ts'
import type { Offer } from '../../runtime/wire/offer.ts'
import { generateSessionKey } from '../../runtime/wire/session.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { type Terms, termsHash } from '../../runtime/wire/terms.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { chain } from '../buyer/chain.ts'

export const secretOf = (word: string) => sha256(new TextEncoder().encode(`sell test ${word}`))
export const operator = localSigner(secretOf('operator'))
export const gateway = localSigner(secretOf('gateway'))
export const buyerSigner = localSigner(secretOf('buyer'))
export const startMs = 1_795_000_000_000
export const dayMs = 86_400_000

export const deviceSecret = secretOf('device')
export const device = addressOf(deviceSecret)
const hpke = await generateSessionKey()

export const deviceKey: DeviceKey = {
  device,
  sign: (digest) => sign(digest, deviceSecret),
  hpke,
}

/** One epoch of a second costs 10 units, less what the floor takes. */
export const terms: Terms = {
  stream: 'air',
  fields: [{ name: 'pm2_5', unit: 'ug/m3', type: 'number' }],
  epochMs: 1_000,
  price: { amount: '10', perMs: 1_000 },
  policy: 'use',
}

/** A second stream, which the buyers of these tests do not order. */
export const gnssTerms: Terms = { ...terms, stream: 'gnss' }

export const rail = { chainId: 31_337, settlement: addressOf(secretOf('settlement')) }
const token = addressOf(secretOf('token'))

export const offer: Offer = {
  version: 1,
  device,
  operator: operator.address,
  signingKey: device,
  hpke: hex(hpke.publicKey),
  receiver: addressOf(secretOf('receiver')),
  gateway: gateway.address,
  rails: [
    {
      ...rail,
      collector: addressOf(secretOf('collector')),
      token,
      tokenName: 'USDC',
      tokenVersion: '2',
      decimals: 6,
    },
  ],
  withdrawDelayMinS: 86_400,
  streams: [terms, gnssTerms],
}

export const config: ChannelConfig = {
  payer: buyerSigner.address,
  payerAuthorizer: buyerSigner.address,
  receiver: offer.receiver,
  receiverAuthorizer: gateway.address,
  token,
  withdrawDelay: 7 * 86_400,
  salt: secretOf('salt'),
}

export const channel = channelId(config, rail)

export type World = Awaited<ReturnType<typeof world>>

export type WorldOptions = Partial<ShopOptions> & {
  /** Resolves when the broker has an answer; rejects when that was lost. */
  readonly taken?: () => Promise<void>
}

export async function world(context: TestContext, options: WorldOptions = {}) {
  const db = openDatabase(':memory:')
  const made = chain({ secret: deviceSecret, terms: termsHash(terms) })
  const rows = { chain: chainTable(db), epoch: epochTable(db), retained: retainedTable(db) }
  const outbox = outboxTable(db)
  const keep = { pin: pinTable(db), tombstone: tombstoneTable(db), reserved: reservations() }
  const tables = salesTables(db, { outbox, ...keep })
  let nowMs = 0
  let crash: 'before' | 'after' | undefined
  const sent: { topic: string; payload: Uint8Array }[] = []
  const notes: SellNote[] = []

  const store: SalesStore = {
    sales: async () => structuredClone(tables.sales()),
    async saleCommit(...changes) {
      if (crash === 'before') throw new Crash()
      const done = tables.saleCommit(...changes)
      if (crash === 'after') throw new Crash()
      return done
    },
    keepTerms: async (terms) => tables.keepTerms(terms),
    saleEpochs: async (ranges, max) => tables.saleEpochs(ranges, max),
    saleMessages: async (range, max, bytes) => tables.saleMessages(range, max, bytes),
    setRetained: async (topic, payload) => outbox.setRetained(topic, payload),
  }

  let running: Running = await open()

  /** Waits until the shop has been quiet for a while. */
  async function rest(): Promise<void> {
    const total = db.prepare('SELECT total_changes()').pluck()
    const count = () => sent.length + notes.length + (total.get() as number)
    for (let seen = -1; seen !== count(); await sleep(10)) seen = count()
  }

  async function open() {
    const stop = new AbortController()
    const shop: Shop = await openShop({
      key: deviceKey,
      offer: () => offer,
      store,
      cover: (stream, generation, from, to) =>
        stream === 'air' && generation === 1 ? cover(made.root, from, to) : [],
      clock: { monotonicMs: () => nowMs },
      publish: async (topic, payload) => {
        sent.push({ topic, payload })
        await options.taken?.()
      },
      random: randomBytes,
      note: (note) => notes.push(note),
      ...options,
    })
    const ended = shop.start(stop.signal).catch((cause) => {
      if (!(cause instanceof Crash)) throw cause
    })
    return { shop, stop, ended }
  }

  context.after(stop)
  return {
    sent,
    notes,
    chain: made,
    tables,
    keep,
    store,
    retained: (topic: string) => rows.retained.get(topic),
    shop: () => running.shop,
    ask: (payload: Uint8Array) => running.shop.handle(topics(device).ask, payload),
    pass: (ms: number) => {
      nowMs += ms
    },
    /** Seals so many epochs of a second each; returns their messages. */
    seal(count: number, over: Partial<Header> = {}): Uint8Array[] {
      return Array.from({ length: count }, () => {
        const message = made.epoch(3, over)
        const row = rowOf(message)
        rows.epoch.add(row)
        rows.chain.set({ ...row, boot: 'b' })
        return message
      })
    },
    evict(from: number, to: number): void {
      db.prepare('DELETE FROM epoch WHERE number BETWEEN ? AND ?').run(from, to)
    },
    async grant(cap: bigint, more: Partial<Grant> = {}, signer = gateway): Promise<void> {
      const untilMs = startMs + 30 * dayMs
      const grant = { channelId: channel, device, index: 0, cap, untilMs, registryVersion: 1n }
      const signed = await signGrant({ ...grant, ...more }, signer)
      running.shop.handle(topics(device).grant, encodeGrants([signed]))
      await rest()
    },
    async ack(timeMs: number, more: Partial<Ack> = {}, signer = gateway): Promise<void> {
      const ack = { channelId: channel, period: 0n, root: new Uint8Array(32), total: 0n, timeMs }
      const signed = await signAck({ ...ack, ...more }, signer)
      running.shop.handle(topics(device).ack, encodeAcks([signed]))
      await rest()
    },
    /** From now on every commit dies, before or after it reached the disk. */
    crashAt(when: 'before' | 'after' | undefined) {
      crash = when
    },
    /** A new process on the same store. */
    async restart(): Promise<void> {
      crash = undefined
      await stop()
      running = await open()
    },
    rest,
    /** Waits until it holds, or the shop died. */
    async until(holds: () => boolean): Promise<void> {
      const died = running.ended.then(() => true)
      for (let i = 0; i < 12_000 && !holds(); i += 1) {
        if (await Promise.race([died, sleep(3)])) return
      }
    },
    stop,
  }

  async function stop() {
    running.stop.abort()
    await running.ended
  }
}

type Running = {
  readonly shop: Shop
  readonly stop: AbortController
  readonly ended: Promise<void>
}

export class Crash extends Error {}

function rowOf(message: Uint8Array): EpochRow {
  const { header, headerBytes } = decodeMessage(message)
  const { stream, generation, number, count, terms } = header
  const { openedMonotonicMs, closedMonotonicMs } = header
  return {
    ...{ stream, generation, number, count, terms, openedMonotonicMs, closedMonotonicMs, message },
    kind: String(header.kind),
    coveredMs: closedMonotonicMs - openedMonotonicMs,
    hash: headerHash(headerBytes),
  }
}
