import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainAvailable } from '../../demo/chain.ts'
import { openOffice, receiver } from './office.ts'

test('the desk grants a deposit, claims inside a withdraw delay, and settles at SIGTERM', {
  skip: chainAvailable() ? false : 'no embedded chain on this machine',
  timeout: 240_000,
}, async (t) => {
  const office = await openOffice(t)
  const life = office.start()
  await life.until(({ event }) => event === 'ready')
  const { chain } = office
  const market = await office.market()
  const first = await market.deal(1)
  await market.deposit(first.config, 4_000_000n)
  await first.order()
  await life.until(({ event, cap }) => event === 'granted' && cap === '4000000')
  await first.pay(1_500_000n)
  await life.until(({ event, total }) => event === 'acked' && total === '1500000')
  await market.onChain.initiateWithdraw(first.config, 4_000_000n)
  await life.until(({ event, amount }) => event === 'settled' && amount === '1500000')
  assert.equal(await chain.balanceOf(receiver), 1_500_000n, 'claimed inside the withdraw delay')
  assert.ok(life.events.some(({ event, why }) => event === 'ended' && why === 'withdrawal'))

  const second = await market.deal(2)
  await market.deposit(second.config, 3_000_000n)
  await second.order()
  await life.until(({ event, cap }) => event === 'granted' && cap === '3000000')
  await second.pay(800_000n)
  await life.until(({ event, total }) => event === 'acked' && total === '800000')
  assert.equal(await life.stop(), 0)
  assert.equal(await chain.balanceOf(receiver), 2_300_000n, 'settled at the orderly end')
})

test('the desk shows how it stands, and claims that wait for cheaper gas', {
  skip: chainAvailable() ? false : 'no embedded chain on this machine',
  timeout: 240_000,
}, async (t) => {
  const office = await openOffice(t, { gas: { maxFee: '0.000000001' } })
  const life = office.start()
  const { url } = await life.until(({ event }) => event === 'watching')
  await life.until(({ event }) => event === 'ready')
  const { chain } = office
  const market = await office.market()
  const deal = await market.deal(1)
  await market.deposit(deal.config, 4_000_000n)
  await deal.order()
  await life.until(({ event }) => event === 'granted')
  await deal.pay(1_500_000n)
  await life.until(({ event, total }) => event === 'acked' && total === '1500000')
  const health = async () => (await fetch(`${url}/health`)).json() as Promise<Health>
  const before = await health()
  assert.deepEqual([before.ok, before.problems], [true, []])
  assert.deepEqual(before.unclaimed, { [chain.token]: '1500000' })
  assert.equal(before.channels.live, 1)
  assert.equal(before.endpoints[0]?.rpc, chain.rpc)
  // With half of a week's delay before it, a withdrawal is no reason to pay any price.
  await market.onChain.initiateWithdraw(deal.config, 4_000_000n)
  const waits = await life.until(({ code }) => code === 'GAS_DEAR')
  assert.match(String(waits.why), /^a unit of gas costs \d+ wei, the limit is 1$/)
  const after = await health()
  assert.equal(after.ok, false)
  assert.match(after.problems.join('\n'), /claims wait: a unit of gas costs/)
  const scraped = await (await fetch(`${url}/metrics`)).text()
  assert.match(scraped, /^wayside_gas_refusals_total [1-9]/m)
  assert.match(scraped, /^wayside_unclaimed\{token="0x[0-9a-f]{40}"\} 1500000$/m)
  assert.match(scraped, /^wayside_orders_total 1$/m)
  assert.equal(await life.stop(), 0)
})

type Health = {
  readonly ok: boolean
  readonly problems: readonly string[]
  readonly unclaimed: Readonly<Record<string, string>>
  readonly channels: Readonly<Record<string, number>>
  readonly endpoints: readonly { readonly rpc: string }[]
}
