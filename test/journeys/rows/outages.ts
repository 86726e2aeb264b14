/** Broker, chain, gateway and sensor fall away for a while, and the time of day goes astray. */
import assert from 'node:assert/strict'
import { openBroker } from '../../../runtime/link/broker.ts'
import type { Address } from '../../../runtime/wire/address.ts'
import { everyTopic, topics } from '../../../runtime/wire/topic.ts'
import { numbersOf } from '../stall.ts'
import { type Street, until } from '../street.ts'
import { outage, type Sale, tells } from './outage.ts'

/** Longer than a line that says nothing is believed in. */
const silenceMs = 90_000
const dayMs = 86_400_000

export const brokerFrozen = outage({
  name: 'broker frozen',
  says: 'a broker that hangs with every line open delays a sale and takes nothing from it',
  async trouble(sale, over) {
    sale.street.broker.freeze()
    const { stall, lastsMs } = sale
    const kept = async () => ((await stall.health())?.store.outboxRows ?? 0) > 2
    await until(kept, 'the device keeps what the broker does not take', lastsMs)
    if (lastsMs > silenceMs) await tells(sale, /^no line to/)
    await over
  },
  mend: async ({ street }) => street.broker.thaw(),
})

export const lineCut = outage({
  name: 'line cut',
  says: 'when every line to the broker falls, all find it again, and the device takes back its last will',
  async trouble(sale, over) {
    sale.street.broker.cut()
    await tells(sale, /^no line to/)
    await sale.buyer.tells(/^no line to the broker \(/m)
    await over
  },
  mend: async ({ street }) => street.broker.mend(),
  async after({ street, stall, buyer }) {
    await buyer.tells(/^the line to the broker is back$/m)
    const on = async () => (await statusOf(street, stall.device)) === '{"state":"on"}'
    await until(on, 'its status is on again')
  },
})

export const brokerGone = outage({
  name: 'broker gone',
  says: 'a broker that comes back with nothing is told again all that was retained, and a sale goes on',
  trouble: away,
  mend: ({ street }) => street.broker.start(),
  async after({ street }) {
    let missing = before.get(street) as readonly string[]
    const back = async () => {
      const now = await retainedAt(street)
      missing = missing.filter((topic) => !now.includes(topic))
      return missing.length === 0
    }
    await until(back, 'all that was retained is there again').catch((cause) => {
      throw new Error(`${missing.join(', ')} is not there again`, { cause })
    })
  },
})

export const brokerKept = outage({
  name: 'broker gone with its disk kept',
  says: 'a broker that comes back with its disk is no other than one that was slow',
  brokers: ['mosquitto-3.1.1', 'mosquitto-5', 'mosquitto-tls', 'mosquitto-mtls'],
  street: { keeps: true },
  trouble: away,
  mend: ({ street }) => street.broker.start(),
})

export const chainGone = outage({
  name: 'chain gone',
  says: 'a sale that is granted needs no chain; the desk says that it is gone, and settles when it is back',
  async trouble(sale, over) {
    sale.street.chainGate.cut()
    await sale.operator.says(({ event }) => event === 'endpoint failing')
    const { delivered } = await sale.stall.sale()
    await over
    const sold = (await sale.stall.sale()).delivered - delivered
    assert.ok(sold * 2n > BigInt(sale.lastsMs), `${sold} units in ${sale.lastsMs} ms`)
  },
  async mend({ street, operator }) {
    const well = () => operator.said().filter(({ event }) => event === 'endpoint well').length
    const before = well()
    street.chainGate.open()
    await until(() => well() > before, 'the desk says that the chain is back', 150_000)
  },
})

export const gatewayGone = outage({
  name: 'gateway gone',
  says: 'without its gateway a device sells up to its exposure, says why it stops, and goes on when it is back',
  street: { exposure: '0.003' },
  async trouble({ operator, stall, buyer }, over) {
    operator.signal('SIGKILL')
    await operator.ended
    await over
    await buyer.tells(/says no: .*unacknowledged/)
    const { delivered, acknowledged } = await stall.sale()
    const exposed = delivered - acknowledged
    assert.ok(exposed > 1_500n && exposed <= 3_000n, `${exposed} units are exposed`)
  },
  async mend(sale) {
    sale.operator = await sale.street.operate()
  },
})

export const sensorGone = outage({
  name: 'sensor gone',
  says: 'a sensor that is unplugged is named, no time without it is sold, and it is heard again by itself',
  async trouble(sale, over, t) {
    sale.stall.unplug()
    await tells(sale, /^sensor air is silent/)
    // What was sensed before is sold to its end.
    const { stall } = sale
    let { delivered } = await stall.sale()
    const settled = async () => {
      const now = (await stall.sale()).delivered
      const same = now === delivered
      delivered = now
      return same && (numbersOf(sale.buyer.said().slice(-1))[0] ?? 0) === stall.said('air')
    }
    await until(settled, 'what was sensed is read')
    await over
    t.diagnostic(`${(await stall.sale()).delivered - delivered} units for the time without it`)
    assert.equal((await stall.sale()).delivered, delivered)
  },
  mend: async ({ stall }) => stall.plug(),
})

export const clockAstray = outage({
  name: 'clock astray',
  says: 'a clock that is unset, set, a day ahead and a day behind changes no price, no right and no number',
  async trouble(sale, over, t) {
    const { stall, buyer, lastsMs } = sale
    const steps = ['unset', dayMs, -dayMs, 'unset', 0] as const
    for (const step of steps) {
      stall.setWall(step)
      const from = buyer.rows().length
      const seen = () =>
        buyer
          .said()
          .slice(from)
          .some((said) => isAt(said.time, step))
      await until(seen, `a reading of a clock that is ${step}`, 20_000)
      if (step === 'unset') await tells({ ...sale, lastsMs: 10_000 }, /^the clock is unset/)
    }
    await over
    t.diagnostic(`${steps.length} steps in ${lastsMs} ms`)
  },
  mend: async () => {},
})

/** Retained topics at the broker of a street, before it was taken away. */
const before = new WeakMap<Street, readonly string[]>()

async function away(sale: Sale, over: Promise<void>): Promise<void> {
  const { street } = sale
  before.set(street, await retainedAt(street))
  await street.broker.stop()
  await tells(sale, /^no line to/)
  await over
}

/** What a newcomer finds at the broker; a stranger may not read everything. */
async function retainedAt(street: Street): Promise<readonly string[]> {
  return [...(await retainedOf(street, everyTopic)).keys()].sort()
}

async function statusOf(street: Street, device: Address): Promise<string | undefined> {
  const { status } = topics(device)
  return (await retainedOf(street, status)).get(status)
}

async function retainedOf(street: Street, filter: string): Promise<ReadonlyMap<string, string>> {
  const line = openBroker({ ...(await street.broker.line('buyer')), clientId: 'newcomer' })
  const found = new Map<string, string>()
  try {
    await line.ready()
    let last = performance.now()
    await line.subscribe(filter, (topic, payload, retained) => {
      if (!retained) return
      found.set(topic, Buffer.from(payload).toString())
      last = performance.now()
    })
    await until(() => performance.now() - last > 500, 'the broker has said what it keeps')
  } finally {
    await line.close()
  }
  return found
}

/** Whether a line's time is what a clock says that is set like this. */
function isAt(time: unknown, step: 'unset' | number): boolean {
  if (step === 'unset') return time === null
  return typeof time === 'string' && Math.abs(Date.parse(time) - Date.now() - step) < 3_600_000
}
