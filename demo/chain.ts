import { createRequire } from 'node:module'
import { type Artifact, artifacts, canonical, placed } from '../contracts/artifacts.ts'
import type { Address } from '../runtime/wire/address.ts'
import { type Guarded, startGuarded } from './guard.ts'

/**
 * A blockchain of one's own for the demo and the tests: anvil, with our contracts at the addresses where
 * x402 has its own on public chains, and a token that anyone may mint.
 *
 * Plain JSON-RPC, so that nothing here needs ethers. There is no anvil for arm64 on the registry.
 */
export type DevChain = {
  /** Where it answers, on this machine only: http://127.0.0.1:<port>. */
  readonly rpc: string
  readonly chainId: number
  readonly settlement: Address
  readonly collector: Address
  readonly token: Address
  /** Name and version of the token's EIP-712 domain, which a payer signs deposits under. */
  readonly tokenName: string
  readonly tokenVersion: string
  /** Gives an account tokens, in the smallest unit (a millionth); of `token` unless another is named. */
  mint(to: Address, amount: bigint, of?: Address): Promise<void>
  /** Sets what an account has for gas, in wei. */
  fund(to: Address, wei: bigint): Promise<void>
  /** Tokens of an account, in the smallest unit. */
  balanceOf(account: Address): Promise<bigint>
  /** Ends it; once the promise is kept the process is gone. A second call does nothing. */
  stop(): Promise<void>
}

export type DevChainOptions = {
  /** Stops the chain when it aborts. */
  readonly signal?: AbortSignal
  /** Seconds between blocks; without it, a block at each transaction. */
  readonly blockTimeS?: number
}

/** A token of every such chain that is an ERC-20 and nothing more: deposits of it go through Permit2. */
export const plainToken: Address = '0xd012a4d012a4d012a4d012a4d012a4d012a4d012'

/** Whether this machine can have an embedded chain at all. */
export function chainAvailable(): boolean {
  return anvil() !== undefined
}

/** Starts the chain and puts the contracts on it. Throws an Error that says what to do where it cannot. */
export async function startChain(options: DevChainOptions = {}): Promise<DevChain> {
  options.signal?.throwIfAborted()
  const binary = anvil()
  if (binary === undefined) throw new Error(noChain)
  const child = launch(binary, options)
  const stop = async () => {
    child.end()
    await child.ended
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    return { ...(await useChain(`http://127.0.0.1:${await listening(child)}`)), stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

/** Puts the contracts on an anvil that runs elsewhere; whoever started it ends it. */
export async function useChain(rpc: string): Promise<DevChain> {
  const chainId = Number(await call(rpc, 'eth_chainId', []))
  await putContracts(rpc)
  return { ...devToken(rpc), rpc, chainId, ...places, ...tokenDomain, stop: async () => {} }
}

/** One JSON-RPC call; '' where the node has nothing. Throws an Error with its own words when it refuses. */
export async function call<Result = string>(
  rpc: string,
  method: string,
  params: readonly unknown[],
): Promise<Result | ''> {
  const answer = await fetch(rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(callTimeoutMs),
  })
  const body: { result?: Result; error?: { message: string } } = await answer.json()
  if (body.error !== undefined) throw new Error(`${method}: ${body.error.message}`)
  return body.result ?? ''
}

const callTimeoutMs = 10_000
const startTimeoutMs = 10_000
const receiptPollMs = 20
const bannerCharsMax = 10_000

const tokenDomain = { tokenName: 'Wayside Dev Dollar', tokenVersion: '1' } as const
const places = {
  settlement: canonical.settlement,
  collector: canonical.collector,
  token: '0xd011a4d011a4d011a4d011a4d011a4d011a4d011',
} as const satisfies Record<string, Address>

const noChain = `there is no embedded chain for ${process.platform}-${process.arch}: \
run a chain elsewhere and name it with --rpc`

function launch(binary: string, { blockTimeS }: DevChainOptions): Guarded {
  const pace = blockTimeS === undefined ? [] : ['--block-time', String(blockTimeS)]
  const flags = ['--host', '127.0.0.1', '--port', '0', '--hardfork', 'prague', '--accounts', '1']
  const anvil = startGuarded(binary, [...flags, ...pace])
  anvil.errors.resume()
  return anvil
}

function listening({ output, ended }: Guarded): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  const timer = setTimeout(
    () => reject(new Error(`anvil did not listen within ${startTimeoutMs} ms; it said: ${said}`)),
    startTimeoutMs,
  )
  ended.then(() => reject(new Error(`anvil ended at once; it said: ${said}`)), reject)
  output.setEncoding('utf8').on('data', (text: string) => {
    // Later it tells of every call, which nobody wants to keep.
    if (said.length < bannerCharsMax) said += text
    const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
    if (port !== undefined) resolve(port)
  })
  return promise.finally(() => clearTimeout(timer))
}

async function putContracts(rpc: string): Promise<void> {
  const put = (address: string, artifact: Artifact) =>
    call(rpc, 'anvil_setCode', [address, placed(artifact, canonical.settlement)])
  await put(canonical.settlement, artifacts.settlement)
  await put(canonical.collector, artifacts.collector)
  await put(canonical.permit2Collector, artifacts.permit2Collector)
  await put(canonical.permit2, artifacts.permit2)
  await put(canonical.multicall, artifacts.multicall)
  await put(places.token, artifacts.token)
  await put(plainToken, artifacts.plainToken)
}

function devToken(rpc: string): Pick<DevChain, 'mint' | 'fund' | 'balanceOf'> {
  return {
    mint: async (to, amount, of = places.token) => {
      const [from] = await call<readonly string[]>(rpc, 'eth_accounts', [])
      const data = `0x40c10f19${word(BigInt(to))}${word(amount)}`
      const hash = await call(rpc, 'eth_sendTransaction', [{ from, to: of, data }])
      await mined(rpc, hash)
    },
    fund: async (to, wei) => {
      await call(rpc, 'anvil_setBalance', [to, `0x${wei.toString(16)}`])
    },
    balanceOf: async (account) => {
      const data = `0x70a08231${word(BigInt(account))}`
      return BigInt(await call(rpc, 'eth_call', [{ to: places.token, data }, 'latest']))
    },
  }
}

async function mined(rpc: string, hash: string): Promise<void> {
  const deadline = Date.now() + callTimeoutMs
  while (Date.now() < deadline) {
    if ((await call(rpc, 'eth_getTransactionReceipt', [hash])) !== '') return
    await new Promise((resolve) => setTimeout(resolve, receiptPollMs))
  }
  throw new Error(`transaction ${hash} was not mined within ${callTimeoutMs} ms`)
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0')
}

function anvil(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil')
  } catch {
    return undefined
  }
}
