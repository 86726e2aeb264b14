/** `wayside init`: writes a first wayside.yaml from the ports that it finds. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { fault } from '../faults.ts'
import type { FoundPort } from '../sense/find.ts'

type InitOptions = {
  readonly broker: string
  readonly operator?: string
  readonly folder: string
  readonly force?: boolean
  readonly probe: boolean
}

export function initCommand(program: Command): void {
  program
    .command('init')
    .argument('[file]', 'where to write', 'wayside.yaml')
    .description('look at the serial ports, listen for known sensors and write a first config')
    .option('--broker <url>', 'the MQTT broker', 'mqtt://127.0.0.1:1883')
    .option('--operator <address>', 'your address: who enrols and owns this device')
    .option('--folder <path>', 'where keys and readings will live', './wayside-data')
    .option('--no-probe', 'list the ports without listening on them')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', examples)
    .action(init)
}

async function init(file: string, options: InitOptions): Promise<void> {
  if (existsSync(file) && !options.force) throw fault('CONFIG_EXISTS', { path: file })
  const { findPorts } = await import('../sense/find.ts')
  const { openPort } = await import('../sense/port.ts')
  const { drivers } = await import('../../drivers/index.ts')
  const { atomicWrite } = await import('../disk/write.ts')
  console.error(options.probe ? 'listening on the serial ports …' : 'looking at the serial ports …')
  const found = await findPorts({ drivers: options.probe ? drivers : [], open: openPort })
  for (const port of found) console.error(`  ${port.path}: ${port.driver ?? 'nothing known'}`)
  if (found.length === 0) console.error('  no serial port; the config has an example to fill in')
  await atomicWrite(file, render(found, options))
  console.error(`wrote ${file}. Next:\n  wayside config check ${file}\n  wayside run ${file}`)
}

/** The config as a person would write it, comments and all. */
export function render(found: readonly FoundPort[], options: InitOptions): string {
  const owner = options.operator ?? `0x${'0'.repeat(40)}`
  const known = found.filter(({ driver }) => driver !== undefined)
  const silent = found.filter(({ driver }) => driver === undefined)
  const sensors = known.map(({ path, driver }, i) => sensorText(`sensor${i + 1}`, driver, path))
  if (known.length === 0) sensors.push(sensorText('air', 'plantower', '/dev/ttyUSB0'))
  return `# Wayside device. Every setting: wayside config schema. After a change: wayside config check
folder: ${JSON.stringify(options.folder)}
broker:
  url: ${JSON.stringify(options.broker)}
# Whose device this is, who signs its grants, and where money goes. One address will do to begin with.
operator: "${owner}"
gateway: "${owner}"
receiver: "${owner}"
sensors:
${sensors.join('')}${silent.map(({ path }) => `  # nothing known speaks on ${path}\n`).join('')}
# To sell instead of giving away: add a rail, and a price to each sensor.
# rails:
#   - { chainId: 8453, settlement: "0x…", collector: "0x…", token: "0x…",
#       tokenName: "USD Coin", tokenVersion: "2", decimals: 6 }
`
}

function sensorText(name: string, driver: string | undefined, path: string): string {
  return `  - name: ${name}
    driver: ${driver}
    port: ${JSON.stringify(path)}
    price: free
`
}

const examples = `
Examples:
  wayside init
  wayside init --operator 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --broker mqtts://broker.example:8883
  wayside init --no-probe bench.yaml`
