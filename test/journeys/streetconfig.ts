/** What stands in the configs of a street: JSON, which is YAML. */
import { join } from 'node:path'
import { canonical } from '../../contracts/artifacts.ts'
import type { DevChain } from '../../demo/chain.ts'
import type { Address } from '../../runtime/wire/address.ts'
import type { StreetBroker } from './brokers.ts'
import type { Street, StreetOptions } from './street.ts'

/** How long an epoch of a device is, unless its settings say otherwise. */
export const epochMs = 400

/** What both configs are made of. */
export type Ground = Pick<Street, 'folder' | 'chain' | 'people'> & {
  readonly options: StreetOptions
  readonly devices: readonly Address[]
  readonly broker: StreetBroker
}

/** Where a device of the street lives. */
export const folderOf = ({ folder }: { readonly folder: string }, index: number) =>
  `${folder}/device${index}`

/** One stream that costs, one that is free; the devices of a street differ in nothing but their key. */
export async function deviceConfig(ground: Ground, index: number, device: Address) {
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

/** The config of the desk, as it stands in its file. */
export async function operatorConfig({
  folder,
  chain,
  people,
  broker,
  devices,
}: Ground): Promise<string> {
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
    watch: { port: 0 },
  })
}

/** A device may name a chain that nobody runs: it never asks one. */
export const noChain: DevChain = {
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
