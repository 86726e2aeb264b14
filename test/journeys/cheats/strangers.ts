/**
 * Whoever else can write: words in the name of the gateway or of a device. Where the broker has the fleet's
 * access list they never arrive; where it has none they are dropped by name, and change no books.
 */
import assert from 'node:assert/strict'
import { randomBytes } from '#crypto'
import { Fault } from '../../../runtime/faults.ts'
import { encodeAcks, signAck } from '../../../runtime/wire/ack.ts'
import { unhex } from '../../../runtime/wire/bytes.ts'
import { encodeGrants, signGrant } from '../../../runtime/wire/grant.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'
import { sealSold } from '../../../runtime/wire/sold.ts'
import { topics } from '../../../runtime/wire/topic.ts'
import { flavours } from '../brokers.ts'
import { type Journey, journey } from '../journey.ts'
import { until } from '../street.ts'
import {
  booksOf,
  buyOne,
  deposited,
  isRefusal,
  newest,
  openBuyer,
  openSale,
  type Peer,
  put,
  type Sale,
  settled,
  unmoved,
} from './sale.ts'

const grants = journey({
  name: 'forged grant',
  says: 'a grant that the gateway did not sign raises no cap, whoever signs it and however high it is',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    const topic = topics(sale.stall.device).grant
    const bare = {
      ...{ channelId: peer.channel, device: sale.stall.device, index: 0, cap: 1n << 60n },
      ...{ untilMs: Date.now() + 10 ** 11, registryVersion: 99n },
    }
    await unmoved(sale, async () => {
      for (const signer of [localSigner(randomBytes(32)), peer.signer]) {
        await forge(sale, topic, encodeGrants([await signGrant(bare, signer)]))
      }
      // Among a true one it is as false.
      const true1 = sale.outside.sent.find((one) => one.topic === topic)?.payload
      if (true1 !== undefined)
        await forge(
          sale,
          topic,
          true1.map((byte, i) => (i === 90 ? byte ^ 1 : byte)),
        )
    })
    const over = await peer.pay(deposited + 1n, 2n)
    const range = await newest(sale)
    isRefusal(
      await peer.desk.request({ kind: 'promise', payment: over, buy: [range] }),
      'promise-over-cap',
    )
    await buyOne(sale, peer, 1_000n, 3n)
    await settled(sale, 1_000n)
  },
})

const acks = journey({
  name: 'forged ack',
  says: 'an ack that the gateway did not sign frees nothing: a device at its exposure waits for the true one',
  street: { exposure: '0.001' },
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    sale.operator.signal('SIGKILL')
    await sale.operator.ended
    const payment = await peer.pay(5_000n, 2n)
    const all = { ...(await newest(sale)), to: 1 << 20 }
    await peer.desk.request({ kind: 'promise', payment, buy: [all] })
    await stuck(sale, peer)
    const { period, root, total } = payment.split
    const bare = { channelId: peer.channel, period, root, total, timeMs: Date.now() + 60_000 }
    await unmoved(sale, async () => {
      for (const signer of [localSigner(randomBytes(32)), peer.signer]) {
        await forge(sale, topics(sale.stall.device).ack, encodeAcks([await signAck(bare, signer)]))
      }
    })
    const stopped = await sale.stall.sale()
    assert.ok(stopped.delivered - stopped.acknowledged <= 1_000n)
    const operator = await street.operate()
    await peer.gate.order()
    assert.equal((await peer.gate.request(booksOf(payment)))?.kind, 'ok')
    await until(async () => (await sale.stall.sale()).delivered > stopped.delivered, 'it goes on')
    await settled({ ...sale, operator }, 5_000n)
  },
})

const again = journey({
  name: 'old grants and acks',
  says: 'grants and acks of an earlier moment, said again, lower no cap and take no acknowledgement back',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    await put(street, sale.rail, peer.config, deposited, peer.signer)
    const cap = () =>
      JSON.stringify(sale.books().sale_channel).includes(`"cap":"${2n * deposited}"`)
    await until(cap, 'the cap is raised')
    await buyOne(sale, peer, deposited + 500n, 2n)
    const acknowledged = async () => (await sale.stall.sale()).acknowledged
    await until(async () => (await acknowledged()) === deposited + 500n, 'it is acknowledged')
    const { device } = sale.stall
    const past = sale.outside.sent.filter(({ topic }) =>
      [topics(device).grant, topics(device).ack].includes(topic),
    )
    await unmoved(sale, async () => {
      for (const { topic, payload } of past.slice(0, 6)) await say(sale, topic, payload)
      await newest(sale)
    })
    await settled(sale, deposited + 500n, 2n * deposited)
  },
})

const nothing = journey({
  name: 'empty list of grants',
  says: 'only the broker’s access list keeps a stranger from ending a sale with an empty list, and it does',
  brokers: flavours.filter((flavour) => flavour !== 'aedes'),
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    await unmoved(sale, async () => {
      for (const payload of [encodeGrants([]), new Uint8Array(0)]) {
        await say(sale, topics(sale.stall.device).grant, payload)
      }
      await newest(sale)
    })
    await buyOne(sale, peer, 1_000n, 2n)
    await settled(sale, 1_000n)
  },
})

const sold = journey({
  name: 'forged books of a device',
  says: 'what a stranger tells the gateway in the name of a device is held to the payer’s signatures like any books',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    const { device, gateway, outside, operator } = sale
    const topic = topics(device.device).sold
    const held = () => outside.retained(topic)
    // Where there is an access list, nobody but the gateway may even read it.
    if (sale.street.broker.flavour === 'aedes') await outside.until(() => held() !== undefined)
    const old = held() ?? randomBytes(500)
    await buyOne(sale, peer, 1_000n, 2n)
    const forged = await peer.pay(9_000n, 3n, { signer: localSigner(randomBytes(32)) })
    const sealed = await sealSold([forged], device.device, unhex(gateway.hpke))
    for (const payload of [sealed, old, randomBytes(300)]) await say(sale, topic, payload)
    await buyOne(sale, peer, 1_500n, 4n)
    const acked = operator.said().filter(({ event }) => event === 'acked')
    assert.deepEqual(
      acked.map(({ total }) => total),
      ['500', '1000', '1500'],
    )
    await settled(sale, 1_500n)
  },
})

export const strangers: readonly Journey[] = [grants, acks, again, nothing, sold]

/** Waits until the device, asked again, says that it has come to its exposure. */
async function stuck({ stall }: Sale, { desk }: Peer): Promise<void> {
  await until(async () => {
    await desk.request({ kind: 'state' })
    const { delivered, acknowledged } = await stall.sale()
    return delivered - acknowledged > 600n
  }, 'it stops')
}

/** Says it; without an access list the device hears it, and drops it by name. */
export async function forge(sale: Sale, topic: string, payload: Uint8Array): Promise<void> {
  const { stall, street } = sale
  const drops = async () => (await stall.refusals())['dropped: not from the gateway'] ?? 0
  const before = await drops()
  await say(sale, topic, payload)
  if (street.broker.flavour === 'aedes')
    await until(async () => (await drops()) > before, 'it is dropped')
  else await newest(sale)
}

/** Says it, retained. With an access list the broker refuses, in MQTT 3.1.1 without a word. */
async function say({ outside }: Sale, topic: string, payload: Uint8Array): Promise<void> {
  try {
    await outside.say(topic, payload, true)
  } catch (cause) {
    assert.ok(cause instanceof Fault && cause.code === 'BROKER_REFUSED', String(cause))
  }
}
