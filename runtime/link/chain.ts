/**
 * The line to a blockchain: what a channel holds, and the few transactions that move money.
 *
 * Reads ask every endpoint, which must agree. What is good for us (a deposit) is believed only k blocks
 * deep; what is bad for us (a withdrawal, a refund) at once, and from any of them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { claimRow, mayClaim, plain, signClaims } from './claims.ts'
import { revertFault, settledBy, settlementCall, tokenCall } from './contract.ts'
import { authorizeDeposit, permit2, permitDeposit } from './deposit.ts'
import { endpointLimits, endpoints } from './endpoints.ts'
import { firstPrice, raisedPrice } from './gasprice.ts'
import type { Chain, ChainLimits, ChainOptions, Claim, Tx } from './money.ts'
import { chainIdOf, type Receipt, translate } from './node.ts'
import { newest } from './outgoing.ts'
import { checkContract, openReads, type Reads } from './reads.ts'
import { openRpc } from './rpc.ts'
import { openTransactions, type Transactions } from './transactions.ts'

export type { Chain, ChainOptions, Claim } from './money.ts'

/**
 * Opens the line. Throws CHAIN_UNREACHABLE when no endpoint answers, CHAIN_OTHER when one serves another
 * chain, and CHAIN_NO_CONTRACT when there is no settlement contract at that address.
 */
export async function openChain(options: ChainOptions): Promise<Chain> {
  const { rpcs, chainId, note } = options
  const limits: ChainLimits = { ...chainLimits, ...options.limits }
  const closed = new AbortController()
  const lines = rpcs.map((url) => openRpc(url, limits, closed.signal))
  const circle = endpoints(
    lines.map((line) => ({ name: line.name, line })),
    {
      translate,
      async greet(line, rpc) {
        const found = await chainIdOf(line)
        if (found !== chainId) throw fault('CHAIN_OTHER', { rpc, found, chainId })
      },
      signal: closed.signal,
      limits,
      ...(note === undefined ? {} : { note }),
    },
  )
  try {
    await checkContract(circle, options)
  } catch (cause) {
    closed.abort()
    throw cause
  }
  const seen = openReads(circle, options)
  const { sender } = options
  const own = sender && openTransactions(circle, sender, options, limits)
  const transactions = () => {
    if (own === undefined) throw new RangeError('a chain opened to read cannot send')
    return own
  }
  const send = sending(transactions, seen, closed.signal)
  const { rouse } = circle
  return {
    ...seen,
    ...writes(send, seen, options),
    transactions,
    rouse,
    close: () => closed.abort(),
  }
}

const chainLimits: ChainLimits = {
  ...endpointLimits,
  requestMs: 10_000,
  answerBytesMax: 4 << 20,
  minedMs: 180_000,
  giveUpMs: 900_000,
  pollMs: 1_000,
  gasMarginPercent: 25n,
  gasMax: 1n << 24n,
}

type Writes = Omit<Chain, keyof Reads | 'transactions' | 'rouse' | 'close'>
type Mined = { readonly action: string; readonly receipt: Receipt }
type Send = (action: string, to: Address, data: Hex) => Promise<Mined>

function writes(send: Send, seen: Reads, options: ChainOptions): Writes {
  const { settlement } = options
  const call = async (action: string, ...args: readonly unknown[]): Promise<Tx> =>
    done(await send(action, settlement, settlementCall(action, args)))
  const depositAuthorized: Chain['depositAuthorized'] = ({ config, amount, collector, data }) =>
    call('deposit', plain(config), amount, collector, data)
  const claimCall: Chain['claimCall'] = async (claims, receiver, token) => {
    const settle = settlementCall('settle', [receiver, token])
    const both = [await claimOnly(claims, options), settle]
    return { to: settlement, data: settlementCall('multicall', [both]) }
  }
  const settledIn: Chain['settledIn'] = ({ logs }, receiver, token) =>
    settledBy(logs, settlement, receiver, token)
  return {
    depositAuthorized,
    claimCall,
    settledIn,
    async deposit(rail, config, amount, payer) {
      const wish = { config, amount, rail, payer, nowS: await seen.timeS() }
      if (await seen.authorizes(rail.token)) return depositAuthorized(await authorizeDeposit(wish))
      if (rail.permit2Collector === undefined) throw fault('TOKEN_UNSIGNED', { token: rail.token })
      const allowed = (await seen.allowance(rail.token, payer.address, permit2)) >= amount
      const approval = allowed ? undefined : await send('approve', rail.token, approveAll())
      const tx = await depositAuthorized(await permitDeposit(wish))
      return approval === undefined ? tx : { ...tx, approved: approval.receipt.hash }
    },
    async claim(claims, receiver, token) {
      const { data } = await claimCall(claims, receiver, token)
      const mined = await send('claim', settlement, data)
      return { ...done(mined), settled: settledIn(mined.receipt, receiver, token) }
    },
    initiateWithdraw: (config, amount) => call('initiateWithdraw', plain(config), amount),
    finalizeWithdraw: (config) => call('finalizeWithdraw', plain(config)),
    refund: (config, amount) => call('refund', plain(config), amount),
  }
}

/** Permit2 moves nothing without the payer's signature for it, so one approval is enough for ever. */
function approveAll(): Hex {
  return tokenCall('approve', [permit2, 2n ** 256n - 1n])
}

/** The claim itself, unsigned when the sender may claim, else signed by the authorizer. */
async function claimOnly(claims: readonly Claim[], options: ChainOptions): Promise<Hex> {
  const rows = claims.map(claimRow)
  const { authorizer, sender } = options
  if (authorizer === undefined || (sender !== undefined && mayClaim(claims, sender.address))) {
    return settlementCall('claim', [rows])
  }
  const signature = await signClaims(claims, options, authorizer)
  return settlementCall('claimWithSignature', [rows, signature])
}

/** Sends one transaction after the other: two at once would take the same nonce. */
function sending(transactions: () => Transactions, seen: Reads, signal: AbortSignal): Send {
  let before: Promise<unknown> = Promise.resolve()
  const one: Send = async (action, to, data) => {
    const receipt = await deliver(transactions(), { to, data }, seen, signal)
    if (!receipt.ok) throw revertFault(action, undefined, `${receipt.hash} failed`)
    return { action, receipt }
  }
  return (action, to, data) => {
    const mine = before.then(() => one(action, to, data))
    before = mine.catch(() => {})
    return mine
  }
}

/** Stays with a transaction until it is mined, at a higher price if need be. Throws CHAIN_SLOW. */
async function deliver(
  transactions: Transactions,
  call: { readonly to: Address; readonly data: Hex },
  { fees }: Reads,
  signal: AbortSignal,
): Promise<Receipt> {
  const { rules, limits } = transactions
  const price = firstPrice(await fees(), rules, true)
  if (price === undefined) throw new RangeError('what presses has a price')
  let outgoing = await transactions.write(call, price, [])
  const beganMs = performance.now()
  let postedMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const nowMs = performance.now()
    if (nowMs - beganMs > limits.giveUpMs) break
    if (nowMs - postedMs > limits.minedMs) {
      if (postedMs > beganMs) {
        const dearer = raisedPrice(newest(outgoing).price, await fees(), rules)
        if (dearer !== undefined) outgoing = await transactions.rewrite(outgoing, dearer)
      }
      const why = await transactions.post(outgoing)
      if (why !== undefined && outgoing.versions.length === 1) {
        throw fault('CHAIN_REFUSED', { action: 'the transaction', why })
      }
      postedMs = performance.now()
    }
    const fate = await transactions.fate(outgoing)
    if (fate.state === 'mined' || fate.state === 'deep') return fate.receipt
    await sleep(limits.pollMs, undefined, { signal })
  }
  throw fault('CHAIN_SLOW', { hash: newest(outgoing).hash, seconds: limits.giveUpMs / 1000 })
}

function done({ action, receipt }: Mined): Tx {
  return { action, hash: receipt.hash, gas: receipt.gas }
}
