/**
 * One JSON-RPC endpoint over HTTP, which may be slow, broken or hostile: every question has an end and every
 * answer a size, and what is no answer is a fault that names the endpoint by its origin alone. What stands
 * behind that in a URL, or before it as a login, may be a secret.
 *
 * ethers brings a client too. It reads an answer however large it is, puts the URL into its errors, and tries
 * again by itself: with a transport that does none of that it would be longer than this.
 */
import { type Fault, fault } from '../faults.ts'

export type Rpc = {
  /** Its origin. */
  readonly name: string
  /** The result as it came. Throws RpcRefusal when the node itself says no, else CHAIN_UNREACHABLE. */
  call(method: string, params: readonly unknown[]): Promise<unknown>
}

export type RpcLimits = {
  /** One request, from the first byte sent to the last one read. */
  readonly requestMs: number
  /** A block of a busy chain names its transactions in a few hundred kB; an answer over this is cut off. */
  readonly answerBytesMax: number
}

/** What a node refused, in its own words. */
export class RpcRefusal extends Error {
  readonly number: number
  /** What the contract returned with a revert. */
  readonly data: string | undefined
  constructor(message: string, number: number, data?: string) {
    super(message)
    this.name = 'RpcRefusal'
    this.number = number
    this.data = data
  }
}

/** `signal` ends every request that still waits. */
export function openRpc(url: string, limits: RpcLimits, signal: AbortSignal): Rpc {
  const at = new URL(url)
  const headers = headersOf(at)
  const name = at.origin
  let asked = 0
  return {
    name,
    async call(method, params) {
      asked += 1
      const id = asked
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
      const late = AbortSignal.timeout(limits.requestMs)
      try {
        const response = await fetch(at, {
          method: 'POST',
          headers,
          body,
          redirect: 'error',
          signal: AbortSignal.any([late, signal]),
        })
        const text = await textOf(response, limits.answerBytesMax)
        return resultOf(text, id, response.status)
      } catch (cause) {
        if (cause instanceof RpcRefusal) throw cause
        const slow = `no answer within ${limits.requestMs / 1000} s`
        throw unreachable(name, late.aborted ? slow : reasonOf(cause))
      }
    },
  }
}

/** No cause is kept: fetch repeats the URL in its errors. */
export function unreachable(rpc: string, why: string): Fault {
  return fault('CHAIN_UNREACHABLE', { rpc, why })
}

function headersOf(at: URL): Record<string, string> {
  const headers = { 'content-type': 'application/json' }
  if (at.username === '' && at.password === '') return headers
  const login = `${decodeURIComponent(at.username)}:${decodeURIComponent(at.password)}`
  at.username = ''
  at.password = ''
  return { ...headers, authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new RangeError(`an answer over ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function resultOf(text: string, id: number, status: number): unknown {
  const answer = parsed(text)
  const { error, result } = answer ?? {}
  if (answer === undefined || (error === undefined && result === undefined)) {
    throw new RangeError(status === 200 ? 'an answer that is no JSON-RPC' : `HTTP ${status}`)
  }
  if (error !== undefined && error !== null) throw refusalOf(error, status)
  if (answer.id !== id) throw new RangeError('an answer to another question')
  return result
}

function refusalOf(error: unknown, status: number): Error {
  const { message, code, data } = Object(error) as Record<string, unknown>
  const busy = status === 429 || code === limitExceeded
  const said = typeof message === 'string' ? message.slice(0, wordsMax) : 'an error without words'
  if (busy) return new RangeError(`it is asked too often: ${said}`)
  const number = typeof code === 'number' ? code : 0
  return new RpcRefusal(said, number, typeof data === 'string' ? data : undefined)
}

/** EIP-1474: "Request exceeds defined limit". */
const limitExceeded = -32_005
const wordsMax = 300

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** What went wrong on the way, without the address that fetch puts into its words. */
function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return cause.message
  const { code } = Object((cause as { cause?: unknown }).cause) as { code?: unknown }
  return typeof code === 'string' ? code : 'the connection failed'
}
