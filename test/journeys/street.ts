/**
 * A street for the journeys of its three people. The devices are the product's own composition in this
 * process, their sensors a table of numbered frames; operator and buyers are the commands, as processes;
 * the broker is real, one of five, and so is the chain where the machine can have one.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, randomBytes } from '#crypto'
import { canonical } from '../../contracts/artifacts.ts'
import { chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'
import { type Ends, openEnds } from '../../demo/ends.ts'
import { openSecret } from '../../runtime/disk/secret.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { type BrokerSettings, type Flavour, type StreetBroker, startBroker } from './brokers.ts'
import { chance } from './chance.ts'
import { type Gate, startGate } from './gate.ts'
import { type Loss, startLoss } from './loss.ts'
import { type Running, start } from './process.ts'
import { openStall, type Stall } from './stall.ts'

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
  readonly devices?: number
  /** Whether there is a chain, and tokens on it. */
  readonly money?: boolean
  /** What a device may be owed, in tokens. */
  readonly exposure?: string
  /** The pace of the sensors. */
  readonly sayEveryMs?: number
  /** More of a device's config. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** Why a journey with money is left out here; false where it is not. */
export const moneyless = chainAvailable() ? false : 'no anvil for this machine'

/** Tokens of the buyer, in the smallest unit; a second of a stream that costs costs a thousand. */
export const purse = 10_000_000n
export const epochMs = 400

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
  const wayside = (...args: readonly string[]) => {
    const one = start(end, args)
    processes.push(one)
    return one
  }
  const { broker, loss } = ground
  return {
    ...{ folder, broker, end, chain, chainGate, stalls, loss, people, wayside },
    url: broker.url,
    deafen: broker.deafen,
    async operate() {
      const operator = wayside('operate', '--config', config, '--json')
      await operator.says(({ event }) => event === 'ready')
      return operator
    },
    buy: (...flags) => wayside('buy', ...buyer, ...flags),
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

/** The devices get their keys, so that the broker knows whom it lets in. */
async function lineUp(end: Ends, folder: string, operator: Address, options: StreetOptions) {
  const { broker: flavour = 'aedes', keeps = false, devices: count = 1 } = options
  const devices: Address[] = []
  for (let i = 0; i < count; i += 1) {
    devices.push((await openDeviceKey(`${folder}/device${i}`)).device)
  }
  const broker = await startBroker(end, { flavour, folder, operator, devices, keeps })
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

type Ground = Pick<Street, 'folder' | 'chain' | 'people'> & {
  readonly options: StreetOptions
  readonly devices: readonly Address[]
  readonly broker: StreetBroker
}

const folderOf = ({ folder }: Ground, index: number) => `${folder}/device${index}`

/** One stream that costs, one that is free; the devices of a street differ in nothing but their key. */
async function deviceConfig(ground: Ground, index: number, device: Address) {
  const { chain, people, broker, options } = ground
  const { chainId, settlement, collector, token, tokenName, tokenVersion } = chain
  const sensor = { driver: 'plantower', options: { variant: 'pms5003t' } }
  return {
    folder: folderOf(ground, index),
    broker: await broker.line(device),
    operator: people.operator.address,
    gateway: people.gateway.address,
    receiver: people.receiver.address,
    rails: [{ chainId, settlement, collector, token, tokenName, tokenVersion, decimals: 6 }],
    withdrawDelayMin: '1d',
    sensors: [
      { ...sensor, name: 'air', port: '/dev/air', price: { amount: '3.6', per: '1h' } },
      { ...sensor, name: 'hall', port: '/dev/hall', price: 'free' },
    ],
    epoch: { age: `${epochMs}ms` },
    commit: { delay: '100ms' },
    sale: { exposure: options.exposure ?? '0.05' },
    clock: 'trusted',
    ...options.settings,
  }
}

/** JSON is YAML. */
async function operatorConfig({ folder, chain, people, broker, devices }: Ground): Promise<string> {
  const { chainId: id, settlement, collector, rpc, token, tokenName, tokenVersion } = chain
  return JSON.stringify({
    folder: join(folder, 'operator'),
    broker: await broker.line('desk'),
    keys: { operator: people.operator.file, gateway: people.gateway.file },
    receiver: people.receiver.address,
    chain: { rpcs: [rpc], id, settlement, collector, confirmations: 0 },
    tokens: [{ address: token, name: tokenName, version: tokenVersion }],
    devices,
    withdrawDelayMin: '1d',
    look: '200ms',
    ack: '1s',
  })
}

/** A device may name a chain that nobody runs: it never asks one. */
const noChain: DevChain = {
  rpc: 'http://127.0.0.1:9',
  chainId: 31_337,
  ...canonical,
  token: `0x${'d0'.repeat(20)}`,
  tokenName: 'None',
  tokenVersion: '1',
  mint: async () => {},
  fund: async () => {},
  balanceOf: async () => 0n,
  stop: async () => {},
}

/** Waits until it holds; a machine that is busy is given its time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 30_000,
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
