/** `wayside ports`: the serial ports, the name to write into the config, and who else is there. */
import type { Command } from 'commander'
import { driversOf } from '../config/driverlist.ts'
import { type FoundPort, findOn, namedPorts } from '../sense/find.ts'
import { openPort } from '../sense/port.ts'
import { addWithFlag, type WithFlag } from './driverflags.ts'

export function portsCommand(program: Command): void {
  const command = program
    .command('ports')
    .description(
      'list the serial ports, the names that hold when cables move, and who has them open',
    )
    .option('--find', 'say on each port which driver understands it, as `wayside sniff --ask` does')
    .option('--json', 'for programs')
  addWithFlag(command).addHelpText('after', examples).action(show)
}

const examples = `
Examples:
  wayside ports
  wayside ports --find

Who has a port open is seen of one's own processes, and by root of all.
Exit code: 0 when there is a port, 1 when there is none.`

type Given = WithFlag & { readonly find?: true; readonly json?: true }

async function show(given: Given): Promise<void> {
  const drivers = driversOf(given.with ?? [])
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  const search = { drivers, open: openPort, asks: 'private', signal: stop.signal } as const
  const named = await namedPorts()
  const rows: FoundPort[] = given.find
    ? await Promise.all(named.map((port) => findOn(port, search)))
    : named
  process.off('SIGINT', interrupt)
  if (given.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) process.stderr.write('no serial ports found\n')
  else process.stdout.write(rows.map(words).join(''))
  process.exitCode = rows.length === 0 ? 1 : 0
}

function words(row: FoundPort): string {
  const maker = row.maker === undefined ? '' : `  ${row.maker}`
  const spoken =
    row.driver === undefined ? [] : [`speaks ${row.driver} at ${row.baudRate} baud (${row.sure})`]
  const trouble = row.trouble === undefined ? [] : [row.trouble]
  return [
    `${row.path}  (${row.device}, ${row.named})${maker}`,
    ...spoken,
    ...row.remarks,
    ...trouble,
  ]
    .map((text, i) => `${i === 0 ? '' : '  '}${text}\n`)
    .join('')
}
