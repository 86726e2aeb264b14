/**
 * Many buyers in one process, each with its own key, books, channel and line: `crowd.ts <plan>`. They are
 * the library that `wayside buy` is made of. Tells its parent once a second how far each has read; at the
 * word `stop` they stop in order, and it tells what each came to.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openBuyer, type Summary } from '../../runtime/buyer/index.ts'
import { readKeyFile } from '../../runtime/disk/keyfile.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { openChain } from '../../runtime/link/chain.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import type { BrokerSettings } from './brokers.ts'
import { serial } from './stall.ts'

export type Plan = {
  readonly line: BrokerSettings
  readonly rpc: string
  readonly device: Address
  readonly stream: string
  readonly budget: string
  /** Key file and folder of each. */
  readonly buyers: readonly { readonly key: string; readonly folder: string }[]
}

export type Came =
  | { readonly kind: 'at'; readonly last: readonly number[] }
  | { readonly kind: 'ended'; readonly buyers: readonly Ended[] }

export type Ended = {
  readonly summary: Summary
  /** The numbers that it read, in the order in which it did. */
  readonly numbers: readonly number[]
}

const tellMs = 1_000

const plan = JSON.parse(process.argv[2] ?? '') as Plan
const read = plan.buyers.map((): number[] => [])
const ended = new AbortController()
const buyers = await Promise.all(plan.buyers.map(open))
// Whoever started us is gone.
process.on('disconnect', () => process.exit(1))
process.on('message', () => {
  for (const { buyer } of buyers) buyer.stop()
})
const telling = tellOn()
const all = await Promise.all(buyers.map(buy))
ended.abort()
await telling
await say({ kind: 'ended', buyers: all })
process.exit()

async function open({ key, folder }: Plan['buyers'][number], index: number) {
  const signer = localSigner(await readKeyFile(key))
  const line = openBroker({ ...plan.line, clientId: `buyer-${index}-${signer.address}` })
  await line.ready(30_000)
  const buyer = await openBuyer({
    broker: line,
    folder,
    signer,
    wanted: { devices: [plan.device], streams: [plan.stream] },
    budget: plan.budget,
    // Ten of them share a process, and the machine with many: none leaves before what it paid for is there.
    limits: { endMs: 60_000 },
    chain: ({ chainId, settlement }) =>
      openChain({ rpcs: [plan.rpc], chainId, settlement, sender: signer }),
  })
  return { buyer, line, numbers: read[index] as number[] }
}

async function buy({ buyer, line, numbers }: Awaited<ReturnType<typeof open>>): Promise<Ended> {
  for await (const item of buyer.readings()) {
    numbers.push(Number(item.reading.values[serial]))
    item.taken()
  }
  await buyer.close()
  await line.close()
  return { summary: buyer.summary(), numbers }
}

async function tellOn(): Promise<void> {
  while (!ended.signal.aborted) {
    await say({ kind: 'at', last: read.map((numbers) => numbers.at(-1) ?? 0) })
    await sleep(tellMs, undefined, ended).catch(() => {})
  }
}

function say(came: Came): Promise<unknown> {
  return new Promise((done) => process.send?.(came, done))
}
