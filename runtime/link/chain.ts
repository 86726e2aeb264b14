/**
 * The line to a blockchain: what a channel holds, and the few transactions that move money. The only file
 * that knows ethers; the device never loads it.
 *
 * Reads ask every endpoint, which must agree. What is good for us (a deposit) is believed only k blocks
 * deep; what is bad for us (a withdrawal, a refund) at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  FetchRequest,
  Interface,
  isError,
  JsonRpcProvider,
  Network,
  Signature,
  Transaction,
  type TransactionReceipt,
} from 'ethers'
import contract from '../../contracts/generated/BatchSettlement.json' with { type: 'json' }
import { Fault, fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { channelId } from '../wire/channel.ts'
import type { Signer } from '../wire/signer.ts'
import { claimRow, mayClaim, plain, signClaims } from './claims.ts'
import { authorizeDeposit } from './deposit.ts'
import { type Endpoint, type Endpoints, endpoints } from './endpoints.ts'
import {
  type Chain,
  type ChainLimits,
  type ChainOptions,
  type Claim,
  chainLimits,
  type Tx,
} from './money.ts'

export type { Chain, ChainOptions, Claim } from './money.ts'

/**
 * Opens the line. Throws CHAIN_UNREACHABLE, CHAIN_OTHER when an endpoint serves another chain, and
 * CHAIN_NO_CONTRACT when there is no settlement contract at that address.
 */
export async function openChain(options: ChainOptions): Promise<Chain> {
  const { chainId, settlement } = options
  const limits = { ...chainLimits, ...options.limits }
  const links = endpoints(
    options.rpcs.map((rpc) => connect(rpc, chainId, limits.requestMs)),
    translate,
  )
  const closed = new AbortController()
  const close = () => {
    closed.abort()
    for (const { provider } of links.all) provider.destroy()
  }
  try {
    await checkChain(links, chainId)
    const code = await links.agreed('the contract', (on) => on.getCode(settlement))
    if (code === '0x') throw fault('CHAIN_NO_CONTRACT', { settlement, chainId })
  } catch (cause) {
    close()
    throw cause
  }
  const seen = reads(links, options)
  const send = sending(links, options, limits, closed.signal)
  return { ...seen, ...writes(send, seen.timeS, options), close }
}

type Links = Endpoints<JsonRpcProvider>
type Reads = Pick<Chain, 'state' | 'balanceOf' | 'gasOf' | 'gasPrice' | 'timeS'>
type Writes = Omit<Chain, keyof Reads | 'close'>
type Mined = { readonly action: string; readonly receipt: TransactionReceipt }
type Send = (action: string, data: string) => Promise<Mined>

const abi = new Interface(contract.abi)
const erc20 = new Interface(['function balanceOf(address) view returns (uint256)'])

function reads(links: Links, { chainId, settlement, confirmations = 1 }: ChainOptions): Reads {
  const rail = { chainId, settlement }
  const head = async () => Math.min(...(await links.each((on) => on.getBlockNumber())))
  const read = (method: string, id: Uint8Array, blockTag: number) =>
    links.agreed(
      `${method} at block ${blockTag}`,
      async (on) => {
        const data = abi.encodeFunctionData(method, [id])
        const answer = await on.call({ to: settlement, data, blockTag })
        return abi.decodeFunctionResult(method, answer).toArray() as bigint[]
      },
      (answer) => answer.join(' '),
    )
  return {
    state: async (config) => {
      const id = channelId(config, rail)
      const now = await head()
      const deep = Math.max(0, Math.min(now, now - confirmations + 1))
      const [[before = 0n], [balance = 0n, totalClaimed = 0n], [amount = 0n, since = 0n], [nonce]] =
        await Promise.all([
          read('channels', id, deep),
          read('channels', id, now),
          read('pendingWithdrawals', id, now),
          read('refundNonce', id, now),
        ])
      const atS = Number(since) + config.withdrawDelay
      return {
        balance: before < balance ? before : balance,
        totalClaimed,
        ...(since === 0n ? {} : { withdrawal: { amount, atS } }),
        refundNonce: nonce ?? 0n,
      }
    },
    balanceOf: async (token, account) => {
      const data = erc20.encodeFunctionData('balanceOf', [account])
      const blockTag = await head()
      const ask = (on: JsonRpcProvider) => on.call({ to: token, data, blockTag })
      const answer = await links.agreed(`tokens of ${account}`, ask)
      return answer === '0x' ? 0n : BigInt(answer)
    },
    gasOf: async (account) => {
      const blockTag = await head()
      return links.agreed(`gas of ${account}`, (on) => on.getBalance(account, blockTag))
    },
    gasPrice: async () => {
      const prices = await links.each(async (on) => (await on.getFeeData()).gasPrice ?? 0n)
      return prices.reduce((most, price) => (price > most ? price : most), 0n)
    },
    timeS: async () => {
      const times = await links.each(async (on) => (await on.getBlock('latest'))?.timestamp ?? 0)
      return Math.min(...times)
    },
  }
}

function writes(send: Send, timeS: () => Promise<number>, options: ChainOptions): Writes {
  const call = async (action: string, ...args: readonly unknown[]): Promise<Tx> =>
    done(await send(action, abi.encodeFunctionData(action, args)))
  const depositAuthorized: Chain['depositAuthorized'] = ({ config, amount, collector, data }) =>
    call('deposit', plain(config), amount, collector, data)
  return {
    depositAuthorized,
    deposit: async (rail, config, amount, payer) => {
      const wish = { config, amount, rail, payer, nowS: await timeS() }
      return depositAuthorized(await authorizeDeposit(wish))
    },
    claim: async (claims, receiver, token) => {
      const settle = abi.encodeFunctionData('settle', [receiver, token])
      const both = [await claimCall(claims, options), settle]
      const mined = await send('claim', abi.encodeFunctionData('multicall', [both]))
      return { ...done(mined), settled: settledBy(mined.receipt, receiver, token) }
    },
    initiateWithdraw: (config, amount) => call('initiateWithdraw', plain(config), amount),
    finalizeWithdraw: (config) => call('finalizeWithdraw', plain(config)),
    refund: (config, amount) => call('refund', plain(config), amount),
  }
}

/** The claim itself, unsigned when the sender may claim, else signed by the authorizer. */
async function claimCall(claims: readonly Claim[], options: ChainOptions): Promise<string> {
  const rows = claims.map(claimRow)
  const { authorizer, sender } = options
  if (authorizer === undefined || (sender !== undefined && mayClaim(claims, sender.address))) {
    return abi.encodeFunctionData('claim', [rows])
  }
  const signature = await signClaims(claims, options, authorizer)
  return abi.encodeFunctionData('claimWithSignature', [rows, signature])
}

/** Sends one transaction after the other: two at once would take the same nonce. */
function sending(
  links: Links,
  options: ChainOptions,
  limits: ChainLimits,
  signal: AbortSignal,
): Send {
  let before: Promise<unknown> = Promise.resolve()
  const one: Send = async (action, data) => {
    const { sender, settlement: to } = options
    if (sender === undefined) throw new RangeError('a chain opened to read cannot send')
    const raw = await signed(links, { to, data }, options.chainId, sender, limits)
    const hash = Transaction.from(raw).hash ?? ''
    const sent = await Promise.allSettled(
      links.all.map(({ provider }) => provider.broadcastTransaction(raw)),
    )
    const lost = sent.find((answer) => answer.status === 'rejected')
    if (lost !== undefined && !sent.some(({ status }) => status === 'fulfilled')) {
      throw translate(lost.reason, links.all[0]?.name ?? '')
    }
    const receipt = await mined(links, hash, limits, signal)
    if (receipt.status !== 1) throw fault('CHAIN_REFUSED', { action, why: `${hash} failed` })
    return { action, receipt }
  }
  return (action, data) => {
    const mine = before.then(() => one(action, data))
    before = mine.catch(() => {})
    return mine
  }
}

async function signed(
  links: Links,
  call: { readonly to: Address; readonly data: string },
  chainId: number,
  sender: Signer,
  { gasMarginPercent }: ChainLimits,
): Promise<string> {
  const from = sender.address
  const [first] = await links.each(async (on) => ({
    nonce: await on.getTransactionCount(from, 'pending'),
    gas: await on.estimateGas({ ...call, from }),
    fees: await on.getFeeData(),
  }))
  if (first === undefined) throw new RangeError('no endpoint')
  const { nonce, gas, fees } = first
  const price =
    fees.maxFeePerGas === null || fees.maxPriorityFeePerGas === null
      ? { type: 0, gasPrice: fees.gasPrice ?? 0n }
      : {
          type: 2,
          maxFeePerGas: fees.maxFeePerGas,
          maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
        }
  const gasLimit = (gas * (100n + gasMarginPercent)) / 100n
  const transaction = Transaction.from({ ...call, ...price, chainId, nonce, gasLimit })
  const signature = await sender.sign(unhex(transaction.unsignedHash))
  transaction.signature = Signature.from(hex(signature))
  return transaction.serialized
}

async function mined(
  links: Links,
  hash: string,
  { minedMs, pollMs }: ChainLimits,
  signal: AbortSignal,
): Promise<TransactionReceipt> {
  const deadline = performance.now() + minedMs
  while (performance.now() < deadline) {
    const receipts = await links.each((on) => on.getTransactionReceipt(hash))
    const receipt = receipts.find((found) => found !== null)
    if (receipt) return receipt
    await sleep(pollMs, undefined, { signal })
  }
  throw fault('CHAIN_SLOW', { hash, seconds: minedMs / 1000 })
}

function settledBy(receipt: TransactionReceipt, receiver: Address, token: Address): bigint {
  const events = receipt.logs.map((log) => abi.parseLog(log)).filter((log) => log !== null)
  const settled = events.find(
    ({ name, args }) =>
      name === 'Settled' &&
      String(args.receiver).toLowerCase() === receiver &&
      String(args.token).toLowerCase() === token,
  )
  return settled?.args.amount ?? 0n
}

function done({ action, receipt }: Mined): Tx {
  return { action, hash: receipt.hash as Hex, gas: receipt.gasUsed }
}

function connect(rpc: string, chainId: number, requestMs: number): Endpoint<JsonRpcProvider> {
  const request = new FetchRequest(rpc)
  request.timeout = requestMs
  const network = Network.from(chainId)
  // No cache: an answer of a quarter of a second ago is another block's.
  const options = { staticNetwork: network, cacheTimeout: -1 }
  return { name: new URL(rpc).origin, provider: new JsonRpcProvider(request, network, options) }
}

async function checkChain(links: Links, chainId: number): Promise<void> {
  const found = await links.each(async (on) => Number(await on.send('eth_chainId', [])))
  for (const [i, { name }] of links.all.entries()) {
    const other = found[i]
    if (other !== chainId) throw fault('CHAIN_OTHER', { rpc: name, found: other ?? 0, chainId })
  }
}

/** What ethers throws, as a fault. It carries no cause: ethers' errors repeat the URL, and keys in it. */
function translate(cause: unknown, rpc: string): Fault {
  if (cause instanceof Fault) return cause
  if (isError(cause, 'CALL_EXCEPTION')) {
    const error = cause.data === null ? null : abi.parseError(cause.data)
    const args = error?.args.map(String).join(', ')
    const why = error === null ? cause.shortMessage : `${error.name}(${args})`
    return fault('CHAIN_REFUSED', { action: cause.action, why })
  }
  if (isError(cause, 'INSUFFICIENT_FUNDS')) {
    return fault('GAS_MISSING', { account: String(cause.transaction.from ?? 'the sender') })
  }
  const { shortMessage, message } = cause as { shortMessage?: string; message?: string }
  return fault('CHAIN_UNREACHABLE', { rpc, why: shortMessage ?? message ?? 'no answer' })
}
