/** The proof of compatibility: what npm has, unmodified, does a channel's whole life against our contracts. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { x402Client, x402HTTPClient } from '@x402/core/client'
import { toClientEvmSigner } from '@x402/evm'
import { BatchSettlementEvmScheme as ClientScheme } from '@x402/evm/batch-settlement/client'
import { erc20Abi, type LocalAccount, maxUint256 } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { call, type DevChain, startChain } from '../../../demo/chain.ts'
import { openShop, type Shop, walletOn } from './shop.ts'

const account = () => privateKeyToAccount(generatePrivateKey())
const price = 100n
const deposit = 1_000n

for (const transfer of ['eip3009', 'permit2'] as const) {
  describe(`the stock x402 client and facilitator on our contracts, deposits by ${transfer}`, () => {
    const [buyer, receiver, authorizer, relay] = [account(), account(), account(), account()]
    let chain: DevChain
    let shop: Shop
    let client: x402HTTPClient
    let scheme: ClientScheme

    before(async () => {
      chain = await startChain()
      await chain.mint(buyer.address, 10_000n)
      await chain.fund(relay.address, 10n ** 18n)
      if (transfer === 'permit2') await approvePermit2(chain, buyer)
      shop = await openShop({
        chain,
        receiver: receiver.address,
        authorizer,
        relay,
        price: String(price),
        minDeposit: String(deposit),
        transfer,
      })
      scheme = new ClientScheme(toClientEvmSigner(buyer as never, walletOn(chain, buyer) as never))
      const core = new x402Client().register(`eip155:${chain.chainId}`, scheme as never)
      // Unknown tokens are refused unless named, and without a cap far too much is deposited: a deposit may
      // be five payments at most.
      core.setSpendControls({
        maxAmountPerPayment: false,
        allowedAssets: [
          {
            network: `eip155:${chain.chainId}`,
            asset: chain.token,
            maxAmountPerPayment: String(deposit / 5n),
          } as never,
        ],
      })
      client = new x402HTTPClient(core)
    })
    after(async () => {
      await shop?.close()
      await chain?.stop()
    })

    /** GET, 402, pay, GET again: what every x402 client does. */
    const buy = async (): Promise<string> => {
      const first = await fetch(shop.url)
      assert.equal(first.status, 402)
      const required = client.getPaymentRequiredResponse(
        (name) => first.headers.get(name),
        await first.json(),
      )
      const payload = await client.createPaymentPayload(required)
      const headers = client.encodePaymentSignatureHeader(payload)
      const second = await fetch(shop.url, { headers })
      const body = await second.text()
      assert.equal(second.status, 200, body)
      await client.processPaymentResult(payload, (name) => second.headers.get(name), second.status)
      return body
    }
    const height = async () => Number(await call(chain.rpc, 'eth_blockNumber', []))

    it('deposits at the first purchase', async () => {
      assert.equal(await buy(), '21.5 Cel')
      assert.equal(await chain.balanceOf(chain.settlement), deposit)
      assert.equal(await chain.balanceOf(buyer.address), 10_000n - deposit)
    })

    it('pays the next ones by voucher, without a transaction', async () => {
      const before = await height()
      for (let i = 0; i < 4; i += 1) assert.equal(await buy(), '21.5 Cel')
      assert.equal(await height(), before)
    })

    it('claims and settles what was sold', async () => {
      const { claims, settle } = await shop.channels.claimAndSettle()
      assert.equal(claims.length, 1)
      assert.ok(settle?.transaction)
      assert.equal(await chain.balanceOf(receiver.address), 5n * price)
      assert.equal(await chain.balanceOf(chain.settlement), deposit - 5n * price)
    })

    it('claims the last voucher and refunds the rest in one transaction', async () => {
      await buy()
      const before = await height()
      const refund = await scheme.refund(shop.url)
      assert.ok(refund.success)
      assert.equal(await height(), before + 1)
      assert.equal(await chain.balanceOf(buyer.address), 10_000n - 6n * price)
      await shop.channels.settle()
      assert.equal(await chain.balanceOf(receiver.address), 6n * price)
      assert.equal(await chain.balanceOf(chain.settlement), 0n)
    })
  })
}

/** What a holder does once for each token before it can pay by Permit2. */
async function approvePermit2(chain: DevChain, holder: LocalAccount): Promise<void> {
  await chain.fund(holder.address, 10n ** 18n)
  const wallet = walletOn(chain, holder)
  const hash = await wallet.writeContract({
    address: chain.token,
    abi: erc20Abi,
    functionName: 'approve',
    args: [permit2, maxUint256],
  })
  await wallet.waitForTransactionReceipt({ hash })
}

const permit2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
