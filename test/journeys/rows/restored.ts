import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBroker } from '../../../runtime/link/broker.ts'
import { text } from '../../../runtime/wire/bytes.ts'
import { topics } from '../../../runtime/wire/topic.ts'
import { journey } from '../journey.ts'
import { buyAir, settled } from '../purchase.ts'
import type { Stall } from '../stall.ts'
import { type Street, until } from '../street.ts'

export const brokerRestored = journey({
  name: 'broker restored from an older day',
  says: 'a broker that knows its clients but has forgotten what they said since is told it again',
  brokers: ['mosquitto-3.1.1', 'mosquitto-5', 'mosquitto-tls', 'mosquitto-mtls'],
  street: { keeps: true, sayEveryMs: 200 },
  withinS: 240,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    const [disk, older] = ['mosquitto.db', 'older.db'].map((name) => join(street.folder, name))
    const swap = async (from = '', to = '') => {
      await street.broker.stop()
      await copyFile(from, to)
      await street.broker.start()
    }
    await stall.open()
    const { offer, index } = topics(stall.device)
    await until(async () => (await said(street, index)) !== '', 'its first index is there')
    await swap(disk, older)
    const operator = await street.operate()
    await until(async () => (await stall.health())?.enrolled === true, 'it is enrolled')
    const before = await said(street, index)
    await until(async () => (await said(street, index)) !== before, 'an index follows the offer')
    // Nothing of what follows knows of the enrolment but the device and the desk.
    await swap(older, disk)
    const enrolled = async () => (await said(street, offer)).includes('"enrolment"')
    await until(enrolled, 'the broker has its newest offer again')
    const bought = buyAir(street, stall)
    await bought.buyer.heard(10)
    const { numbers, promised } = await settled(street, operator, bought)
    t.diagnostic(`${numbers.length} readings, ${promised} units settled`)
  },
})

/** What the broker retains there, and nothing if it does not say so at once. */
async function said(street: Street, topic: string): Promise<string> {
  const line = openBroker({ ...(await street.broker.line('buyer')), clientId: 'newcomer' })
  let heard = ''
  try {
    await line.ready()
    await line.subscribe(topic, (_topic, payload) => {
      heard = text(payload)
    })
    await sleep(200)
  } finally {
    await line.close()
  }
  return heard
}
