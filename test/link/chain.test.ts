import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { canonical } from '../../contracts/artifacts.ts'
import { call, chainAvailable, type DevChain, plainToken, startChain } from '../../demo/chain.ts'
import { Fault, type FaultCode } from '../../runtime/faults.ts'
import { type Chain, type ChainOptions, openChain } from '../../runtime/link/chain.ts'
import { authorizeDeposit } from '../../runtime/link/deposit.ts'
import { type ChannelConfig, channelId } from '../../runtime/wire/channel.ts'
import { localSigner, type Signer } from '../../runtime/wire/signer.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'
import { openProxy, saying } from './proxy.ts'

const skip = chainAvailable() ? false : 'there is no anvil for this machine'
const key = (n: number) => localSigner(new Uint8Array(32).fill(n))
const [buyer, receiver, gateway, relay] = [key(1), key(2), key(3), key(4)] as const
const day = 86_400

const is =
  (code: FaultCode, text = '') =>
  (error: unknown) => {
    assert.ok(error instanceof Fault, String(error))
    assert.equal(error.code, code, error.message)
    assert.ok(error.message.includes(text), error.message)
    return true
  }

describe('the line to a chain', { skip }, () => {
  let dev: DevChain
  const opened: Chain[] = []
  const open = async (options: Partial<ChainOptions> = {}) => {
    const { chainId, settlement } = dev
    const limits = { pollMs: 20 }
    const chain = await openChain({ rpcs: [dev.rpc], chainId, settlement, limits, ...options })
    opened.push(chain)
    return chain
  }
  const rail = () => ({ ...dev })
  let salt = 0
  const nextSalt = () => {
    salt += 1
    return salt
  }
  const config = (): ChannelConfig => ({
    payer: buyer.address,
    payerAuthorizer: buyer.address,
    receiver: receiver.address,
    receiverAuthorizer: gateway.address,
    token: dev.token,
    withdrawDelay: day,
    salt: new Uint8Array(32).fill(nextSalt()),
  })
  const voucher = (channel: ChannelConfig, maxClaimableAmount: bigint, signer: Signer = buyer) =>
    signVoucher({ channelId: channelId(channel, dev), maxClaimableAmount }, rail(), signer)

  before(async () => {
    dev = await startChain()
    await dev.mint(buyer.address, 1_000_000n)
    for (const { address } of [buyer, gateway, relay]) await dev.fund(address, 10n ** 18n)
  })
  after(async () => {
    for (const chain of opened) chain.close()
    await dev.stop()
  })

  it('sends a deposit for the buyer, and says what the channel holds', async () => {
    const chain = await open({ sender: buyer })
    const channel = config()
    const tx = await chain.deposit(rail(), channel, 1_000n, buyer)
    assert.equal(tx.action, 'deposit')
    assert.ok(tx.gas > 21_000n)
    const expected = { balance: 1_000n, totalClaimed: 0n, refundNonce: 0n }
    assert.deepEqual(await chain.state(channel), expected)
  })

  it('sends for another a deposit that it only signed', async () => {
    const chain = await open({ sender: relay })
    const channel = config()
    const nowS = await chain.timeS()
    const wish = { config: channel, amount: 70n, rail: rail(), payer: buyer, nowS }
    const deposit = await authorizeDeposit(wish)
    await chain.depositAuthorized(deposit)
    assert.equal((await chain.state(channel)).balance, 70n)
    await assert.rejects(chain.depositAuthorized(deposit), is('CHAIN_REFUSED'))
  })

  it('claims many channels and settles them, by the authorizer or by anyone with its signature', async () => {
    const payer = await open({ sender: buyer })
    for (const sender of [gateway, relay]) {
      const chain = await open({ sender, authorizer: gateway })
      const channels = [config(), config()]
      for (const channel of channels) await payer.deposit(rail(), channel, 100n, buyer)
      const claims = await Promise.all(
        channels.map(async (channel) => ({
          config: channel,
          voucher: await voucher(channel, 60n),
        })),
      )
      const held = await chain.balanceOf(dev.token, receiver.address)
      const tx = await chain.claim(claims, receiver.address, dev.token)
      assert.equal(tx.settled, 120n)
      assert.equal(await chain.balanceOf(dev.token, receiver.address), held + 120n)
      const again = await chain.claim(claims, receiver.address, dev.token)
      assert.equal(again.settled, 0n)
    }
  })

  it('says why the contract refuses', async () => {
    const chain = await open({ sender: gateway })
    const channel = config()
    await (await open({ sender: buyer })).deposit(rail(), channel, 10n, buyer)
    const claims = [{ config: channel, voucher: await voucher(channel, 11n) }]
    await assert.rejects(
      chain.claim(claims, receiver.address, dev.token),
      is('CHAIN_REFUSED', 'ClaimOverBalance('),
    )
    await assert.rejects(chain.finalizeWithdraw(channel), is('CHAIN_REFUSED', 'NotPayerSide('))
  })

  it('sees a withdrawal at once, and a deposit only when it is deep enough', async () => {
    const chain = await open({ sender: buyer })
    const careful = await open({ confirmations: 3 })
    const channel = config()
    await chain.deposit(rail(), channel, 500n, buyer)
    assert.equal((await careful.state(channel)).balance, 0n)
    await chain.initiateWithdraw(channel, 200n)
    const { balance, withdrawal } = await careful.state(channel)
    assert.equal(balance, 0n)
    assert.equal(withdrawal?.amount, 200n)
    assert.equal(withdrawal?.atS, (await chain.timeS()) + day)
    await call(dev.rpc, 'anvil_mine', ['0x2'])
    assert.equal((await careful.state(channel)).balance, 500n)
    await (await open({ sender: gateway })).refund(channel, 150n)
    assert.equal((await careful.state(channel)).balance, 350n)
    assert.equal((await careful.state(channel)).withdrawal?.amount, 50n)
  })

  it('deposits a token without ERC-3009 through Permit2, which it allows once', async () => {
    const chain = await open({ sender: buyer })
    await dev.mint(buyer.address, 1_000n, plainToken)
    const { permit2Collector } = canonical
    const plain = { ...rail(), token: plainToken, permit2Collector }
    const channel = { ...config(), token: plainToken }
    const first = await chain.deposit(plain, channel, 300n, buyer)
    const second = await chain.deposit(plain, channel, 100n, buyer)
    assert.match(first.approved ?? '', /^0x[0-9a-f]{64}$/)
    assert.equal(second.approved, undefined)
    assert.equal((await chain.state(channel)).balance, 400n)
    assert.equal(await chain.balanceOf(plainToken, buyer.address), 600n)
    const { permit2Collector: _, ...without } = plain
    await assert.rejects(
      chain.deposit(without, channel, 1n, buyer),
      is('TOKEN_UNSIGNED', plainToken),
    )
  })

  it('refuses a token that keeps a part of what is sent', async () => {
    const chain = await open({ sender: buyer })
    await dev.mint(buyer.address, 1_000n, plainToken)
    const { permit2Collector } = canonical
    const plain = { ...rail(), token: plainToken, permit2Collector }
    const channel = { ...config(), token: plainToken }
    await setFee(dev.rpc, 10n)
    try {
      const words = is('TOKEN_INEXACT', 'of 500 deposited only 495 arrived')
      await assert.rejects(chain.deposit(plain, channel, 500n, buyer), words)
    } finally {
      await setFee(dev.rpc, 0n)
    }
    assert.equal((await chain.state(channel)).balance, 0n)
  })

  it('sends one after the other what is asked at once', async () => {
    const chain = await open({ sender: buyer })
    const channels = [config(), config(), config()]
    const all = channels.map((channel) => chain.deposit(rail(), channel, 5n, buyer))
    const hashes = (await Promise.all(all)).map(({ hash }) => hash)
    assert.equal(new Set(hashes).size, 3)
  })

  it('names the account that has no gas', async () => {
    const poor = key(9)
    const chain = await open({ sender: poor })
    await assert.rejects(chain.deposit(rail(), config(), 1n, buyer), is('GAS_MISSING'))
    assert.equal(await chain.gasOf(poor.address), 0n)
  })

  it('refuses another chain, an address without the contract, and an endpoint that is not there', async () => {
    await assert.rejects(open({ chainId: 1 }), is('CHAIN_OTHER', 'serves chain 31337'))
    await assert.rejects(open({ settlement: buyer.address }), is('CHAIN_NO_CONTRACT'))
    const secret = 'http://127.0.0.1:9/v3/secret-key'
    await assert.rejects(open({ rpcs: [secret] }), (error) => {
      is('CHAIN_UNREACHABLE', 'http://127.0.0.1:9 ')(error)
      assert.doesNotMatch(JSON.stringify(error) + String((error as Error).stack), /secret-key/)
      return true
    })
  })

  it('believes no endpoint that another contradicts', async () => {
    // Every contract read comes back as if it held a fortune.
    const liar = await openProxy(dev.rpc, saying('0x', 255n, 0n))
    try {
      const chain = await open({ rpcs: [dev.rpc, dev.rpc] })
      await chain.state(config())
      const doubted = await open({ rpcs: [dev.rpc, liar.rpc] })
      const channel = config()
      await assert.rejects(doubted.state(channel), is('CHAIN_DISAGREES', 'channel 0x'))
    } finally {
      await liar.close()
    }
  })
})

/** How much of a transfer the plain token keeps, in per mille: `setFee(uint256)`. */
async function setFee(rpc: string, permille: bigint): Promise<void> {
  const [from] = (await call(rpc, 'eth_accounts', [])) as unknown as string[]
  const data = `0x69fe0e2d${permille.toString(16).padStart(64, '0')}`
  await call(rpc, 'eth_sendTransaction', [{ from, to: plainToken, data }])
}
