/** Brokers that do what they must and no more. */
import assert from 'node:assert/strict'
import { topics } from '../../../runtime/wire/topic.ts'
import { journey } from '../journey.ts'
import { buyAir, settled } from '../purchase.ts'
import type { Stall } from '../stall.ts'
import { until } from '../street.ts'

export const narrow = journey({
  name: 'narrow broker',
  says: 'a broker with the limits of the large services, or one message at a time, loses nobody a reading',
  street: { narrow: true },
  withinS: 240,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    // What is stored is fetched in chunks, the largest messages that there are.
    const bought = buyAir(street, stall, '--from', '#1')
    await bought.buyer.heard(60)
    await settled(street, operator, bought, 1)
    const { asked } = street.broker
    if (asked === undefined) return
    assert.deepEqual(asked.broken, [])
    t.diagnostic(`the most that was asked: ${JSON.stringify(asked.most)}`)
  },
})

export const forbidden = journey({
  name: 'forbidden topic',
  says: 'a topic that the broker keeps from a device holds up no other, and its health says so, but on 3.1.1',
  withinS: 240,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    const topic = topics(stall.device).open('hall')
    street.broker.forbid(stall.device, topic)
    await stall.open()
    const operator = await street.operate()
    const bought = buyAir(street, stall)
    await bought.buyer.heard(30)
    const problems = async () => (await stall.health())?.problems ?? []
    // mosquitto acknowledges it there like any other, and throws it away.
    if (street.broker.flavour !== 'mosquitto-3.1.1') {
      const told = async () => (await problems()).some((one) => one.includes(`refuses ${topic}`))
      await until(told, 'health names the topic')
    }
    const { numbers } = await settled(street, operator, bought)
    t.diagnostic(`${numbers.length} readings beside it; ${(await problems()).join(' | ')}`)
  },
})
