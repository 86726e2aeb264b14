/** Brokers that do what they must and no more. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { topics } from '../../../runtime/wire/topic.ts'
import { journey } from '../journey.ts'
import { counted, numbersOf, type Stall } from '../stall.ts'
import { agreed, until } from '../street.ts'

export const narrow = journey({
  name: 'narrow broker',
  says: 'a broker with the limits of the large services, or one message at a time, loses nobody a reading',
  street: { narrow: true },
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const json = join(street.folder, 'bought.json')
    // What is stored is fetched in chunks, the largest messages that there are.
    const buyer = street.buy(
      ...['--device', stall.device, '--stream', 'air', '--budget', '1', '--from', '#1'],
      ...['--rpc', street.chain.rpc, '--json', json],
    )
    await buyer.heard(60)
    buyer.signal('SIGINT')
    assert.equal(await buyer.ended, 0, buyer.words())
    const numbers = numbersOf(buyer.said())
    assert.deepEqual(numbers, counted(1, numbers.length))
    const { promised, delivered } = await agreed(street, operator, json)
    assert.equal(delivered, promised)
    const { asked } = street.broker
    if (asked === undefined) return
    assert.deepEqual(asked.broken, [])
    t.diagnostic(`the most that was asked: ${JSON.stringify(asked.most)}`)
  },
})

export const forbidden = journey({
  name: 'forbidden topic',
  says: 'a topic that the broker keeps from a device holds up no other, and its health says so, but on 3.1.1',
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    const topic = topics(stall.device).open('hall')
    street.broker.forbid(stall.device, topic)
    await stall.open()
    const operator = await street.operate()
    const json = join(street.folder, 'bought.json')
    const buyer = street.buy(
      ...['--device', stall.device, '--stream', 'air', '--budget', '1'],
      ...['--rpc', street.chain.rpc, '--json', json],
    )
    await buyer.heard(30)
    const problems = async () => (await stall.health())?.problems ?? []
    // mosquitto acknowledges it there like any other, and throws it away.
    if (street.broker.flavour !== 'mosquitto-3.1.1') {
      const told = async () => (await problems()).some((one) => one.includes(`refuses ${topic}`))
      await until(told, 'health names the topic')
    }
    buyer.signal('SIGINT')
    assert.equal(await buyer.ended, 0, buyer.words())
    const numbers = numbersOf(buyer.said())
    assert.deepEqual(numbers, counted(numbers[0], numbers.length))
    const { promised, delivered } = await agreed(street, operator, json)
    assert.equal(delivered, promised)
    t.diagnostic(`${numbers.length} readings beside it; ${(await problems()).join(' | ')}`)
  },
})
