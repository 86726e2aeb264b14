import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  channel,
  openStage,
  type Party,
  type Stage,
  withdrawDelayS,
} from '../../contracts/actors.ts'
import { artifacts } from '../../contracts/artifacts.ts'
import { sourceHash } from '../../contracts/sources.ts'
import { chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'

const skip = chainAvailable() ? false : 'there is no anvil for this machine'

it('the committed code was built from the sources that stand beside it', () => {
  const now = sourceHash()
  for (const { name, sourceHash } of Object.values(artifacts)) {
    assert.equal(sourceHash, now, `generated/${name}.json is stale: npm run build in contracts/`)
  }
})

it('the settlement contract has nothing in its code that belongs to one address', () => {
  assert.deepEqual(artifacts.settlement.settlementAt, [])
  assert.ok(artifacts.settlement.runtime.length / 2 < 24_576, 'more code than a chain takes')
})

describe('a channel on a development chain', { skip }, () => {
  let chain: DevChain
  let stage: Stage
  let payer: Party
  let receiver: Party
  let authorizer: Party
  let relay: Party

  before(async () => {
    chain = await startChain()
    stage = openStage(chain)
    payer = await stage.party(1_000_000n)
    receiver = await stage.party()
    authorizer = await stage.party()
    relay = await stage.party()
  })
  after(async () => {
    stage.close()
    await chain.stop()
  })

  const send = (from: Party, method: string, ...args: readonly unknown[]) =>
    stage.send(stage.settlement, from, method, ...args)
  const read = (method: string, ...args: readonly unknown[]) =>
    stage.settlement.getFunction(method).staticCall(...args)
  const tokens = (party: Party) => chain.balanceOf(party.address as `0x${string}`)
  const opened = async (amount: bigint) => {
    const config = channel(stage, payer, receiver, authorizer)
    const data = await stage.depositData(config, payer, amount)
    await send(relay, 'deposit', config, amount, chain.collector, data)
    return config
  }
  const refuses = (name: string, doing: Promise<unknown>) =>
    assert.rejects(doing, (error: { revert?: { name: string }; data?: string }) => {
      const reason =
        error.revert?.name ??
        stage.settlement.interface.parseError(error.data ?? '0x')?.name ??
        stage.token.interface.parseError(error.data ?? '0x')?.name
      assert.equal(reason, name)
      return true
    })

  it('is named by the same hash as a wallet computes', async () => {
    const config = channel(stage, payer, receiver, authorizer)
    assert.equal(await read('getChannelId', config), stage.channelId(config))
  })

  it('takes a deposit that the payer signed and another sends', async () => {
    const before = await tokens(payer)
    const config = await opened(1_000n)
    const state = await read('channels', stage.channelId(config))
    assert.deepEqual([...state], [1_000n, 0n])
    assert.equal(await tokens(payer), before - 1_000n)
    assert.ok((await chain.balanceOf(chain.settlement)) >= 1_000n)
  })

  it('takes no deposit through an authorization that was for another channel', async () => {
    const config = channel(stage, payer, receiver, authorizer)
    const data = await stage.depositData(config, payer, 10n)
    const other = channel(stage, payer, receiver, authorizer)
    await refuses(
      'AuthorizationNotSigned',
      send(relay, 'deposit', other, 10n, chain.collector, data),
    )
  })

  it('claims what the voucher says, once, and settles it to the receiver', async () => {
    const config = await opened(1_000n)
    const before = await tokens(receiver)
    const row = await stage.voucher(config, payer, 700n)
    await send(receiver, 'claim', [row])
    await send(receiver, 'claim', [row])
    assert.deepEqual([...(await read('channels', stage.channelId(config)))], [1_000n, 700n])
    await send(relay, 'settle', receiver.address, chain.token)
    await send(relay, 'settle', receiver.address, chain.token)
    assert.equal(await tokens(receiver), before + 700n)
  })

  it('claims and settles many channels in one transaction that anyone may send', async () => {
    const configs = [await opened(100n), await opened(100n), await opened(100n)]
    const before = await tokens(receiver)
    const rows = await Promise.all(configs.map((config) => stage.voucher(config, payer, 40n)))
    const signature = await stage.signClaims(rows, authorizer)
    const encode = (method: string, args: readonly unknown[]) =>
      stage.settlement.interface.encodeFunctionData(method, args)
    await send(relay, 'multicall', [
      encode('claimWithSignature', [rows, signature]),
      encode('settle', [receiver.address, chain.token]),
    ])
    assert.equal(await tokens(receiver), before + 120n)
  })

  it('refuses a claim over the voucher, over the deposit, unsigned, or by a stranger', async () => {
    const config = await opened(100n)
    const over = await stage.voucher(config, payer, 50n, 51n)
    await refuses('ClaimOverVoucher', send(receiver, 'claim', [over]))
    const deep = await stage.voucher(config, payer, 101n)
    await refuses('ClaimOverBalance', send(receiver, 'claim', [deep]))
    const forged = await stage.voucher(config, relay, 50n)
    await refuses('VoucherNotSigned', send(receiver, 'claim', [forged]))
    const good = await stage.voucher(config, payer, 50n)
    await refuses('NotReceiverSide', send(relay, 'claim', [good]))
    const signature = await stage.signClaims([good], relay)
    await refuses('NotAuthorized', send(relay, 'claimWithSignature', [good], signature))
    await refuses('EmptyBatch', send(receiver, 'claim', []))
  })

  it('refunds what is unclaimed, and a signed refund only once', async () => {
    const config = await opened(1_000n)
    const before = await tokens(payer)
    await send(receiver, 'claim', [await stage.voucher(config, payer, 300n)])
    const signature = await stage.signRefund(config, 0n, 5_000n, authorizer)
    await send(relay, 'refundWithSignature', config, 5_000n, 0n, signature)
    assert.equal(await tokens(payer), before + 700n)
    await refuses(
      'WrongRefundNonce',
      send(relay, 'refundWithSignature', config, 5_000n, 0n, signature),
    )
  })

  it('lets the payer withdraw after the delay what no voucher claimed inside it', async () => {
    const config = await opened(1_000n)
    const before = await tokens(payer)
    await send(payer, 'initiateWithdraw', config, 1_000n)
    await refuses('WithdrawalTooEarly', send(payer, 'finalizeWithdraw', config))
    await send(receiver, 'claim', [await stage.voucher(config, payer, 400n)])
    await stage.pass(withdrawDelayS)
    await send(payer, 'finalizeWithdraw', config)
    assert.equal(await tokens(payer), before + 600n)
    await refuses('WithdrawalNotPending', send(payer, 'finalizeWithdraw', config))
  })

  it('pays the receiver when the payer is blacklisted by the token', async () => {
    const config = await opened(1_000n)
    await send(relay, 'settle', receiver.address, chain.token)
    await send(receiver, 'claim', [await stage.voucher(config, payer, 10n)])
    await stage.send(stage.token, relay, 'setBlacklisted', payer.address, true)
    const before = await tokens(receiver)
    await send(relay, 'settle', receiver.address, chain.token)
    assert.equal(await tokens(receiver), before + 10n)
    await refuses('Blacklisted', send(receiver, 'refund', config, 1n))
    await stage.send(stage.token, relay, 'setBlacklisted', payer.address, false)
    await send(receiver, 'refund', config, 1n)
  })
})
