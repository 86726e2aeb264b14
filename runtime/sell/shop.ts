/**
 * Selling: orders become sessions, promises become keys. One loop reads the inbox, and everything it
 * decides is committed before it is said, so it may die anywhere and go on.
 *
 *   inbox     drops the unwanted, keeps the rest in order
 *   orders    admit, then a session            requests  promise, take, fetch, confirm, state, end
 *   notices   the gateway's grants and acks    desk      every rule, over plain books
 *   till      books and sessions, on disk before in memory; the sealed keys go with the commit
 */
import { randomBytes } from '#crypto'
import { bell } from '../time/bell.ts'
import { hex, text } from '../wire/bytes.ts'
import type { Clock } from '../wire/clock.ts'
import { jcs } from '../wire/jcs.ts'
import type { Offer } from '../wire/offer.ts'
import { type Terms, termsHash } from '../wire/terms.ts'
import type { Tariff } from './admit.ts'
import { type DeviceKey, answers as openAnswers } from './answers.ts'
import type { Books } from './books.ts'
import { drops } from './drops.ts'
import { fetches as openFetches } from './fetches.ts'
import { inbox, type Mail } from './inbox.ts'
import { type SellLimits, type SellNote, sellLimits } from './limits.ts'
import { moneyTime } from './moneytime.ts'
import { notices } from './notices.ts'
import { orders } from './orders.ts'
import { requests } from './requests.ts'
import type { SalesStore, TermsRow } from './rows.ts'
import { soldBook } from './soldbook.ts'
import { type Cover, till as openTill, type Till } from './till.ts'

export type ShopOptions = {
  readonly key: DeviceKey
  /** The offer as it is published now: streams, prices, rails, operator, gateway, receiver. */
  readonly offer: () => Offer
  readonly store: SalesStore
  /** Key-tree nodes of a range; none, or GENERATION_MISSING, for a generation that was destroyed. */
  readonly cover: Cover
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Sends an answer; a rejection means that it may be lost, and the buyer asks again. */
  readonly publish: (topic: string, payload: Uint8Array) => Promise<void>
  /** Something new stands in the store's outbox. */
  readonly changed?: () => void
  readonly limits?: Partial<SellLimits>
  readonly random?: (length: number) => Uint8Array
  readonly note?: (note: SellNote) => void
}

export type Shop = {
  /** Topics whose messages `handle` wants. */
  readonly filters: readonly string[]
  /** Takes a message from the broker. Never blocks, never throws, whatever it is. */
  handle(topic: string, payload: Uint8Array): void
  /** New epochs are sealed: what was promised ahead may be delivered. */
  look(): void
  /** Sells until the signal aborts; resolves when the last thing begun is committed. */
  start(signal: AbortSignal): Promise<void>
  /** Sessions that are open, and totals over all channels. */
  counts(): ShopCounts
}

export type ShopCounts = {
  readonly sessions: number
  readonly channels: number
  readonly promised: bigint
  readonly delivered: bigint
  readonly acknowledged: bigint
}

/** Opens the books. Throws what the store throws. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { key, offer, clock } = options
  const limits = { ...sellLimits, ...options.limits }
  const monotonicMs = () => clock.monotonicMs()
  const alarm = bell()
  const staff = await hire(options, limits, monotonicMs, alarm.ring)
  const { till, time, heard, takeOrder, takeRequest, supplyAll, sold, drop, tell, sweep } = staff
  const box = inbox({
    device: key.device,
    operator: offer().operator,
    limits,
    monotonicMs,
    standing: till.standing,
    authorOf: staff.authorOf,
    drop,
    wake: alarm.ring,
  })
  let looked = true
  let savedAtMs = monotonicMs()

  return {
    filters: box.filters,
    handle: box.handle,
    look() {
      looked = true
      alarm.ring()
    },
    async start(signal) {
      while (!signal.aborted) {
        const mail = box.next()
        if (mail !== undefined) await read(mail)
        if (looked) await supplyEverybody()
        const sent = await staff.fetches.turn()
        if (mail !== undefined || sent) continue
        const waitMs = Math.min(await sold.say(), await keepHouse(), tell())
        await alarm.wait(waitMs, signal)
      }
      await till.save()
    },
    counts: () => countsOf(till),
  }

  async function read(mail: Mail) {
    if (mail.kind === 'order') return takeOrder(mail.message)
    if (mail.kind === 'request') return takeRequest(mail.session, mail.message)
    if (mail.kind === 'gateway') return sold.takeGateway(mail.message)
    if (mail.kind === 'grant') await heard.takeGrants(mail.message)
    else heard.takeAcks(mail.message)
    // A grant or an ack may free what had to wait.
    looked = true
  }

  async function supplyEverybody() {
    looked = false
    const waits = ({ wanted, channel }: Books) => wanted.length > 0 && till.live(channel).length > 0
    // Side by side, so that what they change is one commit (see the till).
    await Promise.all(
      till
        .allBooks()
        .filter(waits)
        .map((books) => supplyAll(books)),
    )
  }

  /** Saves what only memory knows and forgets what is long over; resolves to the ms until the next time. */
  async function keepHouse(): Promise<number> {
    const dueMs = savedAtMs + limits.timeSaveMs - monotonicMs()
    if (dueMs > 0) return dueMs
    savedAtMs = monotonicMs()
    await till.save()
    const nowMs = time.nowMs() ?? 0
    const over = till.allSessions().filter(({ untilMs }) => untilMs + limits.sessionKeepMs < nowMs)
    if (over.length > 0) await till.commit({ forget: over })
    box.sweep()
    sweep()
    return limits.timeSaveMs
  }
}

/** Everybody behind the counter, each given what it needs of the others. */
async function hire(
  options: ShopOptions,
  limits: SellLimits,
  monotonicMs: () => number,
  wake: () => void,
) {
  const { key, offer, note = () => {}, random = randomBytes } = options
  const { device } = key
  const store = telling(options.store, options.changed ?? (() => {}))
  await store.keepTerms(offer().streams.map(termsRow))
  const saved = await store.sales()
  const tariffs = new Map(saved.terms.map(tariffOf))
  const time = moneyTime(monotonicMs, saved.timeMs)
  const timeMs = time.nowMs
  const till = openTill({ device, store, cover: options.cover, random, timeMs, ...limits }, saved)
  const { drop, tell } = drops(note, monotonicMs)
  const send = (topic: string, payload: Uint8Array) =>
    options.publish(topic, payload).then(
      () => true,
      () => {
        note({ event: 'unsent', topic })
        return false
      },
    )
  const answers = openAnswers({ key, till, timeMs, random, send, note })
  const gateway = () => offer().gateway
  const operator = () => offer().operator
  const heard = notices({ device, gateway, till, time, answers, note, drop })
  const fetches = openFetches({ store, till, answers, timeMs, limits, wake })
  const ground = { till, answers, tariffs, timeMs, limits, note, drop }
  const everyMs = limits.soldEveryMs
  return {
    till,
    time,
    heard,
    drop,
    tell,
    sweep: answers.sweep,
    takeOrder: orders({ ...ground, key, offer, brief: heard.brief }),
    fetches,
    ...requests({ ...ground, store, fetches }),
    sold: soldBook({ device, operator, store, till, monotonicMs, drop, everyMs }),
  }
}

function countsOf(till: Till): ShopCounts {
  const accounts = till.allBooks().map(({ account }) => account)
  const sum = (name: 'promised' | 'delivered' | 'acknowledged') =>
    accounts.reduce((total, account) => total + account[name], 0n)
  return {
    sessions: till.allSessions().filter(({ ended }) => !ended).length,
    channels: accounts.length,
    promised: sum('promised'),
    delivered: sum('delivered'),
    acknowledged: sum('acknowledged'),
  }
}

/** The same store, which says when it was given something to send. */
function telling(store: SalesStore, changed: () => void): SalesStore {
  return {
    ...store,
    async saleCommit(...changes) {
      const done = await store.saleCommit(...changes)
      if (changes.some(({ retained }, i) => done[i] && retained.length > 0)) changed()
      return done
    },
    async setRetained(topic, payload) {
      await store.setRetained(topic, payload)
      changed()
    },
  }
}

function termsRow(terms: Terms): TermsRow {
  return { hash: hex(termsHash(terms)), json: text(jcs(terms)) }
}

function tariffOf({ hash, json }: TermsRow): [string, Tariff] {
  const { stream, price, epochMs } = JSON.parse(json) as Terms
  const { amount, perMs } = price
  return [hash, { stream, epochMs, price: { amount: BigInt(amount), perMs: BigInt(perMs) } }]
}
