/**
 * The gateway is killed at every step of a claim, or is away while its buyer withdraws: money that was
 * promised inside the delay arrives, is paid for once, and the books of both sides agree to the unit.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call, chainAvailable } from '../../demo/chain.ts'
import { buyer, gateway } from '../operator/fixture.ts'
import { type Event, type Life, openOffice, receiver } from '../operator/office.ts'
import { until } from './street.ts'

const skip = chainAvailable() ? false : 'there is no anvil for this machine'
const deposit = 4_000_000n
const promised = 1_300_000n
/** What the buyer has before it deposits. */
const purse = 10_000_000n

describe('a gateway that dies while it claims', { skip, concurrency: 2, timeout: 280_000 }, () => {
  for (const { at, mined = true } of [
    { at: 'claim.written' },
    { at: 'claim.posted' },
    { at: 'claim.deep' },
    { at: 'claim.finished' },
    { at: 'claim.renewed', mined: false },
  ]) {
    it(`at ${at} claims once all the same`, async (t) => {
      const office = await openOffice(t, { gas: { minedAfter: '1s' } })
      const { chain } = office
      const { first, market, config } = await promise(office, office.start(at))
      if (!mined) {
        // The withdrawal itself must be mined, and nothing after it.
        await market.onChain.initiateWithdraw(config, deposit)
        await call(chain.rpc, 'evm_setAutomine', [false])
      } else await market.onChain.initiateWithdraw(config, deposit)
      assert.equal(await first.ended, null, 'killed')

      const second = office.start()
      await second.until(({ event }) => event === 'ready')
      await call(chain.rpc, 'evm_setAutomine', [true])
      await call(chain.rpc, 'anvil_mine', ['0x1'])
      await until(async () => (await chain.balanceOf(receiver)) === promised, 'it is claimed')
      if (at !== 'claim.finished') await second.until(({ event }) => event === 'claimed')
      assert.equal(await second.stop(), 0)

      const claims = [...first.events, ...second.events].filter(({ event }) => event === 'claimed')
      assert.deepEqual(
        claims.map(({ value }) => value),
        [`${promised}`],
        'told once',
      )
      assert.equal(Number(await nonceOf(chain.rpc)), 1, 'paid for once')
      assert.equal((await market.onChain.state(config)).totalClaimed, promised)
    })
  }
})

describe('a payer that withdraws', { skip, concurrency: 2, timeout: 280_000 }, () => {
  it('during the sale gets exactly the rest, and no more grants and acks', async (t) => {
    const office = await openOffice(t)
    const { first: life, deal, market, config } = await promise(office, office.start())
    await market.onChain.initiateWithdraw(config, deposit)
    await life.until(({ event }) => event === 'claimed')
    await deal.pay(promised + 1n)
    await until(() => {
      const last = deal.answers.at(-1)
      return last?.kind === 'refusal' && last.refusal.code === 'channel-withdrawing'
    }, 'it is told why')
    const acks = life.events.filter(({ event }) => event === 'acked')
    assert.equal(acks.at(-1)?.total, `${promised}`)
    // Its end claims all that is owed: a promise that was refused, and that no device took, is not.
    assert.equal(await life.stop(), 0)
    assert.equal(await office.chain.balanceOf(receiver), promised)
    await finalize(office, market, config)
    assert.equal(await office.chain.balanceOf(buyer.address), purse - promised)
    assert.equal(await office.chain.balanceOf(office.chain.settlement), 0n)
  })

  it('while the gateway is away is met when it comes back inside the delay', async (t) => {
    const office = await openOffice(t)
    const { first, market, config } = await promise(office, office.start())
    await away(first)
    await market.onChain.initiateWithdraw(config, deposit)
    await pass(office, config.withdrawDelay - 60)
    const life = office.start()
    await life.until(({ event }) => event === 'claimed')
    assert.equal(await life.stop(), 0)
    assert.ok(life.events.some(({ event, why }) => event === 'ended' && why === 'withdrawal'))
    assert.ok(!life.events.some(({ event }) => event === 'acked'), 'nothing is acked unseen')
    await finalize(office, market, config)
    assert.equal(await office.chain.balanceOf(receiver), promised)
    assert.equal(await office.chain.balanceOf(buyer.address), purse - promised)
  })

  it('while the gateway is away for longer has it all, and the gateway acks and grants nothing more', async (t) => {
    const office = await openOffice(t)
    const { first, deal, market, config } = await promise(office, office.start())
    await away(first)
    await market.onChain.initiateWithdraw(config, deposit)
    await finalize(office, market, config)
    assert.equal(await office.chain.balanceOf(buyer.address), purse)
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    await deal.pay(promised + 1n)
    await until(() => deal.answers.at(-1)?.kind === 'refusal', 'it is refused')
    assert.equal(await life.stop(), 0)
    for (const none of ['acked', 'granted', 'claiming', 'claimed']) {
      assert.ok(!life.events.some(({ event }) => event === none), none)
    }
    assert.equal(await office.chain.balanceOf(receiver), 0n)
  })
})

type Office = Awaited<ReturnType<typeof openOffice>>
type Market = Awaited<ReturnType<Office['market']>>
type Config = Parameters<Market['deposit']>[0]

/** A buyer that has promised a part of its deposit, and a gateway that has acked it. */
async function promise(office: Office, first: Life) {
  await first.until(({ event }) => event === 'ready')
  const market = await office.market()
  const deal = await market.deal(1)
  const { config } = deal
  await market.deposit(config, deposit)
  await deal.order()
  await first.until(({ event }) => event === 'granted')
  await deal.pay(promised)
  await first.until(({ event, total }: Event) => event === 'acked' && total === `${promised}`)
  return { first, market, deal, config }
}

/** Kills it, as a power cut would: an orderly end would claim. */
async function away(life: Life): Promise<void> {
  life.kill()
  assert.equal(await life.ended, null)
}

async function pass({ chain }: Office, seconds: number): Promise<void> {
  await call(chain.rpc, 'evm_increaseTime', [seconds])
  await call(chain.rpc, 'anvil_mine', ['0x1'])
}

async function finalize(office: Office, { onChain }: Market, config: Config): Promise<void> {
  await pass(office, config.withdrawDelay)
  await onChain.finalizeWithdraw(config)
}

function nonceOf(rpc: string) {
  return call(rpc, 'eth_getTransactionCount', [gateway.address, 'latest'])
}
