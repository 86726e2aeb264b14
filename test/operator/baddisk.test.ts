/** The running desk on a disk that fails: it ends and says so, acks nothing that is not kept, and loses no claim. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainAvailable } from '../../demo/chain.ts'
import { noBadDisk, onBadDisk } from '../disk/baddisk.ts'
import { openOffice, receiver } from './office.ts'

test('a desk whose disk fails stops before it says what it could not keep, and collects all of it later', {
  skip: chainAvailable() ? noBadDisk : 'no embedded chain on this machine',
  timeout: 240_000,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const office = await openOffice(t, { disk })
    const life = office.start()
    await life.until(({ event }) => event === 'ready')
    const market = await office.market()
    const deal = await market.deal(1)
    await market.deposit(deal.config, 4_000_000n)
    await deal.order()
    await life.until(({ event, cap }) => event === 'granted' && cap === '4000000')
    await deal.pay(500_000n)
    await life.until(({ event, total }) => event === 'acked' && total === '500000')
    disk.fail('sync')
    await deal.pay(900_000n).catch(() => {})
    assert.notEqual(await life.ended, 0)
    assert.ok(!life.events.some(({ event, total }) => event === 'acked' && total === '900000'))
    disk.cutPower()
    disk.mend()

    const again = office.start()
    await again.until(({ event }) => event === 'ready')
    await deal.pay(1_200_000n)
    await again.until(({ event, total }) => event === 'acked' && total === '1200000')
    assert.equal(await again.stop(), 0)
    assert.equal(await office.chain.balanceOf(receiver), 1_200_000n, 'claimed once, and all of it')
  })
})
