/**
 * A street for the journeys of its three people. The devices are the product's own composition in this
 * process, their sensors a table of numbered frames; operator and buyers are the commands, as processes;
 * the broker is real, one of five, and so is the chain where the machine can have one.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, randomBytes } from '#crypto'
import { chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'
import { type Ends, openEnds } from '../../demo/ends.ts'
import { openSecret } from '../../runtime/disk/secret.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { onSmallDisk, type SmallDisk } from '../disk/smalldisk.ts'
import { type BrokerSettings, type Flavour, type StreetBroker, startBroker } from './brokers.ts'
import { chance } from './chance.ts'
import { type Gate, startGate } from './gate.ts'
import { type Loss, startLoss } from './loss.ts'
import { type Running, start } from './process.ts'
import { openStall, type Stall } from './stall.ts'
import {
  deviceConfig,
  epochMs,
  folderOf,
  type Ground,
  noChain,
  operatorConfig,
} from './streetconfig.ts'

export type Street = {
  readonly folder: string
  readonly broker: StreetBroker
  /** The broker's, for whoever needs no more than that. */
  readonly url: string
  readonly end: Ends
  /** Absent on a street without money. */
  readonly chain: DevChain
  /** Leads to the chain; everybody's endpoint. */
  readonly chainGate: Gate
  readonly stalls: readonly Stall[]
  /** The bad line, on a street that has one. */
  readonly loss: Loss | undefined
  /** The first device's own disk, on a street where it has one. */
  readonly disk: SmallDisk | undefined
  /** Whoever has a key, by its file. */
  readonly people: Readonly<Record<Person, { readonly address: Address; readonly file: string }>>
  /** From now on no grant, ack or enrolment reaches that device, or they do again. */
  deafen(device: Address, deaf: boolean): void
  /** Starts `wayside operate`; resolves when it is ready. */
  operate(): Promise<Running>
  /** Starts `wayside buy` with the buyer's key, its books and more flags. */
  buy(...flags: readonly string[]): Running
  /** Starts any other command. */
  wayside(...args: readonly string[]): Running
  /** The same in another environment. */
  buyAt(env: NodeJS.ProcessEnv, ...flags: readonly string[]): Running
  waysideAt(env: NodeJS.ProcessEnv, ...args: readonly string[]): Running
  /** Every word that its processes and devices have said. */
  words(): string
}

type Person = 'operator' | 'gateway' | 'receiver' | 'buyer' | 'stranger'

export type StreetOptions = {
  readonly broker?: Flavour
  /** The broker's retained messages and sessions outlive its end; not with aedes. */
  readonly keeps?: boolean
  /** Between the broker and everybody lies a bad line; LOSS_SEED makes it bad in the same way again. */
  readonly loss?: boolean
  /** The broker is as narrow as the large services and careful owners make one. */
  readonly narrow?: boolean
  readonly devices?: number
  /** Whether there is a chain, and tokens on it. */
  readonly money?: boolean
  /** What a device may be owed, in tokens. */
  readonly exposure?: string
  /** The pace of the sensors. */
  readonly sayEveryMs?: number
  /** More of a device's config. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Bytes of the disk that the first device has for itself; else it shares ours. */
  readonly diskBytes?: number
}

/** Why a journey with money is left out here; false where it is not. */
export const moneyless = chainAvailable() ? false : 'no anvil for this machine'

/** Tokens of the buyer, in the smallest unit; a second of a stream that costs costs a thousand. */
export const purse = 10_000_000n
export { epochMs }

/** Opens it; everything of it ends with the test, however that ends. */
export async function openStreet(
  t: { after(fn: () => Promise<void>): void },
  options: StreetOptions = {},
): Promise<Street> {
  const { money = true } = options
  const end = openEnds()
  t.after(() => end.run())
  const folder = await mkdtemp(join(tmpdir(), 'wayside-street-'))
  end.add(() => rm(folder, { recursive: true, force: true }))
  const { chain, chainGate } = await openChain(end, money)
  const people = await castOf(folder)
  const disk = options.diskBytes === undefined ? undefined : await openDisk(end, options.diskBytes)
  if (disk !== undefined) await symlink(disk.folder, folderOf({ folder }, 0))
  const ground = {
    folder,
    chain,
    people,
    options,
    ...(await lineUp(end, folder, people.operator.address, options)),
  }
  const stalls: Stall[] = []
  for (const [i, device] of ground.devices.entries()) {
    const settings = await deviceConfig(ground, i, device)
    const stall = await openStall(folderOf(ground, i), settings, options)
    end.add(stall.stop)
    stalls.push(stall)
  }
  if (money) {
    await chain.mint(people.buyer.address, purse)
    for (const name of ['buyer', 'gateway'] as const) {
      await chain.fund(people[name].address, 10n ** 18n)
    }
  }
  const config = join(folder, 'operate.yaml')
  await atomicWrite(config, await operatorConfig(ground))
  const buyer = await buyerFlags(ground)
  const processes: Running[] = []
  const waysideAt = (env: NodeJS.ProcessEnv, ...args: readonly string[]) => {
    const one = start(end, args, env)
    processes.push(one)
    return one
  }
  const wayside = (...args: readonly string[]) => waysideAt({}, ...args)
  const { broker, loss } = ground
  return {
    ...{ folder, broker, end, chain, chainGate, stalls, loss, disk, people },
    ...{ wayside, waysideAt },
    url: broker.url,
    deafen: broker.deafen,
    async operate() {
      const operator = wayside('operate', '--config', config, '--json')
      await operator.says(({ event }) => event === 'ready')
      return operator
    },
    buy: (...flags) => wayside('buy', ...buyer, ...flags),
    buyAt: (env, ...flags) => waysideAt(env, 'buy', ...buyer, ...flags),
    words: () => [...processes, ...stalls].map((one) => one.all()).join('\n\n'),
  }
}

/** The chain, behind a gate. Without money the gate leads nowhere. */
async function openChain(end: Ends, money: boolean) {
  const chain = money ? await startChain() : noChain
  end.add(chain.stop)
  const chainGate = await startGate(chain.rpc)
  end.add(chainGate.stop)
  return { chain: { ...chain, rpc: chainGate.url.replace('mqtt:', 'http:') }, chainGate }
}

/** A disk that ends with the street. */
async function openDisk(end: Ends, bytes: number): Promise<SmallDisk> {
  const opened = Promise.withResolvers<SmallDisk>()
  const over = Promise.withResolvers<void>()
  const used = onSmallDisk(bytes, (disk) => {
    opened.resolve(disk)
    return over.promise
  })
  used.catch(opened.reject)
  end.add(async () => {
    over.resolve()
    await used
  })
  return opened.promise
}

/** The devices get their keys, so that the broker knows whom it lets in. */
async function lineUp(end: Ends, folder: string, operator: Address, options: StreetOptions) {
  const { broker: flavour = 'aedes', keeps = false, narrow = false, devices: count = 1 } = options
  const devices: Address[] = []
  for (let i = 0; i < count; i += 1) {
    devices.push((await openDeviceKey(folderOf({ folder }, i))).device)
  }
  const broker = await startBroker(end, { flavour, folder, operator, devices, keeps, narrow })
  const dice = chance(process.env.LOSS_SEED)
  const loss = options.loss ? await startLoss(broker.url, dice) : undefined
  if (loss !== undefined) end.add(loss.stop)
  const url = loss?.url ?? broker.url
  const line: StreetBroker['line'] = async (who) => ({ ...(await broker.line(who)), url })
  return { devices, loss, broker: { ...broker, url, line } }
}

/** What the buyer's flags are when the test names no others: its line, its key, and its books. */
async function buyerFlags({ folder, people, broker }: Ground): Promise<string[]> {
  const flags = flagsOf(await broker.line('buyer'))
  return [...flags, '--key', people.buyer.file, '--folder', join(folder, 'books')]
}

/** A line as `wayside buy` takes it. */
export function flagsOf({ url, caFile, certFile, keyFile, version }: BrokerSettings): string[] {
  const files = { '--ca': caFile, '--cert': certFile, '--cert-key': keyFile, '--mqtt': version }
  const named = Object.entries(files).flatMap(([flag, file]) =>
    file === undefined ? [] : [flag, file],
  )
  return ['--broker', url, ...named]
}

async function castOf(folder: string): Promise<Street['people']> {
  const person = async (name: Person) => {
    const file = join(folder, `${name}.key`)
    return { file, address: addressOf(await openSecret(file, randomBytes)) }
  }
  return {
    operator: await person('operator'),
    gateway: await person('gateway'),
    receiver: await person('receiver'),
    buyer: await person('buyer'),
    stranger: await person('stranger'),
  }
}

/** Waits until it holds; a machine that is busy is given its time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`it never came to be: ${what}`)
    await sleep(20)
  }
}

/**
 * Ends the operator in order and holds the books of all three against each other and the chain, to the
 * unit: what the buyer promised is what the devices were promised and the gateway acknowledged, and what
 * was settled. `json` is the buyer's last summary. Price is what its headers make of it.
 */
export async function agreed(street: Street, operator: Running, json: string) {
  const { money } = JSON.parse(await readFile(json, 'utf8')) as { money: Record<string, string> }
  const promised = BigInt(money.promisedTotal ?? '')
  const sales = async () => Promise.all(street.stalls.map((stall) => stall.sale()))
  const sum = async (of: 'promised' | 'delivered' | 'acknowledged') =>
    (await sales()).reduce((all, sale) => all + sale[of], 0n)
  await until(async () => (await sum('acknowledged')) === promised, 'everything is acknowledged')
  assert.equal(await sum('promised'), promised)
  const delivered = await sum('delivered')
  operator.signal('SIGTERM')
  assert.equal(await operator.ended, 0, operator.words())
  const { chain, people } = street
  assert.equal(await chain.balanceOf(people.receiver.address), promised)
  const left = await chain.balanceOf(people.buyer.address)
  const held = await chain.balanceOf(chain.settlement)
  assert.equal(left + held + promised, purse)
  return { promised, delivered }
}
