/** The device's disk is full for a while. */
import assert from 'node:assert/strict'
import { noSmallDisk, type SmallDisk } from '../../disk/smalldisk.ts'
import { outage, tells } from './outage.ts'

export const diskFull = outage({
  name: 'disk full',
  says: 'a device whose disk is full says so, leaves no hole without a proof, and goes on when there is room',
  missing: () => noSmallDisk,
  mayEvict: true,
  street: { diskBytes: 96 << 20, settings: { keep: { bytes: '32MiB', free: '32MiB' } } },
  async trouble(sale, over, t) {
    const disk = sale.street.disk as SmallDisk
    const before = (await sale.stall.health())?.store.epochs ?? 0
    disk.fill()
    await tells(sale, /^disk full/)
    await over
    const { store } = (await sale.stall.health()) ?? assert.fail()
    assert.ok(store.full, 'it is full to the end')
    t.diagnostic(
      `${before} epochs before, ${store.epochs} at the end, ${store.waiting} readings wait`,
    )
  },
  mend: async ({ street }) => street.disk?.release(),
})
