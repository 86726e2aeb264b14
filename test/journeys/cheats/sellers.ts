/**
 * A seller that cheats: a device of the fleet that its owner has bent. The buyer finds it out before it
 * pays, or for one batch at most; the others of the street see nothing of it.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, randomBytes, sign } from '#crypto'
import { buyerLimits } from '../../../runtime/buyer/limits.ts'
import { openBroker } from '../../../runtime/link/broker.ts'
import { openDeviceKey } from '../../../runtime/sign/key.ts'
import { hex, utf8 } from '../../../runtime/wire/bytes.ts'
import { signEnrolment } from '../../../runtime/wire/enrolment.ts'
import { decodeMessage, encodeMessage } from '../../../runtime/wire/epoch.ts'
import { headerDigest } from '../../../runtime/wire/header.ts'
import type { Offer } from '../../../runtime/wire/offer.ts'
import { signDocument } from '../../../runtime/wire/signed.ts'
import type { Terms } from '../../../runtime/wire/terms.ts'
import { parseTopic, topics } from '../../../runtime/wire/topic.ts'
import { openDevice, type StandOptions, terms } from '../../buyer/street.ts'
import { type Journey, journey } from '../journey.ts'
import { type Street, until } from '../street.ts'
import { type Honest, inOrder, openHonest } from './honest.ts'
import { lineOf } from './sale.ts'

/** What a buyer that pays on sight promises at most before the first key comes: one batch of seen epochs. */
const batch = BigInt(buyerLimits.batchMax) * 200n

const headers = journey({
  name: 'header signed by another key',
  says: 'epochs that another key signed are findings, and are not paid',
  run: (street) =>
    bent(street, { signs: { headers: byStranger() } }, async (honest) => {
      await until(() => honest.found('wrong signature') > 3, 'it is found')
      return 0n
    }),
})

const states = journey({
  name: 'state signed by another key',
  says: 'a seller whose word of where we stand another key signed gets no promise',
  run: (street) =>
    bent(street, { signs: { states: byStranger() } }, async (honest) => {
      await until(() => honest.found('wrong signature') > 0, 'it is found')
      assert.ok(honest.notes.some((note) => 'why' in note && note.why === 'of a state'))
      return 0n
    }),
})

const keys = journey({
  name: 'keys that do not open',
  says: 'a seller whose keys do not open what was paid is a finding, and gets no more than that batch',
  run: (street) => {
    const wrong: StandOptions['bend'] = (nodes) =>
      nodes.map((node) => ({ ...node, key: node.key.map((byte) => byte ^ 1) }))
    return bent(street, { bend: wrong }, async (honest) => {
      await until(() => honest.found('paid and does not open') > 0, 'it is found')
      return batch
    })
  },
})

const kept = journey({
  name: 'keys that are kept back',
  says: 'a seller that takes a promise and gives no key is told of, and gets no further promise',
  run: (street) =>
    bent(street, { bend: () => [] }, async (honest) => {
      await until(() => honest.notes.some(({ event }) => event === 'undelivered'), 'it is told')
      return batch
    }),
})

const fork = journey({
  name: 'two headers for one number',
  says: 'a second header for a number is a fork, shown with both, and only the first is paid',
  async run(street) {
    const [{ device }] = street.stalls as [Street['stalls'][0]]
    const { sign: signs } = await openDeviceKey(`${street.folder}/device0`)
    const twice = (topic: string, payload: Uint8Array) => {
      if (parseTopic(topic)?.kind !== 'epoch') return [payload]
      const { header, headerBytes, body } = decodeMessage(payload)
      if (header.stream !== 'air' || header.number % 2 === 0) return [payload]
      const other = headerBytes.slice()
      // Flags, which a reader passes over: this one stands for any other word.
      other[99] = 1
      const signature = signs(headerDigest(other))
      return [payload, encodeMessage({ headerBytes: other, signature, body })]
    }
    const stand = await openStand(street, {}, twice)
    const honest = await openHonest(street)
    await honest.more(30)
    assert.ok(honest.found('fork') > 0)
    const fork = honest.notes.find((note) => 'finding' in note && note.finding === 'fork')
    assert.ok(fork && 'device' in fork && fork.device === device)
    assert.equal(await honest.done('some'), stand.counts().delivered)
    // Whoever begins with the second header finds the chain broken behind it, once; from there on all comes.
    const broken = honest.notes.flatMap((note) =>
      'finding' in note && note.finding === 'broken chain' ? (note.number ?? 0) : [],
    )
    assert.ok(new Set(broken).size <= 1, String(broken))
    const begun = honest.items.filter(({ epoch }) => epoch > (broken[0] ?? 0))
    assert.ok(begun.length >= 20, `${begun.length} readings`)
    inOrder(street, begun)
  },
})

const changed = journey({
  name: 'changed terms',
  says: 'a price that is raised in the middle of an order is a finding at the first epoch under it, and is not paid',
  async run(street) {
    const cheap = await openStand(street, {})
    const honest = await openHonest(street)
    await honest.more(20)
    const raised: Terms = { ...terms, price: { amount: '5000', perMs: 1000 } }
    await cheap.stop()
    const dear = await openStand(street, { terms: raised })
    await until(() => honest.found('other terms') > 2, 'it is found')
    const settledNow = () => honest.summary().money?.promised === dear.counts().promised
    await until(settledNow, 'both know of one promise')
    // Every reading that came under the old terms is here, the last one too; none of those under the new.
    const promised = await honest.done()
    assert.ok(honest.items.every(({ epoch }) => epoch < firstDear(honest)))
    // To the unit what the epochs under the old terms cost, by the price that the order names.
    assert.equal(promised, dear.counts().promised)
    assert.ok(promised <= BigInt(honest.summary().counts.bought) * 200n)
    assert.deepEqual(Object.keys(honest.summary().findings), ['other terms'])
  },
})

/** The first epoch that was found to be under other terms. */
function firstDear({ notes }: Honest): number {
  const found = notes.find((note) => 'finding' in note && note.finding === 'other terms')
  return found !== undefined && 'number' in found ? (found.number ?? 0) : 0
}

const enrolled = journey({
  name: 'enrolment of another',
  says: 'a device that no enrolment of the named operator vouches for is not on the market, whatever it shows',
  async run(street) {
    await street.operate()
    const secret = randomBytes(32)
    const device = addressOf(secret)
    const outside = await lineOf(street, 'outside')
    const { operator } = street.people
    const enrol = (of: Parameters<typeof signEnrolment>[0]) =>
      signEnrolment(of, async (digest) => sign(digest, secret))
    const own = { device, operator: operator.address, signingKey: device, version: 1 }
    const honestOnes = street.stalls[0]?.device as Offer['device']
    const shown = [
      undefined,
      // Signed by itself in the operator's name; of itself as operator; of another device.
      hex(await enrol(own)),
      hex(await enrol({ ...own, operator: device })),
      hex(await enrol({ ...own, device: honestOnes })),
    ]
    for (const [i, enrolment] of shown.entries()) {
      const offer = { ...offerOn(street)({ device, signingKey: device }, [terms]), version: i + 1 }
      const whole = enrolment === undefined ? offer : { ...offer, enrolment }
      const document = signDocument('offer', whole as Offer, (digest) => sign(digest, secret))
      // Where the broker keeps writers apart, it never comes to anybody.
      await outside.publish(topics(device).offer, utf8(document), { retain: true }).catch(() => {})
      await outside
        .publish(topics(device).enrolment, await enrol(own), { retain: true })
        .catch(() => {})
    }
    const wanted = { operator: operator.address, devices: [device] }
    await assert.rejects(
      openHonest(street, { wanted, limits: { offerMs: 600, discoverMs: 100 } }),
      ({ code, cure }: { code: string; cure: string }) =>
        code === 'OFFER_MISSING' && cure.includes('enrolled'),
    )
  },
})

export const sellers: readonly Journey[] = [headers, states, keys, kept, fork, changed, enrolled]

/** An honest buyer at a bent device: it hands nothing out, and promises `most` at the most. */
async function bent(
  street: Street,
  options: StandOptions,
  finds: (honest: Honest) => Promise<bigint>,
): Promise<void> {
  const stand = await openStand(street, options)
  const honest = await openHonest(street)
  const most = await finds(honest)
  const before = honest.summary().money?.promised
  await sleep(800)
  assert.equal(honest.summary().money?.promised, before, 'it promises nothing more')
  honest.stop()
  await honest.close()
  assert.deepEqual(honest.items, [])
  const { money } = honest.summary()
  assert.ok((money?.promised ?? 0n) <= most, `${money?.promised}`)
  assert.equal(stand.counts().promised, money?.promised)
}

type Mouth = (topic: string, payload: Uint8Array) => readonly Uint8Array[]

/** The street's first device, bent, and its operator; what it publishes goes through its mouth. */
async function openStand(
  street: Street,
  options: StandOptions,
  mouth: Mouth = (_, payload) => [payload],
) {
  const folder = `${street.folder}/device0`
  const { device } = await openDeviceKey(folder)
  const line = openBroker({ ...(await street.broker.line(device)), clientId: device })
  await line.ready()
  const publish: typeof line.publish = async (topic, payload, how) => {
    const bytes = typeof payload === 'string' ? utf8(payload) : payload
    for (const one of mouth(topic, bytes)) await line.publish(topic, one, how)
  }
  const subscribe = line.subscribe
  const stand = await openDevice(
    folder,
    { publish, subscribe },
    { offer: offerOn(street), ...options },
  )
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= stand.stop().then(line.close)
    return stopped
  }
  street.end.add(stop)
  if (!standing.has(street)) await street.operate()
  standing.add(street)
  return { ...stand, stop }
}

/** Streets whose operator works already. */
const standing = new WeakSet<Street>()

/** An offer on the street's chain, to its people. */
function offerOn({ people, chain }: Street) {
  const { chainId, settlement, collector, token, tokenName, tokenVersion } = chain
  const rail = { chainId, settlement, collector, token, tokenName, tokenVersion, decimals: 6 }
  return (
    key: Pick<Offer, 'device' | 'signingKey'> & { hpke?: { publicKey: Uint8Array } },
    streams: Terms[],
  ): Omit<Offer, 'version'> => ({
    device: key.device,
    operator: people.operator.address,
    signingKey: key.signingKey,
    hpke: hex(key.hpke?.publicKey ?? randomBytes(32)),
    receiver: people.receiver.address,
    gateway: people.gateway.address,
    rails: [rail],
    withdrawDelayMinS: 86_400,
    streams,
  })
}

function byStranger() {
  const secret = randomBytes(32)
  return (digest: Uint8Array) => sign(digest, secret)
}
