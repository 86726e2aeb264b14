/**
 * A broker that lies to a buyer: whatever it does to messages, no reading is handed out that is not the
 * device's own, in its place, once; what it withholds is fetched, and nothing is paid twice.
 */
import assert from 'node:assert/strict'
import { randomBytes } from '#crypto'
import type { Address } from '../../../runtime/wire/address.ts'
import { encodeAnswer } from '../../../runtime/wire/answer.ts'
import { unhex } from '../../../runtime/wire/bytes.ts'
import { refusal } from '../../../runtime/wire/refusal.ts'
import { sealMessage } from '../../../runtime/wire/session.ts'
import { type ParsedTopic, parseTopic, topics } from '../../../runtime/wire/topic.ts'
import { type Journey, journey } from '../journey.ts'
import type { Stall } from '../stall.ts'
import type { Street } from '../street.ts'
import { type Honest, openHonest } from './honest.ts'
import { type Lie, lineTo, lyingLine, type Message, openLiar } from './liar.ts'
import { lineOf, openSale, type Sale, settled } from './sale.ts'

const altered = journey({
  name: 'altered epochs',
  says: 'an epoch with one bit turned anywhere is a finding, and the true one is fetched',
  run: (street) =>
    lied(street, everyThird(turned), (honest) => {
      const { findings } = honest.summary()
      const named = ['malformed message', 'wrong signature', 'another stream']
      assert.ok(Object.keys(findings).every((finding) => named.includes(finding)))
      const found = Object.values(findings).reduce((sum, count) => sum + count, 0)
      assert.ok(found > 0, `${found} findings`)
    }),
})

const reordered = journey({
  name: 'reordered epochs',
  says: 'epochs that come in another order are handed out in the order of their chain',
  run: (street) => lied(street, inPairs(), nothingFound),
})

const dropped = journey({
  name: 'dropped epochs',
  says: 'epochs that never come are fetched, and named by their numbers until they are there',
  run: (street) =>
    lied(
      street,
      everyThird(() => []),
      nothingFound,
    ),
})

const duplicated = journey({
  name: 'duplicated epochs',
  says: 'an epoch that comes three times is paid once and handed out once',
  run: (street) => {
    const past: Message[] = []
    const lie: Lie = (message) => {
      if (message.parsed.kind !== 'epoch') return [message]
      past.push(message)
      return [message, message, ...past.slice(-4)]
    }
    return lied(street, lie, nothingFound)
  },
})

const withheld = journey({
  name: 'keys withheld',
  says: 'keys that a broker retains and does not hand on are asked for again, and nothing is paid twice',
  run: (street) => {
    let count = 0
    const lie: Lie = (message) => {
      if (message.parsed.kind !== 'keys') return [message]
      count += 1
      return [{ ...message, silent: count % 2 === 0 }]
    }
    return lied(
      street,
      lie,
      (honest) => {
        nothingFound(honest)
        assert.ok(honest.notes.some(({ event }) => event === 'undelivered'))
      },
      25,
    )
  },
})

const refusals = journey({
  name: 'forged refusal',
  says: 'a refusal that the session did not seal is nobody’s word: a finding, and the sale goes on',
  run: (street) =>
    lied(street, forgedRefusals(), (honest) => {
      assert.ok(honest.found('malformed message') > 0)
      const refused = honest.notes.filter(({ event }) => event === 'refused')
      assert.ok(!JSON.stringify(refused).includes('stopped'))
    }),
})

const confused = journey({
  name: 'topic confusion',
  says: 'epochs, offers and enrolments under the topic of another stream or device are findings and count nowhere',
  street: { devices: 2 },
  async run(street) {
    const sale = await openSale(street)
    const [, other] = street.stalls as [Stall, Stall]
    await other.open()
    await sale.outside.offer(other.device)
    const { outside } = sale
    /** What stands under another device's topic of that kind, and the newest of another stream. */
    const strange = ({ seller, kind }: ParsedTopic): (Uint8Array | undefined)[] => {
      const elsewhere = street.stalls.find(({ device }) => device !== seller)?.device as Address
      if (kind === 'offer') return [outside.retained(topics(elsewhere).offer)]
      if (kind === 'enrolment') return [outside.retained(topics(elsewhere).enrolment)]
      if (kind !== 'epoch') return []
      return [outside.messages(elsewhere).at(-1), outside.messages(seller, 'hall').at(-1)]
    }
    const line = lyingLine(await lineOf(street, 'believer'), (topic, payload) => {
      const parsed = parseTopic(topic)
      const others = parsed === undefined ? [] : strange(parsed)
      return [...others.flatMap((one) => one ?? []), payload]
    })
    const honest = await openHonest(street, { line })
    assert.equal(honest.listings.length, 2)
    await honest.more(30)
    assert.ok(honest.found('another stream') > 2)
    assert.ok(honest.found('malformed message') > 0, 'an offer on another topic')
    await settledAll(sale, await honest.done())
  },
})

const rolledBack = journey({
  name: 'retained messages rolled back',
  says: 'offers and keys of an earlier moment, said again, change nothing for who has seen newer ones',
  async run(street) {
    const sale = await openSale(street)
    const rolled = new Set<string>()
    const lie: Lie = (message) => {
      const { topic, parsed } = message
      if (!['offer', 'keys', 'enrolment'].includes(parsed.kind)) return [message]
      const past = sale.outside.sent.filter((one) => one.topic === topic).slice(0, -1)
      if (past.length > 0) rolled.add(parsed.kind)
      return [message, ...past.slice(0, 3)]
    }
    await lied(sale, lie, nothingFound)
    assert.deepEqual([...rolled].sort(), ['keys', 'offer'])
  },
})

export const broker: readonly Journey[] = [
  altered,
  reordered,
  dropped,
  duplicated,
  withheld,
  refusals,
  confused,
  rolledBack,
]

/** An honest buyer behind a liar reads on, in order, and all books agree. */
async function lied(
  on: Street | Sale,
  lie: Lie,
  check: (honest: Honest) => void,
  count = 40,
): Promise<void> {
  const sale = 'street' in on ? on : await openSale(on)
  const { street } = sale
  const liar = await openLiar(street, lie)
  const honest = await openHonest(street, { line: await lineTo(street, liar) })
  await honest.more(count)
  const promised = await honest.done()
  check(honest)
  await settled(sale, promised)
}

function nothingFound(honest: Honest): void {
  assert.deepEqual(honest.summary().findings, {})
}

/** Of the epochs that come, every third is handed on as `bent` has it. */
function everyThird(bent: (message: Message, count: number) => readonly Message[]): Lie {
  let count = 0
  return (message) => {
    if (message.parsed.kind !== 'epoch' || message.parsed.stream !== 'air') return [message]
    count += 1
    return count % 3 === 0 ? bent(message, count) : [message]
  }
}

/** One bit turned, each time elsewhere: in the header, the signature, the body. */
function turned(message: Message, count: number): readonly Message[] {
  const payload = message.payload.slice()
  const at = [30, 70, 110, 200, 330, 390, payload.length - 1][count % 7] as number
  payload[at] = (payload[at] as number) ^ 1
  return [{ ...message, payload }]
}

/** Each second epoch overtakes the one before. */
function inPairs(): Lie {
  let held: Message | undefined
  return (message) => {
    if (message.parsed.kind !== 'epoch' || message.parsed.stream !== 'air') return [message]
    if (held === undefined) {
      held = message
      return []
    }
    const first = held
    held = undefined
    return [message, first]
  }
}

/** Before every answer a refusal under other keys, and a true answer with a bit turned. */
function forgedRefusals(): Lie {
  return (message) => {
    const { parsed, topic, payload } = message
    if (parsed.kind !== 'answer') return [message]
    const id = unhex(`0x${parsed.session}`)
    const [ask, answer, keys] = [randomBytes(32), randomBytes(32), randomBytes(32)]
    const no = {
      kind: 'refusal',
      to: 1n,
      refusal: refusal('stopped', { why: 'so it says' }),
    } as const
    const guess = { id, ask, answer, keys } as const
    const forged = sealMessage('answer', guess, 1n << 50n, encodeAnswer(no), randomBytes)
    const bent = payload.slice()
    bent[bent.length - 20] = (bent[bent.length - 20] as number) ^ 1
    return [{ topic, payload: forged }, { topic, payload: bent }, message]
  }
}

/** As `settled`, over all devices of the street. */
async function settledAll(sale: Sale, promised: bigint): Promise<void> {
  const { street, operator } = sale
  const sums = await Promise.all(street.stalls.map((stall) => stall.sale()))
  const sum = (of: 'promised' | 'delivered') => sums.reduce((all, one) => all + one[of], 0n)
  assert.deepEqual([sum('promised'), sum('delivered')], [promised, promised])
  operator.signal('SIGTERM')
  assert.equal(await operator.ended, 0, operator.words())
  assert.equal(await street.chain.balanceOf(street.people.receiver.address), promised)
}
