/** `wayside sniff`: which sensor is on a serial port, how sure that is, and the lines for the config. */
import type { Command } from 'commander'
import { type DriverList, driverList } from '../config/driverlist.ts'
import { fault } from '../faults.ts'
import { type FoundPort, findOn, namedPorts, portAt } from '../sense/find.ts'
import { openPort } from '../sense/port.ts'
import { addWithFlag, type WithFlag } from './driverflags.ts'
import { nameOf, sensorText } from './init.ts'

export function sniffCommand(program: Command): void {
  const command = program
    .command('sniff')
    .description(
      'listen on a serial port and say which sensor it is; every port when none is named',
    )
    .argument('[port]', 'serial port; `wayside ports` lists them')
    .option('--ask', 'send requests that change nothing, for sensors that only speak when asked')
    .option('--json', 'for programs')
  addWithFlag(command).addHelpText('after', examples).action(sniff)
}

const examples = `
Examples:
  wayside sniff /dev/ttyUSB0
  wayside sniff --ask /dev/ttyUSB0 >> wayside.yaml
  wayside sniff --with wayside-soil /dev/ttyUSB0

Nothing is sent without --ask. With it every device on the line hears what its own protocol would say, and
those of other makers hear it too: leave it out where something is controlled over the line.
Exit code: 0 when a sensor was found, 1 when none was, 2 when the port cannot be opened, 130 at Ctrl-C.`

type Given = WithFlag & { readonly ask?: true; readonly json?: true }

async function sniff(path: string | undefined, given: Given): Promise<void> {
  const known = driverList(given.with ?? [])
  const { drivers } = known
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  const asks = given.ask ? 'all' : 'none'
  const search = { drivers, open: openPort, asks, signal: stop.signal, progress: tell } as const
  const named = path === undefined ? await namedPorts() : [await portAt(path)]
  const rows = await Promise.all(named.map((port) => findOn(port, search)))
  process.off('SIGINT', interrupt)
  const found = rows.filter(({ driver }) => driver !== undefined)
  const [only] = rows
  if (path !== undefined && only?.unopened) {
    const why = [only.trouble ?? '', ...only.remarks.slice(0, 1)].join('; ')
    throw fault('PORT_UNREADABLE', { path, why })
  }
  const entry = (row: FoundPort, i: number, all: readonly FoundPort[]) =>
    sensorText(row, nameOf(all, i), drivers)
  if (given.json) {
    const described = rows.map((row, i) =>
      row.driver === undefined ? row : { ...row, config: entry(row, i, rows) },
    )
    process.stdout.write(`${JSON.stringify(described, null, 2)}\n`)
  } else {
    for (const [i, row] of found.entries()) {
      process.stdout.write(`${remarksOn(row, known)}${entry(row, i, found)}`)
    }
  }
  for (const row of rows) {
    if (row.driver === undefined) for (const remark of row.remarks) tell(row.path, remark)
    tell(row.path, verdict(row, given))
  }
  if (rows.length === 0) process.stderr.write('no serial ports found\n')
  process.exitCode = found.length > 0 ? 0 : stop.signal.aborted ? 130 : 1
}

function verdict(row: FoundPort, given: Given): string {
  const { driver, sure, baudRate, frames, share = 0, trouble, options } = row
  const hint = given.ask ? '' : '; --ask asks sensors that only speak when asked'
  if (driver === undefined) return `${trouble}${hint}`
  const part = `${frames} intact frames, ${Math.round(100 * share)} % of the bytes`
  const asked = options === undefined ? '' : ', when it was asked'
  return `${driver} at ${baudRate} baud${asked}, ${sure}: ${part}${trouble ? `; ${trouble}` : ''}`
}

/** What a person should know before it stands above the entry of the config. */
function remarksOn(row: FoundPort, known: DriverList): string {
  const { driver = '', remarks, sure, trouble } = row
  const from = known.packageOf(driver.split('.')[0] ?? '')
  const all = [
    ...(from === undefined ? [] : [`at the top of the file: drivers: ${JSON.stringify([from])}`]),
    ...remarks,
    ...(sure === 'certain' ? [] : [`${sure} this driver`]),
    ...(trouble === undefined ? [] : [`no values yet: ${trouble}`]),
  ]
  return all.map((remark) => `  # ${remark.replace(/\p{C}/gu, '?')}\n`).join('')
}

function tell(path: string, words: string): void {
  process.stderr.write(`${path}: ${words}\n`)
}
