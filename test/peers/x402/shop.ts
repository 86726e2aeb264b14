/**
 * A shop of stock parts: the x402 resource server and facilitator of npm behind a small HTTP server, which
 * sells one line of text for a price. Nothing here is ours but the wiring.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { x402Facilitator } from '@x402/core/facilitator'
import { x402HTTPResourceServer, x402ResourceServer } from '@x402/core/server'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { BatchSettlementEvmScheme as FacilitatorScheme } from '@x402/evm/batch-settlement/facilitator'
import { BatchSettlementEvmScheme as ServerScheme } from '@x402/evm/batch-settlement/server'
import { createWalletClient, defineChain, http, type LocalAccount, publicActions } from 'viem'
import type { DevChain } from '../../../demo/chain.ts'

export type Shop = Awaited<ReturnType<typeof openShop>>

/** Viem's clients for a development chain, by account. */
export function walletOn(chain: DevChain, account: LocalAccount) {
  const own = defineChain({
    id: chain.chainId,
    name: 'development',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [chain.rpc] } },
  })
  const transport = http(chain.rpc)
  const client = createWalletClient({ account, chain: own, transport, pollingInterval: 20 })
  return client.extend(publicActions)
}

export type ShopOptions = {
  readonly chain: DevChain
  readonly receiver: `0x${string}`
  readonly authorizer: LocalAccount
  readonly relay: LocalAccount
  readonly price: string
  readonly minDeposit: string
  readonly transfer: 'eip3009' | 'permit2'
}

/** Opens it; `relay` pays the gas, `authorizer` signs claims and refunds, `price` is in token units. */
export async function openShop(options: ShopOptions) {
  const { chain, receiver, authorizer, relay } = options
  const network = `eip155:${chain.chainId}` as const
  const wallet = walletOn(chain, relay)
  const facilitator = new x402Facilitator().register(
    network,
    new FacilitatorScheme(
      toFacilitatorEvmSigner({ ...wallet, address: relay.address } as unknown as Parameters<
        typeof toFacilitatorEvmSigner
      >[0]),
    ),
  )
  // The facilitator's own shape says `string` where the server's says a literal.
  const service = facilitator as unknown as ConstructorParameters<typeof x402ResourceServer>[0]
  const scheme = new ServerScheme(receiver, {
    receiverAuthorizerSigner: authorizer as unknown as NonNullable<
      ConstructorParameters<typeof ServerScheme>[1]
    >['receiverAuthorizerSigner'],
    withdrawDelay: 86_400,
  })
  const resources = new x402ResourceServer(service).register(network, scheme)
  const stock = new x402HTTPResourceServer(resources, { 'GET /reading': goods(options) })
  await stock.initialize()
  const server = createServer((request, response) => {
    serve(stock, request, response).catch((cause) => {
      response.writeHead(500).end(String(cause))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  type Manage = Parameters<ServerScheme['createChannelManager']>
  return {
    url: `http://127.0.0.1:${port}/reading`,
    channels: scheme.createChannelManager(
      facilitator as unknown as Manage[0],
      network,
      chain.token,
    ),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serve(
  stock: x402HTTPResourceServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
  const header = (name: string) => {
    const value = request.headers[name.toLowerCase()]
    return Array.isArray(value) ? value[0] : value
  }
  const method = request.method ?? 'GET'
  const context = {
    adapter: {
      getHeader: header,
      getMethod: () => method,
      getPath: () => path,
      getUrl: () => `http://${request.headers.host}${request.url}`,
      getAcceptHeader: () => header('accept') ?? '',
      getUserAgent: () => header('user-agent') ?? '',
    },
    path,
    method,
    paymentHeader: header('payment-signature'),
  }
  const result = await stock.processHTTPRequest(context as never)
  if (result.type === 'payment-error') {
    const { status, headers, body } = result.response
    response.writeHead(status, headers).end(JSON.stringify(body ?? {}))
    return
  }
  if (result.type !== 'payment-verified') throw new Error('the shop gives nothing away')
  const { paymentPayload, paymentRequirements, declaredExtensions } = result
  const settled = await stock.processSettlement(
    paymentPayload,
    paymentRequirements,
    declaredExtensions,
    { request: context as never },
  )
  if (!settled.success) {
    const { status, headers, body } = settled.response
    response.writeHead(status, headers).end(JSON.stringify(body ?? {}))
    return
  }
  response.writeHead(200, { 'content-type': 'text/plain', ...settled.headers }).end('21.5 Cel')
}

/** What is for sale, as the 402 announces it. */
function goods({ chain, receiver, price, minDeposit, transfer }: ShopOptions) {
  return {
    accepts: {
      scheme: 'batch-settlement',
      payTo: receiver,
      network: `eip155:${chain.chainId}` as const,
      price: {
        asset: chain.token,
        amount: price,
        // Of the token's own EIP-712 domain; and stock clients deposit ten prices unless told.
        extra: {
          name: chain.tokenName,
          version: chain.tokenVersion,
          minDeposit,
          assetTransferMethod: transfer,
        },
      },
    },
    description: 'one reading',
    mimeType: 'text/plain',
  }
}
