/** A street for the tests: real devices and a real gateway around a broker in memory, and a purse of play money. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '#crypto'
import { type BuyerOptions, openBuyer } from '../../runtime/buyer/index.ts'
import type { BuyNote } from '../../runtime/buyer/tally.ts'
import type { Broker } from '../../runtime/link/broker.ts'
import { openGateway } from '../../runtime/operator/gateway.ts'
import { openLedger } from '../../runtime/operator/ledger.ts'
import { openRegister } from '../../runtime/operator/register.ts'
import { openShop } from '../../runtime/sell/shop.ts'
import { type EpochMaker, epochMaker } from '../../runtime/sign/epoch.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { openStore, type Store } from '../../runtime/store/client.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { outbox } from '../../runtime/stream/outbox.ts'
import { openShelf } from '../../runtime/stream/shelf.ts'
import { type Address, zeroAddress } from '../../runtime/wire/address.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import type { Clock } from '../../runtime/wire/clock.ts'
import type { KeyNode } from '../../runtime/wire/keytree.ts'
import type { Offer } from '../../runtime/wire/offer.ts'
import { generateSessionKey } from '../../runtime/wire/session.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import type { Terms } from '../../runtime/wire/terms.ts'
import { gateway, operator, rail, receiver, token } from '../operator/fixture.ts'
import { memoryBroker } from '../operator/line.ts'
import { testClock } from '../sign/fixture.ts'
import { secretOf } from '../wire/sample.ts'
import { eviction, type HandClock, past, planOf } from './past.ts'

export const offeredRail = {
  ...rail,
  collector: zeroAddress,
  token,
  tokenName: 'USDC',
  tokenVersion: '2',
  decimals: 6,
}
export const terms: Terms = {
  stream: 'air',
  fields: [{ name: 'pm2_5', unit: 'ug/m3', type: 'number' }],
  epochMs: 200,
  price: { amount: '1000', perMs: 1000 },
  policy: 'use',
}
export const limits = {
  discoverMs: 300,
  offerMs: 5_000,
  gapMs: 50,
  askMs: 400,
  retryMs: 60,
  undeliveredMs: 1_000,
  endMs: 3_000,
}

type Ends = { after(fn: () => Promise<void>): void }
type Running = { readonly stop: () => Promise<void> }
type StreetBroker = Pick<Broker, 'publish' | 'subscribe' | 'connected' | 'onConnect'>
export type Street = Awaited<ReturnType<typeof openStreet>>

export type StreetOptions = Pick<StandOptions, 'bend' | 'clock' | 'terms' | 'termsOf'> & {
  readonly devices?: number
  readonly broker?: StreetBroker
  readonly gatewayWallMs?: () => number
}

export async function openStreet(t: Ends, options: StreetOptions = {}) {
  const { devices = 1, broker = memoryBroker() } = options
  const folder = await mkdtemp(join(tmpdir(), 'wayside-street-'))
  const running: Running[] = []
  const made = []
  for (let i = 0; i < devices; i += 1)
    made.push(await openDevice(join(folder, `device${i}`), broker, options))
  running.push(...made)
  const books = await startGateway(join(folder, 'gateway.db'), broker, made, options)
  running.push(books)
  t.after(async () => {
    for (const one of running) await one.stop()
    await rm(folder, { recursive: true })
  })
  return {
    folder,
    broker,
    devices: made,
    gateway: books.gateway,
    buy: buyers(t, folder, broker),
    /** Starts a device that was stopped again, on its own store, perhaps under other terms. */
    async reopen(more: Pick<StandOptions, 'terms' | 'product'> = {}) {
      const again = await openDevice(join(folder, 'device0'), broker, { ...options, ...more })
      running.push(again)
      return again
    },
  }
}

/** Opens buyers that are closed before the street is; each has a folder of its own, unless named. */
function buyers(t: Ends, folder: string, broker: StreetBroker) {
  return async (options: Partial<BuyerOptions> & { readonly purse?: string } = {}) => {
    const { purse = 'buyer', ...more } = options
    const notes: BuyNote[] = []
    const buyer = await openBuyer({
      broker,
      folder: join(folder, purse),
      signer: localSigner(secretOf('buyer')),
      budget: '1',
      limits,
      note: (note) => notes.push(note),
      ...more,
    })
    t.after(() => buyer.close())
    return { ...buyer, notes }
  }
}

async function startGateway(
  path: string,
  broker: StreetBroker,
  devices: readonly { readonly device: Address }[],
  { gatewayWallMs }: StreetOptions,
) {
  const ledger = openLedger(path)
  const rows = devices.map(({ device }) => ({ device, signingKey: device, version: 1 }))
  const one = await openGateway({
    broker,
    ledger,
    register: openRegister(operator.address, rows),
    operator,
    gateway,
    hpke: await generateSessionKey(),
    receiver,
    rails: [offeredRail],
    withdrawDelayMinS: 7 * 86_400,
    seen: async () => ({ balance: 10_000_000n, totalClaimed: 0n }),
    lookMs: 50,
    ackMs: 100,
    note: () => {},
    ...(gatewayWallMs === undefined ? {} : { wallMs: gatewayWallMs }),
    limits: { ordersPerSecond: 50, requestsPerSecond: 1000 },
  })
  const end = new AbortController()
  const ended = one.start(end.signal)
  return {
    gateway: one,
    async stop() {
      end.abort()
      await ended
      ledger.close()
    },
  }
}

type Key = Awaited<ReturnType<typeof openDeviceKey>>

export type StandOptions = {
  /** What a dishonest device gives for the keys that were paid for. */
  readonly bend?: (nodes: readonly KeyNode[]) => KeyNode[]
  /** Instead of a sensor: epochs are made by hand, on this clock. */
  readonly clock?: HandClock
  /** Hash of the terms of the epoch that is made after so many. */
  readonly termsOf?: (epochs: number) => Uint8Array | undefined
  readonly terms?: Terms
  /** The software that its setup names. */
  readonly product?: string
  /** What it offers; the street's own rail and people, unless named. */
  readonly offer?: (key: Key, streams: Terms[]) => Omit<Offer, 'version'>
  /** With whose key a dishonest device signs its headers, and its states. */
  readonly signs?: { readonly headers?: Key['sign']; readonly states?: Key['sign'] }
}

/** A device as `wayside run` composes it, its sensor a timer. */
export async function openDevice(
  folder: string,
  broker: Pick<StreetBroker, 'publish' | 'subscribe'>,
  options: StandOptions = {},
) {
  const { bend = (nodes) => [...nodes], offer = offerOf, signs = {} } = options
  const sold = options.terms ?? terms
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path: join(folder, 'store.db') })
  const clock = options.clock ?? testClock()
  const box = outbox({ store, publish: broker.publish })
  const { device } = key
  const shelf = await openShelf({
    device,
    sign: key.sign,
    store,
    offer: offer(key, [sold]),
    setups: [{ device, stream: 'air', product: options.product ?? 'wayside test' }],
    indexEveryMs: 100,
    changed: box.look,
  })
  const shop = await openShop({
    key: { ...key, sign: signs.states ?? key.sign },
    offer: shelf.offer,
    store: telling(store, box.look),
    cover: (...range) => bend(generations.cover(...range)),
    clock,
    publish: broker.publish,
    limits: { ordersPerS: 50, requestsPerS: 1000 },
  })
  const setup = shelf.setupHash('air')
  let sealed = 0
  const streams = [planOf(sold, setup, options, () => sealed)]
  const maker = epochMaker({
    key: { ...key, sign: signs.headers ?? key.sign },
    clock,
    streams,
    generation: generations.current,
    keys: generations.leafKey,
    store,
    random: randomBytes,
    limits: { commitDelayMs: 50 },
    sealed({ stream }) {
      if (stream === 'air') sealed += 1
      for (const part of [box, shelf, shop]) part.look()
    },
  })
  for (const filter of shop.filters) await broker.subscribe(filter, shop.handle)
  const say = options.clock === undefined ? sensor(maker, clock) : undefined
  const stop = running([shelf, maker, box, shop], say, () => store.close())
  const make = options.clock && past(maker, options.clock, () => sealed, sold.epochMs)
  return {
    device,
    store,
    shelf,
    counts: shop.counts,
    stop,
    /** Makes so many epochs by hand. */
    make: async (epochs: number) => make?.(epochs),
    /** Forgets epochs as a device does whose store is full. */
    async evict(from: number, to: number) {
      const message = await store.epochMessage('air', generations.current, to)
      return maker.evict([eviction(message as Uint8Array, from, to)])
    },
  }
}

/** The same store, which says when it was given something to send. */
function telling(store: Store, look: () => void): Store {
  return { ...store, saleCommit: (...changes) => store.saleCommit(...changes).finally(look) }
}

/** A sensor that counts. */
function sensor(maker: EpochMaker, clock: Clock) {
  let count = 0
  return () => {
    count += 1
    const moment = { boot: clock.boot, monotonicMs: clock.monotonicMs() }
    const values = { pm2_5: count }
    maker.take({ stream: 'air', ...moment, values, units: { pm2_5: 'ug/m3' } })
  }
}

type Part = { start(signal: AbortSignal): Promise<void> }

/** Starts the parts and the sensor; gives the way to stop them. */
function running(
  parts: readonly Part[],
  say: (() => void) | undefined,
  close: () => Promise<void>,
) {
  const end = new AbortController()
  const ended = parts.map((part) => part.start(end.signal))
  const timer = say && setInterval(say, 20)
  let stopped: Promise<void> | undefined
  return () => {
    stopped ??= (async () => {
      clearInterval(timer)
      end.abort()
      await Promise.all(ended)
      await close()
    })()
    return stopped
  }
}

function offerOf(key: Key, streams: Terms[]): Omit<Offer, 'version'> {
  return {
    device: key.device,
    operator: operator.address,
    signingKey: key.signingKey,
    hpke: hex(key.hpke.publicKey),
    receiver,
    gateway: gateway.address,
    rails: [offeredRail],
    withdrawDelayMinS: 7 * 86_400,
    streams,
  }
}
