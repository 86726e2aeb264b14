/** `wayside init`: writes a first wayside.yaml from the ports that it finds. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { drivers as ours } from '../../drivers/index.ts'
import { driversOf } from '../config/driverlist.ts'
import { brokerUrl, configAddress } from '../config/quantity.ts'
import { atomicWrite } from '../disk/write.ts'
import { fault } from '../faults.ts'
import { chooseDriver } from '../sense/choose.ts'
import type { Driver } from '../sense/driver.ts'
import type { FoundPort } from '../sense/find.ts'
import { addWithFlag, type WithFlag } from './driverflags.ts'
import { takenBy } from './flagvalue.ts'

export type InitOptions = WithFlag & {
  readonly broker: string
  readonly operator?: string
  readonly gateway?: string
  readonly port?: readonly string[]
  readonly folder: string
  readonly force?: boolean
  readonly probe: boolean
}

const dataFolder = './wayside-data'
const address = takenBy(configAddress)
const ports = (path: string, before: readonly string[] = []) => [...before, path]

export function initCommand(program: Command): void {
  const command = program
    .command('init')
    .argument('[file]', 'where to write', 'wayside.yaml')
    .description('look at the serial ports, listen for known sensors and write a first config')
    .option('--broker <url>', 'the MQTT broker', takenBy(brokerUrl), 'mqtt://127.0.0.1:1883')
    .option('--operator <address>', 'your address: who enrols and owns this device', address)
    .option('--gateway <address>', "your desk's key; left out, the operator's", address)
    .option(
      '--folder <path>',
      'where keys and readings will live, from the folder of the config',
      dataFolder,
    )
    .option('--port <path>', 'this port instead of all that there are; may be repeated', ports)
    .option('--no-probe', 'list the ports without listening on them')
    .option('--force', 'write over a file that is there')
  addWithFlag(command).addHelpText('after', examples).action(init)
}

async function init(file: string, options: InitOptions): Promise<void> {
  if (existsSync(file) && !options.force) throw fault('CONFIG_EXISTS', { path: file })
  const { findOn, namedPorts, portAt } = await import('../sense/find.ts')
  const { openPort } = await import('../sense/port.ts')
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  console.error(options.probe ? 'listening on the serial ports …' : 'looking at the serial ports …')
  const drivers = driversOf(options.with ?? [], dirname(file))
  const progress = (path: string, words: string) => console.error(`  ${path}: ${words}`)
  const search = {
    ...{ drivers, open: openPort, progress, signal: stop.signal },
    asks: 'private',
  } as const
  const named = await (options.port === undefined
    ? namedPorts()
    : Promise.all(options.port.map((path) => portAt(path))))
  const found: FoundPort[] = options.probe
    ? await Promise.all(named.map((port) => findOn(port, search)))
    : named
  process.off('SIGINT', interrupt)
  if (stop.signal.aborted) {
    console.error('stopped: nothing is written')
    process.exitCode = 130
    return
  }
  for (const port of found) console.error(`  ${port.path}: ${heardOn(port, options)}`)
  if (found.length === 0) console.error('  none found; the config has an example to fill in')
  await atomicWrite(file, render(found, options, drivers))
  console.error(`wrote ${file}`)
  if (options.operator === undefined)
    console.error('  put your addresses in it: `wayside operate init` makes and names them')
  console.error(`next:\n  wayside config check ${file}\n  wayside run ${file}`)
}

/** The config as a person would write it, comments and all. */
export function render(
  found: readonly FoundPort[],
  options: InitOptions,
  drivers: readonly Driver[] = ours,
): string {
  const owner = options.operator ?? `0x${'0'.repeat(40)}`
  const gateway = options.gateway ?? owner
  const known = found.filter(({ driver }) => driver !== undefined)
  const silent = found.filter(({ driver }) => driver === undefined)
  const packages = options.with ?? []
  const sensors = known.map((port, i) => sensorText(port, nameOf(known, i), drivers))
  if (known.length === 0) sensors.push(sensorText(example, 'air'))
  return `# A Wayside device. Every setting with its default: docs/wayside.yaml, or \`wayside config schema\`.
# After a change: \`wayside config check\`.
folder: ${JSON.stringify(options.folder)}
${packages.length === 0 ? '' : `drivers: ${JSON.stringify(packages)}\n`}broker:
  url: ${JSON.stringify(options.broker)}

# Whose device this is, and where money goes: one address will do to begin with.
operator: "${owner}"
receiver: "${owner}"
# Who signs its grants and acks: the other address that \`wayside operate init\` named.
gateway: "${gateway}"

# Free streams go out in the clear. To sell one sealed, say what it costs, as in
#     price: { amount: 0.01, per: 1h }
# and on which rails you are paid: a token on a chain, and the contracts that hold buyers' deposits there.
# \`wayside operate\` watches the same contracts and collects.
# rails:
#   - chainId: 8453
#     settlement: "0x…"
#     collector: "0x…"
#     token: "0x…"
#     tokenName: USD Coin
#     tokenVersion: "2"
#     decimals: 6

# One entry a sensor; its name is the name of its stream. \`wayside drivers\` lists what can be read, and
# \`wayside sniff PORT >> FILE\` adds one here.
sensors:
${sensors.join('')}${silent.map(({ path }) => `  # nothing known speaks on ${path}\n`).join('')}`
}

const example = { driver: 'plantower', path: '/dev/ttyUSB0' }

/** One sensor of a config, as a person would write it. */
export function sensorText(
  port: Pick<FoundPort, 'driver' | 'path' | 'baudRate' | 'parity' | 'options'>,
  name: string,
  drivers: readonly Driver[] = ours,
): string {
  const { driver, path, baudRate, parity, options } = port
  const own =
    driver === undefined ? undefined : chooseDriver(drivers, driver, options).driver.serial
  const differs = { baudRate: own?.baudRate, parity: own?.parity ?? 'none' }
  const line = Object.entries({ baudRate, parity }).flatMap(([setting, value]) =>
    value === undefined || value === differs[setting as keyof typeof differs]
      ? []
      : [`    ${setting}: ${value}\n`],
  )
  return `  - name: ${name}
    driver: ${driver}
    port: ${JSON.stringify(path)}
${line.join('')}${options === undefined ? '' : `    options: ${flow(options)}\n`}    price: free
`
}

/** As YAML in one line. */
function flow(options: NonNullable<FoundPort['options']>): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return `{ ${pairs.join(', ')} }`
}

/** A stream is named after its driver; the second of a kind is numbered. */
export function nameOf(known: readonly FoundPort[], at: number): string {
  const [driver = ''] = known[at]?.driver?.split('.') ?? []
  const before = known.slice(0, at).filter((port) => port.driver?.split('.')[0] === driver).length
  return before === 0 ? driver : `${driver}-${before + 1}`
}

function heardOn({ driver, baudRate, trouble }: FoundPort, { probe }: InitOptions): string {
  if (driver !== undefined) return `${driver} at ${baudRate} baud`
  return trouble ?? (probe ? 'nothing known' : 'not listened to')
}

const examples = `
Examples:
  wayside init
  wayside init --operator 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --broker mqtts://broker.example:8883
  wayside init --port /dev/ttyAMA0 --port /dev/ttyUSB0
  wayside init --no-probe bench.yaml

Listening takes up to half a minute, on all ports at once, and asks only what changes nothing.
Exit code: 0 written, 2 when the file is there already or cannot be written, 130 at Ctrl-C.`
