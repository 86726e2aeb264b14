/** The command line: which commands there are, and how one ends. Each is a file under commands/. */
import { Command, CommanderError } from 'commander'
import { Fault, fault } from './faults.ts'
import { product } from './product.ts'

type Entry = {
  /** What the list of commands says of it. */
  readonly says: string
  /** Only the command that is called is loaded: `--help` must not wait for ONNX, SQLite or MQTT. */
  add(program: Command): Promise<unknown>
}

const commands: Readonly<Record<string, Entry>> = {
  init: {
    says: 'look at the serial ports and write a first config',
    add: async (program) => (await import('./commands/init.ts')).initCommand(program),
  },
  run: {
    says: 'run the device: sense, infer, sign, store, stream, sell',
    add: async (program) => (await import('./commands/run.ts')).runCommand(program),
  },
  recover: {
    says: 'go on with lost books, or on another machine',
    add: async (program) => (await import('./commands/recover.ts')).recoverCommand(program),
  },
  renew: {
    says: 'begin another generation of stream keys',
    add: async (program) => (await import('./commands/renew.ts')).renewCommand(program),
  },
  retire: {
    says: 'take away what a device has left at its broker',
    add: async (program) => (await import('./commands/retire.ts')).retireCommand(program),
  },
  config: {
    says: 'check a config, or print its schema',
    add: async (program) => (await import('./commands/config.ts')).configCommand(program),
  },
  ports: {
    says: 'list the serial ports, the names that hold, and who has them open',
    add: async (program) => (await import('./commands/ports.ts')).portsCommand(program),
  },
  sniff: {
    says: 'listen on a serial port and say which sensor it is',
    add: async (program) => (await import('./commands/sniff.ts')).sniffCommand(program),
  },
  record: {
    says: 'write what comes out of a port to a file that can stand in for it',
    add: async (program) => (await import('./commands/record.ts')).recordCommand(program),
  },
  drivers: {
    says: 'list the drivers, or the options and fields of one',
    add: async (program) => (await import('./commands/drivers.ts')).driversCommand(program),
  },
  decode: {
    says: 'print what a driver makes of raw bytes',
    add: async (program) => (await import('./commands/decode.ts')).decodeCommand(program),
  },
  operate: {
    says: "run the operator's desk: grants, acks, settlement",
    add: async (program) => (await import('./commands/operate.ts')).operateCommand(program),
  },
  acl: {
    says: "write the broker's access list for a fleet",
    add: async (program) => (await import('./commands/acl.ts')).aclCommand(program),
  },
  buy: {
    says: 'find streams, pay within a budget, print verified readings',
    add: async (program) => (await import('./commands/buy.ts')).buyCommand(program),
  },
  verify: {
    says: 'check evidence files, with no network',
    add: async (program) => (await import('./commands/verify.ts')).verifyCommand(program),
  },
}

/** Exit codes: 0 fine, 1 finding, 2 usage or config, 3 the other side unreachable. */
async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('wayside')
    .description('Senses, signs at the source, seals, sells. A roadside stall for machines.')
    .version(product.version)
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText('after', examples)
  const [first, second] = argv.slice(2)
  const called = first === 'help' ? second : first
  try {
    for (const [name, { says, add }] of Object.entries(commands)) {
      if (name === called) await add(program)
      else program.command(name).description(says)
    }
    for (const command of program.commands) inherit(command, program)
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = end(error)
  }
}

/** A command that was made by itself ends and helps like the others; what is below it likewise. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const below of command.commands) inherit(below, command)
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

const examples = `
Examples:
  wayside init                      a first wayside.yaml, from the ports that are there
  wayside run                       the device, by that config
  wayside buy --help                what a buyer says
  wayside decode nmea0183 log.nmea  a driver on the bench

Exit codes: 0 fine, 1 finding, 2 usage or config, 3 the other side unreachable.`

/** These work on when nobody reads their words any more: the journal may start anew, and they must not. */
const services: ReadonlySet<string | undefined> = new Set(['run', 'operate'])

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (services.has(process.argv[2])) return
  // A closed pipe (`wayside decode … | head`) is an end like any other.
  if (error.code === 'EPIPE') process.exit(0)
  process.exit(end(fault('FILE_UNWRITTEN', { path: 'standard output', why: error.message }, error)))
})
process.stderr.on('error', () => {})

await main(process.argv)
