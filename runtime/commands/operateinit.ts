/** `wayside operate init`: makes an operator's keys and a first operate.yaml. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { addressOf, randomBytes } from '#crypto'
import { brokerUrl, configAddress } from '../config/quantity.ts'
import { openSecret } from '../disk/secret.ts'
import { atomicWrite } from '../disk/write.ts'
import { fault } from '../faults.ts'
import { endpoint } from '../operator/config.ts'
import { eachTakenBy, takenBy } from './flagvalue.ts'

const data = './operate-data'
const address = takenBy(configAddress)
const chainId = z
  .string()
  .regex(/^[1-9][0-9]{0,15}$/, 'not the id of a chain; write its number, as 8453')

export function addOperateInit(operate: Command): void {
  operate
    .command('init')
    .argument('[file]', 'where to write', 'operate.yaml')
    .description('make keys and write a first config')
    .option(
      '--folder <path>',
      'where keys and books will live, from the folder of the config',
      data,
    )
    .option('--broker <url>', 'the MQTT broker', takenBy(brokerUrl), 'mqtt://127.0.0.1:1883')
    .option('--rpc <url...>', 'JSON-RPC endpoints of the chain', eachTakenBy(endpoint))
    .option('--chain <id>', 'id of the chain', takenBy(chainId), '8453')
    .option('--token <address>', 'the token that buyers pay in', address, unknown)
    .option('--receiver <address>', 'where the money goes', address)
    .option('--force', 'write over a file that is there; keys are kept')
    .addHelpText('after', examples)
    .action(init)
}

type InitOptions = {
  readonly folder: string
  readonly broker: string
  readonly rpc?: readonly string[]
  readonly chain: string
  readonly token: string
  readonly receiver?: string
  readonly force?: boolean
}

async function init(file: string, options: InitOptions): Promise<void> {
  if (existsSync(file) && !options.force) throw fault('CONFIG_EXISTS', { path: file })
  const key = async (name: string) =>
    addressOf(await openSecret(resolve(dirname(file), options.folder, name), randomBytes))
  const operator = await key('operator.key')
  const gateway = await key('gateway.key')
  await atomicWrite(file, render({ ...options, receiver: options.receiver ?? operator }))
  const folder = resolve(dirname(file), options.folder)
  console.error(`wrote ${file}; the keys are in ${folder}: back them up.`)
  console.error('Every device of the fleet names these in its wayside.yaml:')
  console.log(`operator: "${operator}"\ngateway: "${gateway}"`)
  console.error(
    `which is what \`wayside init --operator ${operator} --gateway ${gateway}\` writes.`,
  )
  console.error(`Give ${gateway} a little coin for gas. What is left to fill in:`)
  console.error(`  wayside config check ${file}\nThen:\n  wayside operate -c ${file}`)
}

/** The config as a person would write it, comments and all. */
export function render(options: InitOptions): string {
  const { folder, broker, rpc = ['https://…', 'https://…'], chain, token, receiver } = options
  const key = (name: string) => JSON.stringify(join(folder, name))
  return `# The fleet's desk. docs/operating.md explains every setting; after a change: \`wayside config check\` with this
# file. Paths begin at its folder.
folder: ${JSON.stringify(folder)}
broker:
  url: ${JSON.stringify(broker)}
keys:
  operator: ${key('operator.key')}
  gateway: ${key('gateway.key')}
receiver: "${receiver}"
chain:
  # Two endpoints of different owners: they must agree before anything is granted.
  rpcs: ${JSON.stringify(rpc)}
  id: ${chain}
  settlement: "${canonical.settlement}"
  collector: "${canonical.collector}"
  permit2Collector: "${canonical.permit2Collector}"
  confirmations: 3
tokens:
  # name and version are those of the token's own EIP-712 domain.
  - { address: "${token}", name: USD Coin, version: "2", decimals: 6, perCoin: 3000 }
# Your devices, by their addresses (wayside run prints it). One alone is claimed by its line here.
devices: []
settle:
  schedule: "0 3 * * *"
  gasShare: 0.05
# How the desk stands: /health and /metrics.
watch: { port: 9465 }
`
}

/** Where x402 has its contracts on public chains. */
const canonical = {
  settlement: '0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003',
  collector: '0x4020806089470a89826cB9fB1f4059150b550004',
  permit2Collector: '0x4020425FAf3B746C082C2f942b4E5159887B0005',
}
const unknown = `0x${'0'.repeat(40)}`

const examples = `
Examples:
  wayside operate init
  wayside operate init --broker mqtts://broker.example:8883 --rpc https://a.example https://b.example \\
    --chain 8453 --token 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913

Keys that are in the folder already are kept.
Exit code: 0 written, 2 when the file is there already or cannot be written.`
