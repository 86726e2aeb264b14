/** The market: which offers are kept when there are too many, and what is sold in terms of a later version. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addressOf, sign } from '#crypto'
import { openBuyer } from '../../runtime/buyer/index.ts'
import { buyerLimits } from '../../runtime/buyer/limits.ts'
import { openMarket, type Wanted } from '../../runtime/buyer/market.ts'
import type { BuyNote } from '../../runtime/buyer/tally.ts'
import { openTally, toldMax } from '../../runtime/buyer/tally.ts'
import { type Versions, versionName } from '../../runtime/buyer/versions.ts'
import { hex, utf8 } from '../../runtime/wire/bytes.ts'
import { signEnrolment } from '../../runtime/wire/enrolment.ts'
import type { Json } from '../../runtime/wire/jcs.ts'
import { signDocument } from '../../runtime/wire/signed.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { gateway, operator, receiver } from '../operator/fixture.ts'
import { memoryBroker } from '../operator/line.ts'
import { secretOf } from '../wire/sample.ts'
import { offeredRail, terms } from './street.ts'

type Change = { readonly [member: string]: Json }

/** The signed offer of the device whose key is made from this word. */
function offerOf(word: string, change: Change = {}) {
  const secret = secretOf(word)
  const device = addressOf(secret)
  const offer = {
    version: 1,
    device,
    operator: operator.address,
    signingKey: device,
    hpke: hex(secret),
    receiver,
    gateway: gateway.address,
    rails: [offeredRail],
    withdrawDelayMinS: 86_400,
    streams: [terms],
    ...change,
  }
  const payload = utf8(signDocument('offer', offer as Json, (digest) => sign(digest, secret)))
  return { device, topic: topics(device).offer, payload }
}

async function openTest(
  wanted: Wanted,
  limits: Partial<typeof buyerLimits> = {},
  seen: Versions = new Map(),
) {
  const broker = memoryBroker()
  const notes: BuyNote[] = []
  const tally = openTally((note) => notes.push(note))
  const all = { ...buyerLimits, ...limits }
  const market = await openMarket({ line: broker, wanted, seen, tally, limits: all })
  const say = ({ topic, payload }: ReturnType<typeof offerOf>) => broker.publish(topic, payload)
  const found = () => market.listings().map(({ offer }) => offer.device)
  return { ...{ broker, market, notes, tally, say, found } }
}

async function enrol(broker: ReturnType<typeof memoryBroker>, word: string) {
  const device = addressOf(secretOf(word))
  const enrolment = { device, operator: operator.address, signingKey: device, version: 1 }
  const payload = await signEnrolment(enrolment, async (digest) => operator.sign(digest))
  await broker.publish(topics(device).enrolment, payload)
}

test('a flood of strangers neither grows the market past its bound nor drives out who is vouched for', async () => {
  const wanted = { operator: operator.address }
  const { broker, market, notes, tally, say, found } = await openTest(wanted, { offersMax: 8 })
  await enrol(broker, 'first')
  await say(offerOf('first'))
  for (let i = 0; i < 20; i += 1) await say(offerOf(`stranger ${i}`))
  // Comes last, when the market is full, and is vouched for all the same.
  await enrol(broker, 'last')
  const last = offerOf('last')
  await say(last)
  assert.deepEqual(found(), [offerOf('first').device, last.device].sort())
  assert.ok((tally.findings()['too many offers'] ?? 0) >= 13)
  assert.equal(notes.filter((note) => note.event === 'finding').length, 1)
  // Who was kept and is vouched for later still comes in: the first strangers stayed, the newest went.
  await enrol(broker, 'stranger 0')
  await enrol(broker, 'stranger 19')
  assert.equal(found().length, 3)
  assert.ok(found().includes(offerOf('stranger 0').device))
  market.close()
  await say(offerOf('first', { version: 9 }))
  assert.deepEqual(found(), [])
})

test('large offers are bounded by their bytes, and what is not wanted takes no room', async () => {
  const device = offerOf('wanted').device
  const { say, found, tally, notes } = await openTest({ devices: [device] }, { offersMax: 2 })
  for (let i = 0; i < 50; i += 1) await say(offerOf(`stranger ${i}`))
  await say(offerOf('wanted'))
  assert.deepEqual([found(), tally.findings(), notes], [[device], {}, []])

  const padding = Array.from({ length: 200 }, (_, i) => ({ ...terms, stream: `s${i}` }))
  const big = (word: string) => offerOf(word, { streams: padding as unknown as Json })
  const size = big('a').payload.length
  const small = await openTest({}, { offerBytesMax: 2.5 * size })
  for (const word of ['a', 'b', 'c', 'd']) await small.say(big(word))
  assert.deepEqual(small.found(), [big('a').device, big('b').device].sort())
  assert.equal(small.tally.findings()['too many offers'], 2)
})

test('a newer version takes the place of the older, also when it sells nothing that is wanted any more', async () => {
  const { say, found, market } = await openTest({ streams: ['air'] })
  await say(offerOf('device', { version: 3 }))
  await say(offerOf('device', { version: 2, streams: [] }))
  assert.equal(found().length, 1)
  await say(offerOf('device', { version: 4, withdrawDelayMinS: 90_000 }))
  assert.equal(market.listings()[0]?.offer.withdrawDelayMinS, 90_000)
  await say(offerOf('device', { version: 5, streams: [] }))
  assert.deepEqual(found(), [])
})

test('an offer counts on its own device’s topic, and not below what was bought under before', async () => {
  const { device, topic, payload } = offerOf('device', { version: 3 })
  const seen = new Map([[versionName({ device, signingKey: device }), 3]])
  const { say, found, tally } = await openTest({}, {}, seen)
  await say({ device, payload, topic: topics(addressOf(secretOf('another'))).offer })
  await say(offerOf('device', { version: 2 }))
  assert.deepEqual(found(), [])
  assert.deepEqual(tally.findings(), { 'malformed message': 1, 'stale offer': 1 })
  await say({ device, topic, payload })
  assert.deepEqual(found(), [device])
})

test('of a device of a later version the streams that are understood are sold, the others named', async () => {
  const { say, market, notes, tally } = await openTest({})
  const newer = {
    ...terms,
    stream: 'gas',
    fields: [{ name: 'h2s', unit: 'mol/m3', type: 'number' }],
  }
  const auction = { ...terms, stream: 'noise', price: { bids: 'https://example.org', amount: '1' } }
  const credit = { kind: 'credit', tokenName: 'IOU' }
  await say(
    offerOf('device', {
      streams: [newer, terms, auction] as unknown as Json,
      rails: [credit, offeredRail] as unknown as Json,
    }),
  )
  const [listing] = market.listings()
  assert.deepEqual(
    listing?.streams.map(({ terms: sold }) => sold.stream),
    ['air'],
  )
  assert.deepEqual(listing?.offer.rails, [offeredRail])
  assert.deepEqual(tally.findings(), {})
  assert.deepEqual(
    notes.map(
      (note) =>
        note.event === 'left out' && [note.of, note.name, /^[a-zA-Z0-9.]+: /.test(note.why)],
    ),
    [
      ['stream', 'gas', true],
      ['stream', 'noise', true],
      ['rail', 'IOU', true],
    ],
  )
  // A stream twice is a mistake, whatever version spells it.
  await say(offerOf('twice', { streams: [newer, newer, terms] as unknown as Json }))
  assert.deepEqual(tally.findings(), { 'malformed message': 1 })
})

test('a flood of findings is counted to the last and told only so often', () => {
  const notes: BuyNote[] = []
  const tally = openTally((note) => notes.push(note))
  for (let i = 0; i < 10 * toldMax; i += 1) tally.finding('malformed message', { why: `${i}` })
  assert.equal(tally.findings()['malformed message'], 10 * toldMax)
  assert.equal(notes.length, toldMax)
  assert.deepEqual(notes.map((note) => note.event === 'finding' && note.isLast).filter(Boolean), [
    true,
  ])
})

test('who stops a buyer that still looks for sellers is not kept waiting', async () => {
  const end = new AbortController()
  const folder = await mkdtemp(join(tmpdir(), 'wayside-looking-'))
  const beganMs = performance.now()
  const options = { folder, signer: operator, signal: end.signal, limits: { offerMs: 600_000 } }
  const opened = openBuyer({ broker: memoryBroker(), ...options })
  setTimeout(() => end.abort(new Error('enough')), 100)
  await assert.rejects(opened, /enough/)
  assert.ok(performance.now() - beganMs < 60_000)
  await rm(folder, { recursive: true })
})
