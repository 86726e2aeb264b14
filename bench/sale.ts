/**
 * A sale as its buyer feels it, on loopback: device, gateway, chain, broker and buyer are the product's own.
 *
 * Latency is from the moment that an epoch's sealed message stands at the broker until its first reading is
 * handed out: promise, check, durable books, key and proof lie between. The broker is aedes, which lets us
 * hear everything; the baseline of the same run is a bare round trip over mosquitto. Bytes are what everybody
 * says for one buyer (topic and payload, without the epochs, which all buyers share), for epochs of 10 s.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openBuyer } from '../runtime/buyer/index.ts'
import { readKeyFile } from '../runtime/disk/keyfile.ts'
import { type Broker, openBroker } from '../runtime/link/broker.ts'
import { openChain } from '../runtime/link/chain.ts'
import { decodeMessage } from '../runtime/wire/epoch.ts'
import { localSigner } from '../runtime/wire/signer.ts'
import { everyTopic, parseTopic } from '../runtime/wire/topic.ts'
import { moneyless, openStreet, type Street } from '../test/journeys/street.ts'
import { noMosquitto, startMosquitto } from '../test/link/mosquitto.ts'
import type { Figure } from './figure.ts'

const epochs = 30
const perHour = 360

export async function bench(): Promise<Figure[]> {
  if (moneyless !== false) {
    console.error(`left out: ${moneyless}`)
    return []
  }
  const after: (() => Promise<void>)[] = []
  try {
    const t = { after: (fn: () => Promise<void>) => void after.push(fn) }
    const street = await openStreet(t)
    await street.stalls[0]?.open()
    await street.operate()
    const line = openBroker({ url: street.url, clientId: 'bench' })
    after.unshift(line.close)
    await line.ready()
    const heard = await listen(line)
    const trip = noMosquitto === false ? await roundTrip(t) : undefined
    const onSight = await buy(street, heard, 0)
    const ahead = await buy(street, heard, 8_000)
    const figure = (name: string, value: number, unit: string, goal = 'as measured') => ({
      name,
      value,
      unit,
      goal,
    })
    const first = 'epoch at the broker to its first reading opened'
    return [
      figure(`${first}, pay on sight, median`, onSight.median, 'ms', 'at most 300'),
      figure(`${first}, pay on sight, longest`, onSight.longest, 'ms', 'at most 300'),
      figure(`${first}, paid ahead, median`, ahead.median, 'ms', 'at most 300'),
      ...(trip === undefined ? [] : [figure('baseline, a round trip over mosquitto', trip, 'ms')]),
      figure('bytes for a buyer and hour, pay on sight', onSight.bytes * perHour, 'bytes'),
      figure('bytes for a buyer and hour, paid ahead', ahead.bytes * perHour, 'bytes'),
    ]
  } finally {
    for (const end of after) await end()
  }
}

type Heard = { readonly epochs: Map<number, number>; bytes: number }

/** When each epoch came, and the bytes of everything else that is said for the sake of a buyer. */
async function listen(line: Broker): Promise<Heard> {
  const heard: Heard = { epochs: new Map(), bytes: 0 }
  await line.subscribe(everyTopic, (topic, payload, retained) => {
    const parsed = parseTopic(topic)
    if (retained || parsed === undefined) return
    if (parsed.kind === 'epoch' && parsed.stream === 'air') {
      heard.epochs.set(decodeMessage(payload).header.number, performance.now())
    } else if (forBuyers.has(parsed.kind)) heard.bytes += topic.length + payload.length
  })
  return heard
}

const forBuyers: ReadonlySet<string> = new Set(['ask', 'answer', 'keys', 'grant', 'ack', 'sold'])

async function buy(street: Street, heard: Heard, aheadMs: number) {
  const { chainId, settlement, rpc } = street.chain
  const signer = localSigner(await readKeyFile(street.people.buyer.file))
  const buyer = await openBuyer({
    broker: street.url,
    folder: `${street.folder}/bench-books`,
    signer,
    wanted: { streams: ['air'] },
    budget: '1',
    aheadMs,
    chain: () => openChain({ rpcs: [rpc], chainId, settlement, sender: signer }),
  })
  const late: number[] = []
  let bytes = 0
  let last = 0
  for await (const item of buyer.readings()) {
    if (item.epoch === last) continue
    last = item.epoch
    // The first ones pay for the order and its grant.
    const settling = late.length < 5
    if (settling) bytes = heard.bytes
    late.push(performance.now() - (heard.epochs.get(last) ?? Number.NaN))
    if (late.length === epochs) break
  }
  await buyer.close()
  const steady = late.slice(5).sort((a, b) => a - b)
  return {
    median: steady[steady.length >> 1] ?? 0,
    longest: steady.at(-1) ?? 0,
    bytes: (heard.bytes - bytes) / steady.length,
  }
}

async function roundTrip(t: { after(fn: () => Promise<void>): void }): Promise<number> {
  const { url } = await startMosquitto(t, { flavour: '5' })
  const line = openBroker({ url, clientId: 'bench' })
  t.after(line.close)
  await line.ready()
  const trips: number[] = []
  let back: () => void = () => {}
  await line.subscribe('bench/echo', () => back())
  for (let i = 0; i < 100; i += 1) {
    const from = performance.now()
    await new Promise<void>((done) => {
      back = done
      void line.publish('bench/echo', 'there and back')
    })
    trips.push(performance.now() - from)
    await sleep(2)
  }
  trips.sort((a, b) => a - b)
  return trips[50] ?? 0
}
