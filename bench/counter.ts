/**
 * The counter of a device, by CPU of its process: what a bogus request costs that is refused or dropped,
 * and what the release of an epoch's keys costs for each of many buyers.
 *
 * The shop, its store (worker, fsync) and its keys are the product's own. The baseline of the same run is
 * one bare AES-256-GCM of such a request: less than that nobody can tell a session's own message by.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { gcmOpen, gcmSeal, randomBytes } from '#crypto'
import { encodeRequest } from '../runtime/wire/request.ts'
import { sealMessage } from '../runtime/wire/session.ts'
import { type Counter, type Customer, openCounter } from './customers.ts'
import type { Figure } from './figure.ts'

const bogus = 4_000
const buyers = 40
const releases = 15

export async function bench(): Promise<Figure[]> {
  const counter = await openCounter(buyers)
  try {
    return [...(await refusals(counter)), ...(await releasesOf(counter))]
  } finally {
    await counter.close()
  }
}

async function refusals(counter: Counter): Promise<Figure[]> {
  const [regular] = counter.customers as [Customer]
  const stranger = { ...regular.keys, id: randomBytes(16) }
  const forger = { ...regular.keys, ask: randomBytes(32) }
  const plain = encodeRequest({ kind: 'fetch', stream: 'air', from: 1, to: 0xffff })
  const seal = (keys: typeof forger, count: bigint) =>
    sealMessage('request', keys, count, plain, randomBytes)
  const garbage = Array.from({ length: bogus }, () => randomBytes(200))
  const unknown = Array.from({ length: bogus }, (_, i) => seal(stranger, BigInt(i)))
  const forged = Array.from({ length: bogus }, (_, i) => seal(forger, (1n << 40n) | BigInt(i)))
  const flood = Array.from({ length: bogus }, () => regular.seal(plain))
  const orders = Array.from({ length: bogus }, () => {
    const order = randomBytes(900)
    order[0] = 1
    return order
  })
  const bare = await perCall(bareGcm(plain.length))
  const cost = async (messages: readonly Uint8Array[]) =>
    perCall(messages.map((message) => () => counter.ask(message)))
  const goal = 'at most 100'
  const figure = (name: string, value: number, wanted = goal): Figure => ({
    name: `CPU of a bogus request: ${name}`,
    value: value * 1000,
    unit: 'µs',
    goal: wanted,
  })
  return [
    figure('noise', await cost(garbage)),
    figure('of a session that is not open', await cost(unknown)),
    figure('forged in a session that is open', await cost(forged)),
    figure("an order over the strangers' budget", await cost(orders)),
    figure("a buyer's own, over its budget", await cost(flood)),
    figure('baseline, one bare AES-256-GCM', bare, 'as measured'),
  ]
}

/** Every buyer has paid ahead; each new epoch makes the device release it to all of them. */
async function releasesOf(counter: Counter): Promise<Figure[]> {
  for (const customer of counter.customers) await customer.payAhead(releases + 1)
  await counter.seal()
  const cpu = process.cpuUsage()
  const from = performance.now()
  for (let i = 0; i < releases; i += 1) await counter.seal()
  const spent = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  const each = releases * counter.customers.length
  const name = `release of an epoch's keys to one of ${counter.customers.length} buyers`
  return [
    { name: `${name}, CPU`, value: (user + system) / 1000 / each, unit: 'ms', goal: 'at most 1' },
    { name: `${name}, elapsed`, value: spent / each, unit: 'ms', goal: 'as measured' },
  ]
}

/** CPU ms of this process a call, warmed up, and with the loop left to run in between. */
async function perCall(calls: readonly (() => unknown)[]): Promise<number> {
  const warm = calls.length >> 2
  for (const call of calls.slice(0, warm)) call()
  await sleep(20)
  const from = process.cpuUsage()
  for (const call of calls.slice(warm)) call()
  await sleep(20)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000 / (calls.length - warm)
}

function bareGcm(length: number): (() => unknown)[] {
  const key = randomBytes(32)
  const nonce = randomBytes(12)
  const sealed = gcmSeal(key, nonce, randomBytes(length), new Uint8Array(25))
  return Array.from({ length: bogus }, () => () => gcmOpen(key, nonce, sealed, new Uint8Array(25)))
}
