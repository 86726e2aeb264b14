/**
 * What we ask a node of a chain (Ethereum's JSON-RPC, EIP-1474), and its answers as values. Throws Malformed
 * for what is not an answer to the question.
 */
import { Fault, fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { Malformed, must } from '../wire/malformed.ts'
import { type Log, revertFault } from './contract.ts'
import type { Fees } from './gasprice.ts'
import { type Rpc, RpcRefusal, unreachable } from './rpc.ts'

export type Head = { readonly number: number; readonly timeS: number; readonly baseFee?: bigint }

/** A call, and at which block; the newest where none is named. */
export type Asked = { readonly to: Address; readonly data: Hex; readonly block?: number }

export type Receipt = {
  readonly hash: Hex
  readonly blockHash: Hex
  readonly block: number
  readonly ok: boolean
  readonly gas: bigint
  readonly logs: readonly Log[]
}

export async function chainIdOf(node: Rpc): Promise<number> {
  return small(await node.call('eth_chainId', []), 'eth_chainId')
}

/** The newest block. */
export async function headOf(node: Rpc): Promise<Head> {
  const block = object(await node.call('eth_getBlockByNumber', ['latest', false]), 'a block')
  const { number, timestamp, baseFeePerGas } = block
  const head = { number: small(number, 'a block'), timeS: small(timestamp, 'a block') }
  if (baseFeePerGas === undefined || baseFeePerGas === null) return head
  return { ...head, baseFee: quantity(baseFeePerGas, 'a block') }
}

/** What a view returned. */
export async function view(node: Rpc, { to, data, block }: Asked): Promise<Hex> {
  return bytes(await node.call('eth_call', [{ to, data }, tag(block)]), 'eth_call')
}

export async function codeAt(node: Rpc, address: Address): Promise<Hex> {
  return bytes(await node.call('eth_getCode', [address, 'latest']), 'eth_getCode')
}

/** What an account has for gas, wei. */
export async function coinOf(node: Rpc, account: Address, block?: number): Promise<bigint> {
  return quantity(await node.call('eth_getBalance', [account, tag(block)]), 'eth_getBalance')
}

/** How many transactions of an account are mined: the nonce of its next. */
export async function nonceOf(node: Rpc, account: Address, block?: number): Promise<number> {
  const method = 'eth_getTransactionCount'
  return small(await node.call(method, [account, tag(block)]), method)
}

export async function gasFor(node: Rpc, from: Address, { to, data }: Asked): Promise<bigint> {
  return quantity(await node.call('eth_estimateGas', [{ from, to, data }]), 'eth_estimateGas')
}

/** What the chain asks now. A node that knows no tips is believed to want a gwei. */
export async function feesAt(node: Rpc): Promise<Fees> {
  const { baseFee, timeS } = await headOf(node)
  if (baseFee === undefined) {
    return { tip: quantity(await node.call('eth_gasPrice', []), 'eth_gasPrice'), timeS }
  }
  const tip = await node.call('eth_maxPriorityFeePerGas', []).catch((cause: unknown) => {
    if (cause instanceof RpcRefusal) return '0x3b9aca00'
    throw cause
  })
  return { baseFee, tip: quantity(tip, 'eth_maxPriorityFeePerGas'), timeS }
}

/** The receipt of a mined transaction; undefined when it is not mined there. */
export async function receiptOf(node: Rpc, hash: Hex): Promise<Receipt | undefined> {
  const answer = await node.call('eth_getTransactionReceipt', [hash])
  if (answer === null) return undefined
  const what = 'a receipt'
  const receipt = object(answer, what)
  must(bytes(receipt.transactionHash, what) === hash, 'a receipt: of another transaction')
  must(Array.isArray(receipt.logs) && receipt.logs.length <= logsMax, 'a receipt: no logs')
  return {
    hash,
    blockHash: bytes(receipt.blockHash, what),
    block: small(receipt.blockNumber, what),
    ok: quantity(receipt.status, what) === 1n,
    gas: quantity(receipt.gasUsed, what),
    logs: receipt.logs.map(logIn),
  }
}

/** Hands a signed transaction over. What it says against that; undefined when it has it. */
export async function handOver(node: Rpc, raw: Hex): Promise<string | undefined> {
  try {
    await node.call('eth_sendRawTransaction', [raw])
    return undefined
  } catch (cause) {
    if (!(cause instanceof RpcRefusal)) throw cause
    return /already (known|imported)|known transaction/i.test(cause.message)
      ? undefined
      : cause.message
  }
}

/** What a node or its answer threw, as a fault that names it. */
export function translate(cause: unknown, rpc: string): Fault {
  if (cause instanceof Fault) return cause
  if (cause instanceof Malformed) return unreachable(rpc, `it answers nonsense: ${cause.message}`)
  if (!(cause instanceof RpcRefusal)) throw cause
  const { message, number, data } = cause
  if (/insufficient funds/i.test(message)) return fault('GAS_MISSING', { account: 'the sender' })
  const reverted = number === 3 || data !== undefined || /revert/i.test(message)
  return reverted ? revertFault('the call', data, message) : unreachable(rpc, message)
}

/** A claim of a hundred channels leaves about a hundred. */
const logsMax = 10_000

function tag(block: number | undefined): string {
  return block === undefined ? 'latest' : `0x${block.toString(16)}`
}

function logIn(value: unknown): Log {
  const { address, topics, data } = object(value, 'a log')
  must(Array.isArray(topics) && topics.length <= 4, 'a log: no topics')
  return {
    address: bytes(address, 'a log'),
    topics: topics.map((topic) => bytes(topic, 'a log')),
    data: bytes(data, 'a log'),
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  must(typeof value === 'object' && value !== null && !Array.isArray(value), `${what}: none`)
  return value as Record<string, unknown>
}

function bytes(value: unknown, what: string): Hex {
  must(typeof value === 'string' && /^0x(?:[0-9a-fA-F]{2})*$/.test(value), `${what}: no bytes`)
  return value.toLowerCase() as Hex
}

function quantity(value: unknown, what: string): bigint {
  must(typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value), `${what}: no number`)
  return BigInt(value)
}

function small(value: unknown, what: string): number {
  const number = quantity(value, what)
  must(number <= BigInt(Number.MAX_SAFE_INTEGER), `${what}: no such number`)
  return Number(number)
}
