/**
 * A blockchain that takes back what it had: deposits and claims in blocks that are reorganised away, claims
 * that nobody mines, prices that rise. The gateway is the command, the chain a real one.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call, chainAvailable, type DevChain } from '../../demo/chain.ts'
import type { Hex } from '../../runtime/wire/bytes.ts'
import { gateway } from '../operator/fixture.ts'
import { type Deal, type Event, openOffice, receiver } from '../operator/office.ts'
import { until } from './street.ts'

const skip = chainAvailable() ? false : 'there is no anvil for this machine'
const deep = 3

describe('a chain that takes things back', { skip, concurrency: 2, timeout: 280_000 }, () => {
  it('grants a deposit only when it is deep, and holds still while a reorganisation has taken it', async (t) => {
    const office = await openOffice(t, { confirmations: deep })
    const { chain } = office
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    const market = await office.market()
    const deal = await market.deal(1)
    let before = await snapshot(chain)
    const { hash } = await market.deposit(deal.config, 4_000_000n)
    const raw = await rawOf(chain, hash)
    await deal.order()
    await refused(deal, 'channel-unknown')

    await revert(chain, before)
    await mine(chain, deep)
    before = await snapshot(chain)
    await deal.order()
    await refused(deal, 'channel-unknown', 2)
    assert.ok(!life.events.some(({ event }) => event === 'granted'), 'nothing rests on it')

    await again(chain, raw)
    await mine(chain, deep)
    await life.until(({ event, cap }) => event === 'granted' && cap === '4000000')
    await deal.pay(1_000_000n)
    await life.until(acked('1000000'))

    await revert(chain, before)
    await mine(chain, deep + 2)
    await until(async () => {
      await deal.pay(1_100_000n)
      return lastRefusal(deal) === 'channel-unknown'
    }, 'no books are taken while the deposit is gone')
    const acks = count(life.events, 'acked')
    await again(chain, raw)
    await mine(chain, deep)
    await until(async () => {
      await deal.pay(1_200_000n)
      return life.events.some(acked('1200000'))
    }, 'the same channel and session go on')
    assert.equal(count(life.events, 'acked'), acks + 1, 'and nothing was acked between')
    assert.equal(count(life.events, 'ended'), 0)
    const stopped = life.stop()
    await until(async () => (await chain.balanceOf(receiver)) === 1_200_000n, 'it is claimed')
    assert.equal(await stopped, 0)
  })

  it('sends a claim again that a reorganisation took, and counts it once', async (t) => {
    const office = await openOffice(t, { confirmations: deep })
    const { chain } = office
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    const { deal, market } = await paid(office, life, 900_000n)
    const onItsWay = market.onChain.initiateWithdraw(deal.config, 4_000_000n)
    await onItsWay
    await automine(chain, false)
    const { transaction } = await life.until(({ event }) => event === 'claiming')
    await pooled(chain, String(transaction))
    const before = await snapshot(chain)
    await mine(chain, 1)
    assert.equal(await chain.balanceOf(receiver), 900_000n)
    await revert(chain, before)
    assert.equal(await chain.balanceOf(receiver), 0n, 'taken back')
    await pooled(chain, String(transaction))
    await mine(chain, deep)
    const claimed = await life.until(({ event }) => event === 'claimed')
    assert.equal(claimed.transaction, transaction, 'the same bytes')
    await automine(chain, true)
    assert.equal(await life.stop(), 0)
    assert.equal(await chain.balanceOf(receiver), 900_000n)
    assert.deepEqual([count(life.events, 'claimed'), count(life.events, 'claiming')], [1, 1])
    assert.equal(await nonceOf(chain), 1)
  })

  it('offers a claim that nobody mines again, dearer, and pays for one', async (t) => {
    const office = await openOffice(t, { gas: { minedAfter: '1s' } })
    const { chain } = office
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    const { deal, market } = await paid(office, life, 700_000n)
    await market.onChain.initiateWithdraw(deal.config, 4_000_000n)
    await automine(chain, false)
    const first = await life.until(({ event }) => event === 'claiming')
    const second = await life.until(({ event }) => event === 'replaced')
    assert.equal(second.before, first.transaction)
    // A replacement is said before it is sent; that the cheaper one is gone shows that it arrived.
    await until(
      async () => !(await call(chain.rpc, 'eth_getTransactionByHash', [first.transaction])),
      'the node has dropped the cheaper one',
    )
    await mine(chain, 1)
    const claimed = await life.until(({ event }) => event === 'claimed')
    assert.notEqual(claimed.transaction, first.transaction)
    await automine(chain, true)
    assert.equal(await life.stop(), 0)
    assert.deepEqual([await chain.balanceOf(receiver), await nonceOf(chain)], [700_000n, 1])
  })

  it('lets claims wait while gas is dearer than the limit, and sends them when it is not', async (t) => {
    const office = await openOffice(t, { gas: { maxFee: '30', tip: '1' } })
    const { chain } = office
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    const { deal, market } = await paid(office, life, 500_000n)
    await baseFee(chain, 40n * 10n ** 9n)
    await mine(chain, 1)
    await market.onChain.initiateWithdraw(deal.config, 4_000_000n)
    const { why } = await life.until(({ event, where }) => event === 'trouble' && where === 'claim')
    assert.match(String(why), /a unit of gas costs \d+ wei, the limit is 30000000000/)
    assert.equal(await nonceOf(chain), 0)
    const halfS = (deal.config.withdrawDelay / 2) | 0
    await call(chain.rpc, 'evm_increaseTime', [halfS])
    await baseFee(chain, 40n * 10n ** 9n)
    await mine(chain, 1)
    await life.until(({ event }) => event === 'claimed')
    assert.equal(await chain.balanceOf(receiver), 500_000n)
    assert.equal(await life.stop(), 0)
  })
})

type Office = Awaited<ReturnType<typeof openOffice>>

/** A channel of four tokens whose buyer has promised so much, acked. */
async function paid(office: Office, life: ReturnType<Office['start']>, total: bigint) {
  const market = await office.market()
  const deal = await market.deal(1)
  await market.deposit(deal.config, 4_000_000n)
  await mine(office.chain, deep)
  await deal.order()
  await life.until(({ event }) => event === 'granted')
  await deal.pay(total)
  await life.until(acked(`${total}`))
  return { deal, market }
}

const acked = (total: string) => (event: Event) => event.event === 'acked' && event.total === total

function count(events: readonly Event[], name: string): number {
  return events.filter(({ event }) => event === name).length
}

function lastRefusal({ answers }: Deal): string | undefined {
  const last = answers.at(-1)
  return last?.kind === 'refusal' ? last.refusal.code : undefined
}

async function refused(deal: Deal, code: string, times = 1): Promise<void> {
  const codes = () =>
    deal.answers.flatMap((one) => (one.kind === 'refusal' ? one.refusal.code : []))
  await until(() => codes().filter((one) => one === code).length >= times, `refused ${code}`)
}

const snapshot = ({ rpc }: DevChain) => call(rpc, 'evm_snapshot', [])
const revert = ({ rpc }: DevChain, id: string) => call(rpc, 'evm_revert', [id])
const automine = ({ rpc }: DevChain, on: boolean) => call(rpc, 'evm_setAutomine', [on])
const mine = ({ rpc }: DevChain, blocks: number) =>
  call(rpc, 'anvil_mine', [`0x${blocks.toString(16)}`])
const baseFee = ({ rpc }: DevChain, wei: bigint) =>
  call(rpc, 'anvil_setNextBlockBaseFeePerGas', [`0x${wei.toString(16)}`])
const rawOf = ({ rpc }: DevChain, hash: Hex) => call(rpc, 'eth_getRawTransactionByHash', [hash])
const again = ({ rpc }: DevChain, raw: string) => call(rpc, 'eth_sendRawTransaction', [raw])
const nonceOf = async ({ rpc }: DevChain) =>
  Number(await call(rpc, 'eth_getTransactionCount', [gateway.address, 'latest']))

/** Waits a while until the node knows it; undefined when it does not. */
async function pooled({ rpc }: DevChain, hash: string): Promise<unknown> {
  let found: unknown
  for (let tries = 0; tries < 1_000; tries += 1) {
    found = await call(rpc, 'eth_getTransactionByHash', [hash])
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return undefined
}
