/** Copies of a card: an older image put back, and one folder on two machines. */
import assert from 'node:assert/strict'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, faults } from '../../../runtime/faults.ts'
import type { Address } from '../../../runtime/wire/address.ts'
import { hex } from '../../../runtime/wire/bytes.ts'
import { decodeMessage } from '../../../runtime/wire/epoch.ts'
import { headerHash } from '../../../runtime/wire/header.ts'
import { type Journey, journey } from '../journey.ts'
import { type Outside, openOutside } from '../outside.ts'
import { openStall, type Stall } from '../stall.ts'
import { until } from '../street.ts'
import { openHonest } from './honest.ts'
import { lineOf, openSale } from './sale.ts'

const restored = journey({
  name: 'restored image',
  says: 'a device on an older image of its card says nothing and stops, and when mended goes on above all that it said',
  withinS: 90,
  async run(street, t) {
    const sale = await openSale(street)
    const { stall, outside } = sale
    const honest = await openHonest(street)
    await honest.more(10)
    await stall.stop()
    const image = join(street.folder, 'image')
    await cp(stall.folder, image, { recursive: true })
    await stall.open()
    await honest.more(10)
    await stall.stop()
    const { promised } = honest.summary().money ?? { promised: 0n }
    await rm(stall.folder, { recursive: true })
    await cp(image, stall.folder, { recursive: true })

    const said = outside.epochs(stall.device).length
    await stall.open()
    await until(() => stall.died() !== undefined, 'it stops')
    const fault = stall.died()
    assert.ok(fault instanceof Fault && fault.code === 'BOOKS_LOST', String(fault))
    assert.equal(fault.cure, faults.BOOKS_LOST.cure)
    await assert.rejects(stall.stop())
    assert.equal(outside.epochs(stall.device).length, said, 'it said nothing')

    const config = join(street.folder, 'device.yaml')
    await writeFile(config, JSON.stringify(stall.settings))
    const mended = street.wayside('recover', config)
    assert.equal(await mended.ended, 0, mended.words())
    await stall.open()
    await honest.more(10)
    assert.deepEqual(twice(outside, stall.device), [])
    assert.equal(honest.found('fork'), 0)
    honest.stop()
    await honest.close()
    // What was promised under the lost books counts as spent; from there on all is exact.
    const total = honest.summary().money?.promisedTotal ?? 0n
    await until(async () => (await stall.sale()).acknowledged === total, 'it is acknowledged')
    const sold = await stall.sale()
    assert.equal(sold.promised, total)
    sale.operator.signal('SIGTERM')
    assert.equal(await sale.operator.ended, 0, sale.operator.words())
    assert.equal(await street.chain.balanceOf(street.people.receiver.address), total)
    t.diagnostic(`${promised} promised before, ${total} in all`)
  },
})

const cloned = journey({
  name: 'cloned card',
  says: 'of two machines with one card no more than one goes on speaking, the takeovers end, and the other comes back when it is mended',
  street: { money: false },
  withinS: 240,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    const outside = await openOutside(await lineOf(street, 'outside'))
    const folder = join(street.folder, 'clone')
    await stall.open()
    await outside.until(() => outside.epochs(stall.device).length > 2)
    await stall.stop()
    await cp(stall.folder, folder, { recursive: true })
    const clone = await openStall(folder, { ...stall.settings, folder })
    street.end.add(() => clone.stop().catch(() => {}))

    await Promise.all([stall.open(), clone.open()])
    const both = [stall, clone]
    const books = () => Promise.all(both.map(async (one) => (await one.health())?.books))
    const out = (of: string | undefined) => of === 'cloned' || of === 'lost'
    await until(async () => (await books()).some(out), 'one has noticed', 90_000)
    const which = (await books()).findIndex(out)
    const [one, other] = [both[which], both[1 - which]] as [Stall, Stall]
    await until(async () => !(await isOnLine(one)), 'it leaves the broker', 90_000)
    // Who came late finds the other's words beyond its books, and stops; who is overtaken hears the other.
    const fault = one.died()
    if (fault !== undefined) {
      assert.ok(fault instanceof Fault && fault.code === 'BOOKS_LOST', String(fault))
      await assert.rejects(one.stop())
    } else {
      assert.match(one.all(), /DEVICE_CLONED/)
      await sensesOn(one)
      await one.stop()
    }
    // Started again before anybody has decided, it throws nobody out.
    await until(async () => (await isOnLine(other)) || out((await books())[1 - which]), 'the other')
    const before = (await other.health())?.broker.takeovers
    await one.open()
    if (fault === undefined) await sensesOn(one)
    else await until(() => one.died() !== fault, 'it stops again')
    assert.equal(await isOnLine(one), false)
    if (!out((await books())[1 - which])) await speaksOn(outside, other)
    assert.equal((await other.health())?.broker.takeovers, before, 'the takeovers end')
    t.diagnostic(`${one.died() ?? 'cloned'}; ${before} takeovers`)
    await Promise.allSettled(both.map((each) => each.stop()))

    // The other one is found and destroyed.
    const config = join(street.folder, 'mended.yaml')
    await writeFile(config, JSON.stringify(one.settings))
    const mended = street.wayside('recover', config)
    assert.equal(await mended.ended, 0, mended.words())
    const said = outside.epochs(stall.device).length
    const forked = twice(outside, stall.device)
    await one.open()
    await speaksOn(outside, one)
    const later = outside.epochs(stall.device).slice(said)
    assert.ok(later.every(({ generation }) => generation > 1))
    assert.deepEqual(twice(outside, stall.device), forked)
  },
})

async function isOnLine(stall: Stall): Promise<boolean> {
  return (await stall.health())?.broker.connected === true
}

async function sensesOn(stall: Stall): Promise<void> {
  const stored = async () => (await stall.health())?.store.epochs ?? 0
  const before = await stored()
  await until(async () => (await stored()) > before + 2, 'it senses on')
}

/** What it says comes, and its line does not fall. */
async function speaksOn({ epochs }: Outside, stall: Stall): Promise<void> {
  await until(() => isOnLine(stall), 'it is there')
  const count = () => epochs(stall.device).length
  const before = count()
  await until(() => count() > before + 10, 'it speaks on')
  assert.ok(await isOnLine(stall))
}

export const images: readonly Journey[] = [restored, cloned]

/** Numbers under which two different headers were said. */
function twice(outside: Outside, device: Address): number[] {
  const first = new Map<number, string>()
  return outside.messages(device).flatMap((payload) => {
    const { header, headerBytes } = decodeMessage(payload)
    const hash = hex(headerHash(headerBytes))
    const known = first.get(header.number) ?? hash
    first.set(header.number, known)
    return known === hash ? [] : [header.number]
  })
}
