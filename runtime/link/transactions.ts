/**
 * Transactions of ours, step by step: written (signed, nothing sent), handed over, and looked after until
 * they are k blocks deep. The steps keep no books: whoever must survive a crash writes down what a step
 * returned before it takes the next.
 *
 * One endpoint that answers is enough to send: a claim inside a withdraw delay waits for nobody. That it is
 * mined is believed when all of them say so.
 */
import { keccak256 } from '#crypto'
import { type Fault, fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { larger } from '../wire/amount.ts'
import { hex } from '../wire/bytes.ts'
import type { Signer } from '../wire/signer.ts'
import { type Log, signTransaction } from './contract.ts'
import type { Endpoints } from './endpoints.ts'
import { type GasRules, gasRules, type Price } from './gasprice.ts'
import type { ChainLimits, ChainOptions } from './money.ts'
import { coinOf, gasFor, handOver, headOf, nonceOf, type Receipt, receiptOf } from './node.ts'
import { type Call, type Fate, newest, type Outgoing, type Version } from './outgoing.ts'
import type { Rpc } from './rpc.ts'

export type Transactions = {
  readonly from: Address
  readonly rules: GasRules
  readonly limits: ChainLimits
  /**
   * Signs a first version, under the nonce behind `taken`. Throws CHAIN_REFUSED when the contract would
   * refuse it, and GAS_MISSING.
   */
  write(call: Call, price: Price, taken: readonly number[]): Promise<Outgoing>
  /** Signs another version, of the same nonce unless another is named. */
  rewrite(outgoing: Outgoing, price: Price, nonce?: number): Promise<Outgoing>
  /** Hands the newest version to every endpoint; says why none has it, if so. */
  post(outgoing: Outgoing): Promise<string | undefined>
  /** `others`: nonces of transactions of ours that are not mined either. */
  fate(outgoing: Outgoing, others?: readonly number[]): Promise<Fate>
}

export function openTransactions(
  circle: Endpoints<Rpc>,
  sender: Signer,
  options: ChainOptions,
  limits: ChainLimits,
): Transactions {
  const { chainId, confirmations = 1, gas: rules = gasRules } = options
  const from = sender.address
  // The account is ours alone: no endpoint can make us use a nonce again that we saw mined.
  const floor = { nonce: 0 }

  async function version(unsigned: Omit<Outgoing, 'versions'>, nonce: number, price: Price) {
    return {
      ...(await signTransaction({ ...unsigned, chainId, nonce, price }, sender)),
      nonce,
      price,
    }
  }

  return {
    from,
    rules,
    limits,
    async write(call, price, taken) {
      const gasLimit = await gasLimitOf(circle, from, call, limits)
      await checkCoin(circle, from, gasLimit * price.maxFee)
      const counts = await circle.some((node) => nonceOf(node, from))
      // One that lags says too little and is corrected by the floor; one that lies says too much.
      const nonce = Math.max(Math.min(...counts), floor.nonce, ...taken.map((one) => one + 1))
      const unsigned = { ...call, gasLimit }
      return { ...unsigned, versions: [await version(unsigned, nonce, price)] }
    },
    async rewrite(outgoing, price, nonce = newest(outgoing).nonce) {
      const { versions, ...unsigned } = outgoing
      return { ...unsigned, versions: [...versions, await version(unsigned, nonce, price)] }
    },
    post: (outgoing) => post(circle, from, newest(outgoing)),
    async fate(outgoing, others = []) {
      const found = await fateOf(circle, from, outgoing, others, confirmations)
      if (found.state === 'deep' || found.state === 'mined') {
        const { hash } = found.receipt
        const mined = outgoing.versions.find((one) => one.hash === hash) ?? newest(outgoing)
        floor.nonce = Math.max(floor.nonce, mined.nonce + 1)
      } else if (found.state === 'waiting' && found.gap !== undefined) floor.nonce = found.gap
      return found
    },
  }
}

/** The most that any endpoint that can run it wants; what all refuse is refused. */
async function gasLimitOf(
  circle: Endpoints<Rpc>,
  from: Address,
  call: Call,
  { gasMarginPercent, gasMax }: ChainLimits,
): Promise<bigint> {
  const most = (await circle.some((node) => gasFor(node, from, call))).reduce(larger)
  const wanted = (most * (100n + gasMarginPercent)) / 100n
  return wanted < gasMax ? wanted : gasMax
}

async function checkCoin(circle: Endpoints<Rpc>, from: Address, cost: bigint): Promise<void> {
  const coins = await circle.some((node) => coinOf(node, from))
  if (coins.reduce(larger) < cost) throw fault('GAS_MISSING', { account: from })
}

async function post(
  circle: Endpoints<Rpc>,
  from: Address,
  { raw }: Version,
): Promise<string | undefined> {
  const answers = await circle.ask((node) => handOver(node, raw))
  if (answers.some((answer) => answer.ok && answer.value === undefined)) return undefined
  const words = answers.flatMap((answer) => (answer.ok ? [answer.value ?? ''] : []))
  const poor = words.find((text) => /insufficient funds/i.test(text))
  if (poor !== undefined) return fault('GAS_MISSING', { account: from }).message
  return words[0] ?? (answers.find((answer) => !answer.ok) as { fault: Fault }).fault.message
}

type Look = {
  readonly head: number
  readonly count: number
  /** Mined transactions of the account, k blocks below its newest. */
  readonly deepCount: number
  readonly receipt: Receipt | undefined
}

async function fateOf(
  circle: Endpoints<Rpc>,
  from: Address,
  outgoing: Outgoing,
  others: readonly number[],
  confirmations: number,
): Promise<Fate> {
  const { versions } = outgoing
  const depth = Math.max(1, confirmations)
  const answers = await circle.ask((node) => lookFor(node, from, versions, depth))
  const good = answers.filter((answer) => answer.ok).map(({ value }) => value)
  const bad = answers.find((answer) => !answer.ok)
  if (good.length === 0 && bad !== undefined) throw bad.fault
  const receipts = good.flatMap(({ receipt }) => receipt ?? [])
  const [receipt] = receipts
  if (receipt === undefined) {
    const low = Math.min(...good.map(({ deepCount }) => deepCount))
    const gone = versions.every(({ nonce }) => nonce < low)
    if (gone && bad === undefined) return { state: 'displaced' }
    return { state: 'waiting', ...gapOf(good, versions, others) }
  }
  // Who has not come as far as that block cannot know of it.
  const top = Math.max(...receipts.map(({ block }) => block))
  const said = answers.map((answer) => {
    if (!answer.ok || (answer.value.receipt === undefined && answer.value.head < top))
      return undefined
    return spelled(answer.value.receipt)
  })
  const doubt = circle.compare(`transaction ${receipt.hash}`, said)
  if (good.some((one) => one.receipt === undefined && one.head >= top)) return { state: 'waiting' }
  const lowest = Math.min(...good.map(({ head }) => head))
  const deep = receipts.length === circle.all.length && lowest - top + 1 >= depth
  return { state: deep && doubt === undefined ? 'deep' : 'mined', receipt }
}

async function lookFor(
  node: Rpc,
  from: Address,
  versions: readonly Version[],
  depth: number,
): Promise<Look> {
  const { number: head } = await headOf(node)
  const [count, deepCount, ...receipts] = await Promise.all([
    nonceOf(node, from),
    nonceOf(node, from, Math.max(0, head - depth + 1)),
    ...versions.map(({ hash }) => receiptOf(node, hash)),
  ])
  const receipt = receipts.find((one) => one !== undefined)
  return { head, count, deepCount, receipt }
}

/** All who answer say that the account is not as far as any nonce of ours. */
function gapOf(
  good: readonly Look[],
  versions: readonly Version[],
  others: readonly number[],
): { gap?: number } {
  const lowest = Math.min(...others, ...versions.map(({ nonce }) => nonce))
  const counts = good.map(({ count }) => count)
  const [gap = lowest] = counts
  return gap < lowest && counts.every((count) => count === gap) ? { gap } : {}
}

function spelled(receipt: Receipt | undefined): string {
  if (receipt === undefined) return 'not mined'
  const { blockHash, ok, gas, logs } = receipt
  return `${ok ? 'done' : 'failed'} in block ${blockHash}, ${gas} gas, logs ${digest(logs)}`
}

function digest(logs: readonly Log[]): string {
  const text = logs.map(({ address, topics, data }) => [address, ...topics, data].join()).join(';')
  return hex(keccak256(new TextEncoder().encode(text))).slice(0, 10)
}
