/** Orders and sessions of somebody else: who does not hold the key that pays gets nothing with them. */
import assert from 'node:assert/strict'
import { randomBytes } from '#crypto'
import { decodeAnswer } from '../../../runtime/wire/answer.ts'
import { unhex } from '../../../runtime/wire/bytes.ts'
import { encodeRequest, type Request } from '../../../runtime/wire/request.ts'
import {
  generateSessionKey,
  openMessage,
  type SessionKeys,
  sealMessage,
  sealOrder,
  sessionName,
} from '../../../runtime/wire/session.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'
import { topics } from '../../../runtime/wire/topic.ts'
import { type Journey, journey } from '../journey.ts'
import { saidUnder } from '../outside.ts'
import { until } from '../street.ts'
import { openHonest } from './honest.ts'
import {
  buyOne,
  deposited,
  isRefusal,
  newest,
  openBuyer,
  openPeer,
  openSale,
  refusedOrder,
  type Sale,
  settled,
  unmoved,
} from './sale.ts'

const strangersOrder = journey({
  name: 'order by a key that does not pay',
  says: 'an order for a channel of another, signed by another key or re-dressed as its own, is refused at desk and gateway',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    const thief = localSigner(randomBytes(32))
    const { signer, config, channel } = peer
    await unmoved(sale, async () => {
      const order = { channelId: channel, number: 9n }
      const unsigned = await openPeer(sale, { signer, config, order, orderedBy: thief })
      await refusedOrder(unsigned, 'order-signature')
      // With the thief as the one who may sign, it is another channel.
      const own = { ...config, payerAuthorizer: thief.address }
      const redressed = await openPeer(sale, { signer: thief, config: own, order })
      await refusedOrder(redressed, 'channel-id')
      // The owner's own order, as another device could read it, sealed by a session of the thief's.
      await resealed(sale, await peer.desk.orderBytes())
    })
    await buyOne(sale, peer, 1_000n, 2n)
    await settled(sale, 1_000n)
  },
})

const names = journey({
  name: 'stolen session without its keys',
  says: 'who knows only the topics and ids of a session is dropped unread, and what it repeats changes nothing',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    const { outside, stall } = sale
    const recorded = saidUnder(outside, 'ask')
    const id = unhex(`0x${peer.desk.name()}`)
    const guessed = { id, ask: randomBytes(32), answer: randomBytes(32), keys: randomBytes(32) }
    const retained = outside.retained(topics(stall.device).keys(peer.desk.name()))
    assert.ok(retained && openMessage(retained, guessed, 'keys') === undefined)
    await unmoved(sale, async () => {
      const { ask } = topics(stall.device)
      for (const request of [{ kind: 'end' }, { kind: 'state' }] as const) {
        const plain = encodeRequest(request)
        await outside.say(ask, sealMessage('request', guessed, 1_000n, plain, randomBytes))
      }
      for (const { topic, payload } of recorded) await outside.say(topic, payload)
      await until(async () => ((await stall.refusals())['dropped: not opened'] ?? 0) > 1, 'told')
    })
    await buyOne(sale, peer, 1_000n, 2n)
    await settled(sale, 1_000n)
  },
})

const row = journey({
  name: 'stolen session with its keys',
  says: 'who has the session of a buyer but not the key that pays can promise nothing, is noticed, and is left alone in it',
  async run(street) {
    const sale = await openSale(street)
    const honest = await openHonest(street)
    await honest.more(10)
    const { keys } = honest.stolen(sale.stall.device)
    const thief = localSigner(randomBytes(32))
    const poor = await openPeer(sale, { signer: thief })
    const payment = await poor.pay(deposited, 99n, { channelId: await channelOf(sale, keys) })
    const far = 1n << 40n
    const range = await newest(sale)
    const no = await speak(sale, keys, far, { kind: 'promise', payment, buy: [range] })
    // A first answer that was lost on its way comes again when the owner may have ordered anew.
    assert.ok(no?.kind === 'refusal', no?.kind)
    assert.match(no.refusal.code, /^(promise-signature|session-ended)$/)
    // Under the thief's counter the owner's next requests are old: it notices, and orders anew.
    await until(() => honest.found('session shared') > 0, 'the owner notices')
    await honest.more(20)
    const late = await speak(sale, keys, far + 1n, { kind: 'state' })
    isRefusal(late, 'session-ended')
    const promised = await honest.done()
    await settled(sale, promised)
  },
})

const ended = journey({
  name: 'session ended by a thief',
  says: 'a session that a thief ends is opened anew by its owner, who loses nothing',
  async run(street) {
    const sale = await openSale(street)
    const honest = await openHonest(street)
    await honest.more(10)
    const { keys } = honest.stolen(sale.stall.device)
    assert.equal((await speak(sale, keys, 1n << 40n, { kind: 'end' }))?.kind, 'ok')
    await honest.more(20)
    const promised = await honest.done()
    await settled(sale, promised)
  },
})

export const sessions: readonly Journey[] = [strangersOrder, names, row, ended]

/** The very order in a session of the thief's, and the owner's order message with the thief's head. */
async function resealed(sale: Sale, order: Uint8Array): Promise<void> {
  const thief = await generateSessionKey()
  for (const to of [sale.device, sale.gateway]) {
    const { message, keys } = await sealOrder({ order, session: thief, recipient: unhex(to.hpke) })
    isRefusal(await answerTo(sale, to.device, keys, 0n, message), 'order-session')
  }
}

/** What a request in a session with the device is answered, whoever speaks. */
function speak(sale: Sale, keys: SessionKeys, counter: bigint, request: Request) {
  const message = sealMessage('request', keys, counter, encodeRequest(request), randomBytes)
  return answerTo(sale, sale.stall.device, keys, counter, message)
}

async function answerTo(
  { outside }: Sale,
  seller: `0x${string}`,
  keys: SessionKeys,
  to: bigint,
  message: Uint8Array,
) {
  const { ask, answer } = topics(seller)
  const topic = answer(sessionName(keys.id))
  const answers = () =>
    outside.sent
      .filter((one) => one.topic === topic)
      .flatMap(({ payload }) => openMessage(payload, keys, 'answer') ?? [])
      .map(({ plain }) => decodeAnswer(plain))
      .filter((one) => one.to === to)
  await outside.say(ask, message)
  await outside.until(() => answers().length > 0)
  return answers().at(-1)
}

/** The channel of a session, as anybody who has its keys can ask. */
async function channelOf(sale: Sale, keys: SessionKeys): Promise<Uint8Array> {
  const answer = await speak(sale, keys, 1n << 39n, { kind: 'state' })
  assert.ok(answer?.kind === 'state')
  return answer.state.channelId
}
