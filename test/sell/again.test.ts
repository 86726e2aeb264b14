/** What the broker says again, says late, or says to the wrong device; and what no crash may say twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { answers } from '../../runtime/sell/answers.ts'
import { sessionFrom } from '../../runtime/sell/session.ts'
import type { Till, TillChange } from '../../runtime/sell/till.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { encodeGrants, signGrant } from '../../runtime/wire/grant.ts'
import { generateSessionKey } from '../../runtime/wire/session.ts'
import { signDocumentAsync } from '../../runtime/wire/signed.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { openSold } from '../../runtime/wire/sold.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { air, buyer, openSale, pay } from './buyer.ts'
import {
  buyerSigner,
  channel,
  dayMs,
  device,
  deviceKey,
  gateway,
  offer,
  operator,
  secretOf,
  startMs,
  type World,
  world,
} from './world.ts'

const open = { limits: { ordersPerS: 1e6, requestsPerS: 1e6 } }

test('a request that comes again is answered with where the session stands, and done once', async (t) => {
  const { at, one } = await openSale(t, { ...open, epochs: 4 })
  const fetched = () => at.tables.sales().channels[0]?.bytesFetched
  const fetch = one.seal({ kind: 'fetch', stream: 'air', from: 1, to: 4 })
  at.ask(fetch)
  await at.until(() => one.answers().some(({ kind }) => kind === 'chunk'))
  await at.rest()
  const [before, said] = [fetched(), one.answers().length]
  assert.ok((before ?? 0) > 0)
  at.ask(fetch)
  await at.until(() => one.answers().length > said)
  await at.rest()
  assert.deepEqual(
    one
      .answers()
      .slice(said)
      .map(({ kind }) => kind),
    ['state'],
  )
  assert.equal(fetched(), before)
})

test('what the gateway granted another device counts for nothing here, nor does the list that holds it', async (t) => {
  const at = await world(t, open)
  await at.ack(startMs)
  await at.grant(100n)
  await (await buyer(at)).order()
  const untilMs = startMs + dayMs
  const terms = { channelId: channel, index: 0, cap: 900n, untilMs, registryVersion: 2n }
  const ours = await signGrant({ ...terms, device }, gateway)
  const theirs = await signGrant({ ...terms, device: buyerSigner.address }, gateway)
  const cap = () => at.tables.sales().channels[0]?.cap
  for (const list of [[theirs], [ours, theirs]]) {
    at.shop().handle(topics(device).grant, encodeGrants(list))
    await at.rest()
    assert.equal(cap(), '100')
  }
  at.shop().handle(topics(device).grant, encodeGrants([ours]))
  await at.rest()
  assert.equal(cap(), '900')
})

test('what was sold is sealed to the key of its operator’s newest offer, and to nobody else’s', async (t) => {
  const at = await world(t, { limits: { ...open.limits, soldEveryMs: 0 } })
  const stranger = localSigner(secretOf('stranger'))
  const keys = await Promise.all(['old', 'new', 'strange'].map(() => generateSessionKey()))
  const [old, newest, strange] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]]
  const says = async (version: number, key: typeof old, signer = operator) => {
    const speaks = { device: operator.address, signingKey: signer.address }
    const document = { ...offer, ...speaks, version, hpke: hex(key.publicKey), streams: [] }
    const signed = await signDocumentAsync('offer', document, (digest) => signer.sign(digest))
    at.shop().handle(topics(operator.address).offer, new TextEncoder().encode(signed))
    await at.rest()
  }
  await at.ack(startMs)
  await at.grant(1_000n)
  at.seal(3)
  const one = await buyer(at)
  await one.order()
  const opens = async (key: typeof old) => {
    const sold = at.retained(topics(device).sold)
    assert.ok(sold !== undefined)
    return openSold(new Uint8Array(sold), device, key).then(
      ([payment]) => payment?.leaf.amount,
      () => 'not for this key',
    )
  }
  await says(1, old)
  await one.request({ kind: 'promise', payment: await pay(10n, 1n), buy: [air(1, 1)] })
  await at.until(() => at.retained(topics(device).sold) !== undefined)
  assert.equal(await opens(old), 10n)
  await says(2, newest)
  await at.rest()
  assert.equal(await opens(newest), 10n)
  // The old one may have been given up because it leaked; the strange one was nobody's.
  await says(1, old)
  await says(3, strange, stranger)
  await one.request({ kind: 'promise', payment: await pay(20n, 2n), buy: [air(2, 2)] })
  await at.rest()
  assert.deepEqual(
    [await opens(old), await opens(newest), await opens(strange)],
    ['not for this key', 20n, 'not for this key'],
  )
})

test('no answer goes out under a counter that is not reserved on the disk', async (t) => {
  const { at } = await openSale(t, { ...open, cap: 100n })
  const [row] = at.tables.sales().sessions
  assert.ok(row !== undefined)
  const events: string[] = []
  const session = sessionFrom(row)
  const counter = answers({
    key: deviceKey,
    till: {
      allSessions: () => [{ ...session, answers: row.answers - 1 }],
      commit: async ({ sessions = [] }: TillChange) => {
        events.push(`reserved ${(sessions[0]?.answers ?? 0) > row.answers}`)
        return true
      },
    } as unknown as Till,
    timeMs: () => startMs,
    random: randomBytes,
    send: async () => {
      events.push('sent')
      return true
    },
    note() {},
  })
  await counter.answer(session, { to: 1n, kind: 'ok' })
  await counter.answer(session, { to: 2n, kind: 'ok' })
  assert.deepEqual(events, ['sent', 'reserved true', 'sent'])
})

test('a session from before the books were lost is over, whatever its order still says', async (t) => {
  const at = await world(t, open)
  await at.ack(startMs)
  await at.grant(100n)
  const [one, other] = [await buyer(at), await buyer(at, { order: { number: 2n } })]
  await lose(at, one.name())
  await at.ack(startMs)
  await at.grant(100n)
  const no = await one.order()
  assert.equal(no?.kind === 'refusal' && no.refusal.code, 'session-ended')
  assert.equal((await other.order())?.kind, 'welcome')
})

test('past so many open sessions another one is told that we are busy', async (t) => {
  const at = await world(t, { limits: { ...open.limits, sessionsMax: 2 } })
  const own = { own: true, signer: operator }
  for (const expected of ['welcome', 'welcome', 'busy']) {
    const answer = await (await buyer(at, own)).order()
    assert.equal(answer?.kind === 'refusal' ? answer.refusal.code : answer?.kind, expected)
  }
})

/** A start after recovery: of this session only the name is left. */
async function lose(at: World, session: string): Promise<void> {
  const saved = { ...at.tables.sales(), sessions: [], lostSessions: [session] }
  Object.assign(at.store, { sales: async () => saved })
  await at.restart()
}
