/** `wayside ports`: the serial ports, the name to write into the config, and what speaks there. */
import { Command } from 'commander'
import { drivers } from '../../drivers/index.ts'
import { findPorts, fingerprint, type NamedPort } from '../sense/find.ts'
import { openPort } from '../sense/port.ts'

export function portsCommand(program: Command): void {
  program.addCommand(
    new Command('ports')
      .description('list the serial ports and the names that hold when cables move')
      .option('--find', 'listen on each port and tell which driver understands it')
      .option('--json', 'for programs')
      .addHelpText('after', '\nExamples:\n  wayside ports\n  wayside ports --find\n')
      .action(show),
  )
}

type Row = NamedPort & {
  readonly driver?: string
  readonly baudRate?: number
  readonly trouble?: string
}

/** Long enough for two frames of a sensor that speaks once a second. */
const listenMs = 2_500

async function show(given: { readonly find?: true; readonly json?: true }): Promise<void> {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  const ports = await findPorts()
  const rows = given.find ? await Promise.all(ports.map((port) => heard(port, stop.signal))) : ports
  process.off('SIGINT', interrupt)
  if (given.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) process.stderr.write('no serial ports found\n')
  else process.stdout.write(rows.map(words).join(''))
  process.exitCode = rows.length === 0 ? 1 : 0
}

async function heard(port: NamedPort, signal: AbortSignal): Promise<Row> {
  try {
    const found = await fingerprint(port.path, drivers, openPort, listenMs, signal)
    if (found === undefined) return { ...port, trouble: 'no driver understood what came' }
    return { ...port, driver: found.driver.id, baudRate: found.baudRate }
  } catch (error) {
    return { ...port, trouble: (error as Error).message }
  }
}

function words(row: Row): string {
  const maker = row.maker === undefined ? '' : `  ${row.maker}`
  const spoken = row.driver === undefined ? '' : `\n  speaks ${row.driver} at ${row.baudRate} baud`
  const remarks = [row.remark, row.trouble].filter((text) => text !== undefined)
  return `${row.stablePath}  (${row.path}, ${row.named})${maker}${spoken}${remarks
    .map((text) => `\n  ${text}`)
    .join('')}\n`
}
