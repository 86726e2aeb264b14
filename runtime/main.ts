/** The command line: which commands there are, and how one ends. Each is a file under commands/. */
import { Command, CommanderError } from 'commander'
import { buyCommand } from './commands/buy.ts'
import { configCommand } from './commands/config.ts'
import { decodeCommand } from './commands/decode.ts'
import { driversCommand } from './commands/drivers.ts'
import { initCommand } from './commands/init.ts'
import { operateCommand } from './commands/operate.ts'
import { portsCommand } from './commands/ports.ts'
import { runCommand } from './commands/run.ts'
import { verifyCommand } from './commands/verify.ts'
import { Fault } from './faults.ts'
import { product } from './product.ts'

const commands = [
  initCommand,
  runCommand,
  configCommand,
  portsCommand,
  driversCommand,
  decodeCommand,
  operateCommand,
  buyCommand,
  verifyCommand,
]

/** Exit codes: 0 fine, 1 finding, 2 usage or config, 3 the other side unreachable. */
async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('wayside')
    .description('Senses, signs at the source, seals, sells. A roadside stall for machines.')
    .version(product.version)
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)')
  for (const command of commands) command(program)
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = end(error)
  }
}

/** Says what ended the command, and with which exit code. */
function end(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof Fault) {
    console.error(`wayside: ${error.message}\n  ${error.cure}  [${error.code}]`)
    return error.exit
  }
  console.error('wayside: this is a bug; please report it with what follows')
  console.error(error)
  return 70
}

// A closed pipe (`wayside decode … | head`) is an end like any other.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

await main(process.argv)
