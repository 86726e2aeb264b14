/**
 * The demo's world on disk: one temporary folder with the keys of three people and the two configs, as an
 * operator and a buyer would have them. Nothing in it outlives the demo.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { addressOf, randomBytes } from '#crypto'
import { openSecret } from '../runtime/disk/secret.ts'
import { atomicWrite } from '../runtime/disk/write.ts'
import { openDeviceKey } from '../runtime/sign/key.ts'
import type { Address } from '../runtime/wire/address.ts'
import type { DevChain } from './chain.ts'

export type World = {
  readonly folder: string
  readonly device: Address
  readonly operator: Address
  readonly gateway: Address
  readonly receiver: Address
  readonly buyer: Address
  readonly files: {
    readonly device: string
    readonly operate: string
    readonly buyerKey: string
    readonly deviceFolder: string
    readonly buyerFolder: string
  }
}

export type WorldParts = {
  readonly folder: string
  readonly chain: Omit<DevChain, 'mint' | 'fund' | 'balanceOf' | 'stop'>
  readonly broker: string
  /** Sensor name → serial path. */
  readonly ports: Readonly<Record<string, string>>
}

/** The stream that a model makes. */
export const modelStream = 'verdict'

/** Prices of the demo, as the config writes them: whole tokens for a length of time. */
export const prices = {
  air: { amount: '0.36', per: '1h' },
  hall: { amount: '0.18', per: '1h' },
  [modelStream]: { amount: '0.72', per: '1h' },
} as const

/** Of the token that everything is paid in. */
export const decimals = 6

export async function makeWorld({ folder, chain, broker, ports }: WorldParts): Promise<World> {
  const [deviceFolder, operatorFolder, buyerFolder] = ['device', 'operator', 'buyer'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  for (const path of [deviceFolder, operatorFolder, buyerFolder]) await mkdir(path)
  const person = async (name: string) => {
    const path = join(folder, `${name}.key`)
    return { path, address: addressOf(await openSecret(path, randomBytes)) }
  }
  const operator = await person('operator')
  const gateway = await person('gateway')
  const receiver = await person('receiver')
  const buyer = await person('buyer')
  const { device } = await openDeviceKey(deviceFolder)
  const files = {
    device: join(folder, 'wayside.yaml'),
    operate: join(folder, 'operate.yaml'),
    buyerKey: buyer.path,
    deviceFolder,
    buyerFolder,
  }
  const who = {
    operator: operator.address,
    gateway: gateway.address,
    receiver: receiver.address,
  }
  await atomicWrite(files.device, deviceConfig({ who, chain, broker, ports, folder: deviceFolder }))
  const keys = { operator: operator.path, gateway: gateway.path }
  const desk = { who, chain, broker, keys, device, folder: operatorFolder }
  await atomicWrite(files.operate, operatorConfig(desk))
  return { folder, device, ...who, buyer: buyer.address, files }
}

type Who = { readonly operator: Address; readonly gateway: Address; readonly receiver: Address }

function deviceConfig(parts: {
  readonly who: Who
  readonly chain: WorldParts['chain']
  readonly broker: string
  readonly ports: WorldParts['ports']
  readonly folder: string
}): string {
  const { who, chain, broker, ports, folder } = parts
  const config = {
    folder,
    broker: { url: broker },
    ...who,
    rails: [
      {
        chainId: chain.chainId,
        settlement: chain.settlement,
        collector: chain.collector,
        token: chain.token,
        tokenName: chain.tokenName,
        tokenVersion: chain.tokenVersion,
        decimals,
      },
    ],
    withdrawDelayMin: '1d',
    sensors: [
      sensor('air', ports.air, prices.air, 'Air at the junction'),
      sensor('hall', ports.hall, prices.hall, 'Air in the hall, one reading an epoch'),
      { name: 'position', driver: 'nmea0183', port: ports.position, price: 'free' },
      {
        name: 'meter',
        driver: 'sdm630',
        port: ports.meter,
        options: { every: '1s' },
        price: 'free',
      },
    ],
    models: [
      {
        name: modelStream,
        model: 'anomaly',
        input: { stream: 'air', field: 'pm2_5' },
        price: prices[modelStream],
      },
    ],
    epoch: { age: '2500ms' },
    commit: { delay: '1s' },
    clock: 'trusted',
    watch: { port: 0, log: 'debug' },
  }
  // JSON is YAML; a person would write it with less punctuation (docs/wayside.yaml).
  return `${JSON.stringify(config, null, 2)}\n`
}

function sensor(name: string, port: string | undefined, price: object, title: string) {
  const options = { variant: 'pms5003t' }
  return { name, driver: 'plantower', port, options, title, price }
}

function operatorConfig(parts: {
  readonly who: Who
  readonly chain: WorldParts['chain']
  readonly broker: string
  readonly keys: { readonly operator: string; readonly gateway: string }
  readonly device: Address
  readonly folder: string
}): string {
  const { who, chain, broker, keys, device, folder } = parts
  const config = {
    folder,
    broker: { url: broker },
    keys,
    receiver: who.receiver,
    chain: {
      rpcs: [chain.rpc],
      id: chain.chainId,
      settlement: chain.settlement,
      collector: chain.collector,
      confirmations: 0,
    },
    tokens: [{ address: chain.token, name: chain.tokenName, version: chain.tokenVersion }],
    devices: [device],
    withdrawDelayMin: '1d',
    look: '500ms',
    ack: '5s',
    watch: { port: 0 },
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
