/** What a person may ask of the demo. */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Ending } from './ending.ts'

export type Options = {
  readonly help: boolean
  readonly keep: boolean
  /** Where the report goes. */
  readonly json?: string
  readonly rpc?: string
}

export const usage = `One whole sale on this machine: sensor bytes in, verified readings out, money moved.

  npm run demo                      about a minute; exit code 0 if the books balance
  npm run demo -- --json FILE       also writes what was counted
  npm run demo -- --keep            goes on until Ctrl-C, then settles and counts
  npm run demo -- --rpc URL         takes a development chain (anvil) that runs elsewhere

Ctrl-C ends it and leaves nothing behind; a second one does so without waiting.
Exit code: 0 the books balance, 1 they do not, 2 usage, 3 no chain at that URL, 130 interrupted.`

/** Throws an Ending with exit code 2 and one line that says what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { help, keep, json, rpc } = parse(args)
  if (json !== undefined) mustBeWritable(json)
  if (rpc !== undefined && !isEndpoint(rpc)) {
    throw new Ending(2, `--rpc ${rpc} is no address; write for instance http://127.0.0.1:8545`)
  }
  return {
    help,
    keep,
    ...(json === undefined ? {} : { json }),
    ...(rpc === undefined ? {} : { rpc }),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        keep: { type: 'boolean', default: false },
        json: { type: 'string' },
        rpc: { type: 'string' },
      },
    }).values
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\. |\n/)
    throw new Ending(2, `${sentence}; \`npm run demo -- --help\` says what there is`)
  }
}

/** Said now, not after a minute. */
function mustBeWritable(file: string): void {
  const path = resolve(file)
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
    // The slash makes sure that it is a folder.
    accessSync(`${dirname(path)}/`, constants.W_OK)
  } catch (error) {
    throw new Ending(2, `--json ${file} can not be written: ${(error as Error).message}`)
  }
}

function isEndpoint(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
