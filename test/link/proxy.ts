/** An endpoint in front of a chain that can be told to lie, lag, hang, flood or refuse. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { call } from '../../demo/chain.ts'

export type Asked = { readonly method: string; readonly params: readonly unknown[] }

/** How it answers now. `real` is what the chain says. */
export type Mood =
  | 'honest'
  | 'hangs'
  | 'garbage'
  | 'floods'
  | 'busy'
  | 'drops'
  | ((asked: Asked, real: (asked?: Asked) => Promise<unknown>) => Promise<unknown>)

export type Frontend = {
  readonly rpc: string
  /** As faults and notes name it. */
  readonly name: string
  mood: Mood
  /** Requests that came. */
  readonly asked: Asked[]
  close(): Promise<void>
}

export async function openProxy(rpc: string, mood: Mood = 'honest'): Promise<Frontend> {
  const proxy = { rpc: '', name: '', mood, asked: [] as Asked[], close: async () => {} }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString())
    proxy.asked.push({ method, params })
    const { mood: now } = proxy
    if (now === 'hangs') return
    if (now === 'drops') return void request.socket.destroy()
    if (now === 'garbage') return void response.end('<html>sorry</html>')
    if (now === 'busy') return void response.writeHead(429).end('slow down')
    if (now === 'floods') {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', write)
      }
      return write()
    }
    const real = (asked: Asked = { method, params }) => answerOf(rpc, asked)
    const say = (body: object) => response.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
    try {
      say({ result: await (now === 'honest' ? real() : now({ method, params }, real)) })
    } catch (cause) {
      say({
        error: (cause as { rpcError?: unknown }).rpcError ?? { code: 1, message: String(cause) },
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  proxy.name = proxy.rpc
  proxy.close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return proxy
}

/** What the chain answers, null too; throws its error with the data of a revert. */
async function answerOf(rpc: string, { method, params }: Asked): Promise<unknown> {
  const answer = await fetch(rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const body = (await answer.json()) as { result?: unknown; error?: { message: string } }
  if (body.error === undefined) return body.result
  throw Object.assign(new Error(body.error.message), { rpcError: body.error })
}

/** The mood of one that stands still at the newest block of this moment. */
export async function standingStill(rpc: string): Promise<Mood> {
  const block = await call(rpc, 'eth_blockNumber', [])
  return async ({ method, params }, real) => {
    if (method === 'eth_getTransactionReceipt') {
      const receipt = (await real()) as { blockNumber: string } | null
      return receipt !== null && BigInt(receipt.blockNumber) > BigInt(block) ? null : receipt
    }
    const at = params.map((param) => (param === 'latest' ? block : param))
    return real({ method, params: at })
  }
}

/** The mood of one that puts other numbers into what the settlement answers; zero leaves it as it is. */
export function saying(selector: string, ...numbers: readonly bigint[]): Mood {
  return async ({ method, params }, real) => {
    const { data } = (params[0] ?? {}) as { data?: string }
    if (method !== 'eth_call' || data?.startsWith(selector) !== true) return real()
    return `0x${numbers.map((number) => number.toString(16).padStart(64, '0')).join('')}`
  }
}
