/** `wayside ports`: the serial ports, the name to write into the config, and what speaks there. */
import type { Command } from 'commander'
import { drivers } from '../../drivers/index.ts'
import { type FoundPort, findPorts } from '../sense/find.ts'
import { openPort } from '../sense/port.ts'

export function portsCommand(program: Command): void {
  program
    .command('ports')
    .description('list the serial ports and the names that hold when cables move')
    .option('--find', 'listen on each port and tell which driver understands it')
    .option('--json', 'for programs')
    .addHelpText('after', '\nExamples:\n  wayside ports\n  wayside ports --find\n')
    .action(show)
}

async function show(given: { readonly find?: true; readonly json?: true }): Promise<void> {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  const heard = given.find ? drivers : []
  const rows = await findPorts({ drivers: heard, open: openPort, signal: stop.signal })
  process.off('SIGINT', interrupt)
  if (given.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) process.stderr.write('no serial ports found\n')
  else process.stdout.write(rows.map(words).join(''))
  process.exitCode = rows.length === 0 ? 1 : 0
}

function words(row: FoundPort): string {
  const maker = row.maker === undefined ? '' : `  ${row.maker}`
  const spoken = row.driver === undefined ? '' : `\n  speaks ${row.driver} at ${row.baudRate} baud`
  const remarks = [row.remark, row.trouble].filter((text) => text !== undefined)
  return `${row.path}  (${row.device}, ${row.named})${maker}${spoken}${remarks
    .map((text) => `\n  ${text}`)
    .join('')}\n`
}
