import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainAvailable } from '../../demo/chain.ts'
import { openOffice, receiver } from './office.ts'

test('the desk grants a deposit, claims inside a withdraw delay, and settles at SIGTERM', {
  skip: chainAvailable() ? false : 'no embedded chain on this machine',
  timeout: 60_000,
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
