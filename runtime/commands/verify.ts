/** `wayside verify`: checks evidence files with no network, no store and no trust in whoever sent them. */
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { exactJson } from '../buyer/lines.ts'
import { judge, judgementFields } from '../buyer/proof.ts'
import { fault } from '../faults.ts'
import { type Address, parseAddress } from '../wire/address.ts'
import { shown } from '../wire/shown.ts'

export function verifyCommand(program: Command): Command {
  return program
    .command('verify')
    .description('check evidence files: who signed which reading, and whom an operator enrolled')
    .argument('<file...>', 'evidence as `wayside buy --evidence` writes it')
    .option('--operator <address>', 'hold only what this operator vouches for', addressArgument)
    .option('--json', 'one JSON object a file on stdout')
    .addHelpText('after', examples)
    .action(async (files: string[], options: Options) => {
      process.exitCode = await verify(files, options)
    })
}

type Options = { readonly operator?: Address; readonly json?: boolean }

/** Exit code 0 when every file holds, 1 when one does not. */
async function verify(files: readonly string[], { operator, json }: Options): Promise<0 | 1> {
  let code: 0 | 1 = 0
  for (const file of files) {
    const judgement = judge(await bytesOf(file), operator)
    if (!judgement.ok) code = 1
    if (json) console.log(exactJson({ file, ...judgementFields(judgement) }))
    else if (judgement.ok) {
      console.log([`${file}: holds`, ...judgement.sentences.map(shown)].join('\n  '))
    } else console.log(`${file}: does not hold\n  ${shown(judgement.why)}`)
  }
  return code
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw fault(
      'INPUT_UNREADABLE',
      { path, why: cause instanceof Error ? cause.message : '' },
      cause,
    )
  }
}

/** An address in any spelling, as an argument of a command. */
function addressArgument(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new InvalidArgumentError('an address is 0x and 40 hex digits.')
  return address
}

const examples = `
Examples:
  wayside verify air-12-0.evidence
  wayside verify --json --operator 0x5fbd… evidence/*

Exit code: 0 all hold, 1 one does not, 2 a file cannot be read.`
