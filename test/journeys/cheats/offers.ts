/** Offers that are not what they say: of an earlier day, or of somebody who poses as the gateway. */
import assert from 'node:assert/strict'
import { addressOf, randomBytes, sign } from '#crypto'
import { hex, utf8 } from '../../../runtime/wire/bytes.ts'
import { signEnrolment } from '../../../runtime/wire/enrolment.ts'
import { readOffer } from '../../../runtime/wire/offer.ts'
import { signDocument } from '../../../runtime/wire/signed.ts'
import { topics } from '../../../runtime/wire/topic.ts'
import { type Journey, journey } from '../journey.ts'
import { until } from '../street.ts'
import { openHonest } from './honest.ts'
import { lyingLine } from './liar.ts'
import {
  deposited,
  lineOf,
  newest,
  openBuyer,
  openSale,
  type Sale,
  settled,
  unmoved,
} from './sale.ts'
import { forge } from './strangers.ts'

const stale = journey({
  name: 'stale offer',
  says: 'who has bought under an offer takes no older one, in this run or the next, and says so',
  async run(street) {
    const sale = await openSale(street)
    const { outside, stall } = sale
    const { offer: topic } = topics(stall.device)
    const [old] = outside.sent.filter((one) => one.topic === topic)
    assert.ok(old && readOffer(old.payload).offer.version < sale.device.version)
    const line = await lineOf(street, 'believer')
    const first = await openHonest(street, {
      line: lyingLine(line, (at, payload) => (at === topic ? [payload, old.payload] : [payload])),
    })
    await first.more(10)
    const before = await first.done()
    assert.equal(first.listings[0]?.offer.version, sale.device.version)

    const rolled = lyingLine(line, (at, payload) => [at === topic ? old.payload : payload])
    const found: string[] = []
    const note = (one: object) => 'finding' in one && found.push(String(one.finding))
    const { signer, folder } = first
    const again = { signer, folder, note, limits: { offerMs: 800, discoverMs: 100 } }
    await assert.rejects(
      openHonest(street, { ...again, line: rolled }),
      ({ code, cure }: { code: string; cure: string }) => code === 'OFFER_MISSING' && cure !== '',
    )
    assert.ok(found.includes('stale offer'))

    const second = await openHonest(street, { signer, folder })
    await second.more(10)
    // It has put in what the first run had promised, so that its own budget is whole.
    await settled(sale, await second.done(), deposited + before)
  },
})

const impostor = journey({
  name: 'impostor of the gateway',
  says: 'an offer in the name of the operator that its own key did not sign draws no order and no books',
  async run(street) {
    const sale = await openSale(street)
    const { topic, payload } = await imposture(sale)
    // A peer that shows the gateway nothing: what the device tells it, sealed, is all that it gets.
    const peer = await openBuyer(sale)
    await unmoved(sale, () => forge(sale, topic, payload))
    const range = await newest(sale)
    const payment = await peer.pay(500n, 1n)
    await peer.desk.request({ kind: 'promise', payment, buy: [range] })
    await until(async () => (await sale.stall.sale()).acknowledged === 500n, 'the gateway heard it')

    // Between the true one and its own, whose version is higher.
    const [told] = sale.outside.sent.filter((one) => one.topic === topic)
    assert.ok(told)
    const believer = lyingLine(await lineOf(street, 'believer'), (at, one) =>
      at === topic ? [payload, told.payload, payload] : [one],
    )
    const honest = await openHonest(street, { line: believer })
    await honest.more(20)
    const promised = await honest.done()
    await settled(sale, 500n + promised, 2n * deposited)
  },
})

export const offers: readonly Journey[] = [stale, impostor]

/** An offer under the operator's address, signed by a stranger whom the stranger has enrolled for it. */
async function imposture({ gateway }: Sale) {
  const secret = randomBytes(32)
  const stranger = addressOf(secret)
  const signs = (digest: Uint8Array) => sign(digest, secret)
  const enrolment = await signEnrolment(
    { device: gateway.device, operator: stranger, signingKey: stranger, version: 1 },
    async (digest) => signs(digest),
  )
  const offer = {
    ...gateway,
    version: 2 ** 31,
    operator: stranger,
    signingKey: stranger,
    hpke: hex(randomBytes(32)),
    enrolment: hex(enrolment),
  }
  const payload = utf8(signDocument('offer', offer, signs))
  assert.equal(readOffer(payload).signer, stranger)
  return { topic: topics(gateway.device).offer, payload }
}
