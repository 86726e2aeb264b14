/** `wayside buy`: verified readings on stdout, words on stderr, money within a budget. */
import { type Command, Option } from 'commander'
import type { Buyer, BuyerOptions } from '../buyer/index.ts'
import type { MoneyName } from '../buyer/words.ts'
import { mustBeWritable } from '../disk/write.ts'
import { pause } from '../time/pause.ts'
import type { Signer } from '../wire/signer.ts'
import { addBrokerFlags, type BrokerFlags, brokerOf } from './brokerflags.ts'
import type { Place } from './buyfile.ts'
import {
  addRangeFlags,
  addWantedFlags,
  count,
  list,
  type RangeFlags,
  rangeOf,
  time,
  type WantedFlags,
  wantedOf,
} from './buyflags.ts'

export function buyCommand(program: Command): void {
  const named = program
    .command('buy')
    .description('find streams, pay for them within a budget, print verified readings')
  addRangeFlags(addWantedFlags(addBrokerFlags(named)))
    .requiredOption('--key <file>', 'the key that pays: 32 bytes of hex (mode 0600), or a keystore')
    .option('--password-file <file>', 'the password of the keystore (mode 0600)')
    .option('--budget <amount>', "the most this run promises, in the token's own unit", '0')
    .option('--rpc <url>', 'an endpoint of the chain, to deposit; may be repeated', (text, all) => [
      ...list<string>(all),
      text,
    ])
    .option('--ahead <time>', 'pay so far ahead of delivery (10s, 1h); default: on sight', time)
    .option('--own', "read the operator's own devices at price 0; --key is the operator's")
    .option('--folder <folder>', 'where the books are kept', 'wayside-buyer')
    .option('--resume', 'go on behind the last reading of the run before')
    .option('--for <time>', 'stop buying after so long', time)
    .option('--count <n>', 'end after so many readings', count)
    .addOption(new Option('--format <format>').choices(['ndjson', 'csv']).default('ndjson'))
    .option(
      '--out <file>',
      'append the readings to this file, exactly once over any crash; else stdout',
    )
    .option('--evidence <folder>', 'write the evidence of every reading there')
    .option('--json <file>', 'write the summary there at the end')
    .addHelpText('after', examples)
    .action(buy)
}

type Options = BrokerFlags &
  WantedFlags &
  RangeFlags & {
    readonly key: string
    readonly passwordFile?: string
    readonly budget: string
    readonly rpc?: readonly string[]
    readonly ahead?: number
    readonly own?: boolean
    readonly folder: string
    readonly resume?: boolean
    readonly for?: number
    readonly count?: number
    readonly format: 'ndjson' | 'csv'
    readonly evidence?: string
    readonly out?: string
    readonly json?: string
  }

async function buy(options: Options, command: Command): Promise<void> {
  const broker = brokerOf(options, command)
  const range = rangeOf(options, command)
  const { openBuyer } = await import('../buyer/index.ts')
  const { openTeller } = await import('./buytell.ts')
  const { sinkOf } = await import('./buysink.ts')
  const startedMs = performance.now()
  const end = new AbortController()
  const over = new AbortController()
  const tell = openTeller()
  const { signerIn } = await import('../buyer/means.ts')
  const signer = await signerIn(options.key, options.passwordFile)
  if (options.json !== undefined) await mustBeWritable(options.json)
  let buyer: Buyer | undefined
  // While sellers are looked for there is nothing yet to end in order.
  const stop = stopper(() => (buyer === undefined ? end.abort() : buyer.stop()), end)
  try {
    buyer = await openBuyer({
      ...buyerOptions(options, signer, end.signal, tell.note, tell.money),
      ...range,
      broker,
    })
    const found = buyer
    tell.found(found)
    if (options.for !== undefined) void pause(options.for, over.signal).then(found.stop)
    const { listings, waiting, resumed } = found
    const isIdle = () => waiting() === 0
    const ends = (last: ReadonlyMap<string, Place>) => tell.behind(options.out ?? '', resumed, last)
    const sink = await sinkOf(options, { listings, isIdle, ends })
    try {
      let count = 0
      for await (const item of found.readings({ byHand: true })) {
        await sink.write(item)
        count += 1
        if (count === options.count) break
      }
    } finally {
      await sink.close()
    }
    await found.close()
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    process.exitCode = await tell.end(found.summary(), seconds, options.json)
  } catch (cause) {
    if (cause !== end.signal.reason) throw cause
    process.exitCode = 130
  } finally {
    stop.forget()
    over.abort()
    tell.quiet()
    await buyer?.close()
  }
}

function buyerOptions(
  options: Options,
  signer: Signer,
  signal: AbortSignal,
  note: NonNullable<BuyerOptions['note']>,
  money: (name: MoneyName) => void,
): Omit<BuyerOptions, 'broker'> {
  const { own, rpc } = options
  return {
    folder: options.folder,
    signer,
    wanted: wantedOf(options),
    budget: options.budget,
    aheadMs: options.ahead ?? 0,
    resume: options.resume === true,
    own: own === true,
    chain: async (rail) => {
      money({ decimals: rail.decimals, name: rail.tokenName })
      if (rpc === undefined) return undefined
      const { chainAt } = await import('../buyer/means.ts')
      return chainAt(rpc, signer)(rail)
    },
    note,
    signal,
  }
}

/** The first Ctrl-C stops buying and waits for what is paid; the second ends at once. */
function stopper(stop: () => void, end: AbortController) {
  let signals = 0
  const heed = () => {
    signals += 1
    if (signals === 1) stop()
    else end.abort()
  }
  process.on('SIGINT', heed)
  process.on('SIGTERM', heed)
  return {
    forget() {
      process.off('SIGINT', heed)
      process.off('SIGTERM', heed)
    },
  }
}

const examples = `
Examples:
  wayside buy --broker mqtt://localhost --key buyer.key --rpc http://localhost:8545 --budget 1.50
  wayside buy --broker mqtts://fleet.example --operator 0x5fbd… --stream air --key buyer.key \\
      --budget 20 --ahead 1h --resume --format csv --out air.csv
  wayside buy --broker mqtt://localhost --key buyer.key --from 7d --to 24h --format csv > week.csv
  wayside buy --own --operator 0x5fbd… --broker mqtt://localhost --key operator.key

Each line names its epoch and its index in it. Ctrl-C stops buying, waits for what is paid, prints the
summary; once more ends at once, and --resume goes on later with nothing lost.
Exit code: 0 ended in order, 1 something that was paid for did not come or did not open, 2 usage, keys or
config, 3 no broker, no offer, or no chain.`
