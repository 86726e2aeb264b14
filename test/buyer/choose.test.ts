/** Whom one budget can pay: what most take is paid, and who takes something else holds nobody up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payable } from '../../runtime/buyer/choose.ts'
import type { Listing } from '../../runtime/buyer/market.ts'
import type { BuyNote } from '../../runtime/buyer/tally.ts'
import { sentenceOf } from '../../runtime/buyer/words.ts'
import type { OfferedRail } from '../../runtime/wire/offer.ts'
import { device } from '../operator/fixture.ts'
import { offeredRail, terms } from './street.ts'

const other: OfferedRail = { ...offeredRail, token: device(77), tokenName: 'Other Coin' }

function listing(n: number, rails: readonly OfferedRail[], more: object = {}): Listing {
  const offer = { device: device(n), receiver: device(8), gateway: device(9), rails, ...more }
  return { offer, streams: [{ terms }] } as unknown as Listing
}

function chosen(found: readonly Listing[], options: Parameters<typeof payable>[1] = {}) {
  const notes: BuyNote[] = []
  const { rail, takers } = payable(found, options, (note) => notes.push(note))
  return { rail, takers: takers.map(({ offer }) => offer.device), notes }
}

test('a device that takes no money is left aside and told, wherever it stands among the offers', () => {
  const free = listing(1, [])
  const sold = [listing(2, [offeredRail]), listing(3, [offeredRail])]
  for (const found of [
    [free, ...sold],
    [...sold, free],
  ]) {
    const { rail, takers, notes } = chosen(found)
    assert.equal(rail, offeredRail)
    assert.deepEqual(takers, [device(2), device(3)])
    assert.equal(notes.length, 1)
    const said = notes.map((note) => sentenceOf(note)).join()
    assert.match(said, new RegExp(`of ${device(1)} is left aside: it takes no money, and `))
  }
})

test('what most take is paid; of two that as many take, the first', () => {
  const both = [listing(1, [other]), listing(2, [offeredRail]), listing(3, [other, offeredRail])]
  assert.equal(chosen(both).rail, other)
  assert.equal(chosen([...both, listing(4, [offeredRail])]).rail, offeredRail)
  assert.deepEqual(chosen(both, { rail: { token: offeredRail.token } }).takers, [
    device(2),
    device(3),
  ])
})

test('a channel pays one receiver: who has another is left aside', () => {
  const { takers } = chosen([listing(1, [other]), listing(2, [other], { receiver: device(7) })])
  assert.deepEqual(takers, [device(1)])
})

test('a device that was named is never left aside, and where nobody takes it nothing begins', () => {
  const found = [listing(1, []), listing(2, [offeredRail])]
  const named = { wanted: { devices: [device(1), device(2)] } }
  assert.throws(() => chosen(found, named), { code: 'OFFER_RAIL', message: /takes no money/ })
  assert.throws(() => chosen([listing(1, [])]), { code: 'OFFER_RAIL', message: /no money/ })
  assert.throws(() => chosen(found, { rail: { chainId: 5 } }), { code: 'OFFER_RAIL' })
})

test('one reads all of its own devices, on no rail', () => {
  const { rail, takers } = chosen([listing(1, []), listing(2, [other])], { own: true })
  assert.equal(rail, undefined)
  assert.deepEqual(takers, [device(1), device(2)])
})
