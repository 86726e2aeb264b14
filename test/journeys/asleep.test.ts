/** A buyer asleep: what it paid for opens when it wakes, whether or not the device is there. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker } from '../../demo/broker.ts'
import { openEnds } from '../../demo/ends.ts'
import type { BuyerOptions, Item } from '../../runtime/buyer/index.ts'
import { sessionTable } from '../../runtime/buyer/sessions.ts'
import { openDatabase } from '../../runtime/disk/sqlite.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { decodeRequest, type Request } from '../../runtime/wire/request.ts'
import { openMessage, type SessionKeys, sessionName } from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { handClock } from '../buyer/past.ts'
import { limits, openStreet, type Street, terms } from '../buyer/street.ts'
import { counted } from './stall.ts'
import { until } from './street.ts'

const epochMs = 1_000

/** A device by hand on a broker of its own, and a witness of what crosses it. */
async function openRoad(t: TestContext) {
  const end = openEnds()
  t.after(() => end.run())
  const { url, stop } = await startBroker()
  end.add(stop)
  const dial = async (clientId: string) => {
    const line = openBroker({ url, clientId })
    end.add(line.close)
    await line.ready()
    return line
  }
  const crossed: { topic: string; payload: Uint8Array }[] = []
  const witness = await dial('witness')
  await witness.subscribe('wayside/1/#', (topic, payload) => {
    crossed.push({ topic, payload: payload.slice() })
  })
  const clock = handClock(Date.now() - 3_600_000)
  const broker = await dial('street')
  const street = await openStreet(
    { after: async (fn) => end.add(fn) },
    { clock, broker, terms: { ...terms, epochMs } },
  )
  const [device] = street.devices as [Street['devices'][0]]
  return { street, device, url, crossed, dial }
}

type Road = Awaited<ReturnType<typeof openRoad>>

/** Pays 1,200 epochs ahead, reads a little, and is gone in the middle without a word. */
async function fallAsleep({ street, device }: Road, more: Partial<BuyerOptions>, upTo: number) {
  const crash = new AbortController()
  const ahead = { aheadMs: 1_200 * epochMs, budget: '5', signal: crash.signal }
  const buyer = await street.buy({ ...ahead, ...more })
  const items: Item[] = []
  const reading = (async () => {
    for await (const item of buyer.readings()) {
      items.push(item)
      if (items.length < upTo) continue
      item.taken()
      return
    }
  })()
  await device.make(5)
  return {
    items,
    reading,
    async die() {
      crash.abort()
      await buyer.close()
      await reading
    },
  }
}

/** Reads until it has so many, and counts what that took. */
async function wake({ street }: Road, count: number) {
  // A machine that is busy is given its time: what is said again would count twice.
  const patient = { ...limits, askMs: 15_000 }
  const buyer = await street.buy({ resume: true, budget: '0', limits: patient })
  const items: Item[] = []
  for await (const item of buyer.readings()) {
    items.push(item)
    if (items.length === count) buyer.stop()
  }
  await buyer.close()
  return { items, ...buyer.summary() }
}

/** The session that the books still hold: the device may not have heard its end. */
function sessionOf({ street }: Road, device: Address): SessionKeys {
  const db = openDatabase(join(street.folder, 'buyer', 'buyer.db'))
  const channel = db.prepare('SELECT id FROM channel').pluck().get() as `0x${string}`
  const row = sessionTable(db).get(device, channel)
  db.close()
  if (row === undefined) throw new Error('there is no session')
  return row.keys
}

function requestsIn(crossed: Road['crossed'], device: Address, keys: SessionKeys): Request[] {
  return crossed.flatMap(({ topic, payload }) => {
    const opened = topic === topics(device).ask ? openMessage(payload, keys, 'request') : undefined
    return opened === undefined ? [] : [decodeRequest(opened.plain)]
  })
}

/** Waits until the device has said everything: no epoch, key or index crosses the broker for a while. */
async function quiet(crossed: Road['crossed']): Promise<void> {
  const said = () => crossed.filter(({ topic }) => /\/(epoch|keys|index)$/.test(topic)).length
  for (let seen = -1; seen !== said(); await sleep(1_500)) seen = said()
}

const valuesOf = (items: readonly Item[]) =>
  items.map(({ reading }) => reading.values.pm2_5 as number)

test('a buyer asleep for a thousand epochs opens all it paid for from one keys message and one fetch', async (t) => {
  const road = await openRoad(t)
  const { device, crossed } = road
  const before = await fallAsleep(road, {}, 7)
  await before.reading
  await before.die()
  const keys = sessionOf(road, device.device)

  const asleep = 1_000
  await device.make(asleep)
  const due = BigInt((5 + asleep) * (epochMs - 1))
  await until(() => device.counts().delivered >= due, 'what was paid ahead is sold to nobody there')
  await quiet(crossed)

  const [from, all] = [crossed.length, 2 * (5 + asleep)]
  const { items, counts, findings, money } = await wake(road, all - before.items.length)
  assert.deepEqual(valuesOf([...before.items, ...items]), counted(1, all))
  assert.deepEqual([counts.opened, findings], [counts.bought, {}])
  assert.equal(money?.promised, 0n)
  const since = crossed.slice(from)
  const fetches = requestsIn(since, device.device, keys).filter(({ kind }) => kind === 'fetch')
  const topic = topics(device.device).keys(sessionName(keys.id))
  // It is retained: nothing new was said on it but that it is over.
  const said = since.filter((one) => one.topic === topic && one.payload.length > 0)
  assert.deepEqual([fetches.length, said.length], [1, 0])
  t.diagnostic(`${items.length} readings of ${counts.opened} epochs from one fetch`)
})

test('with the device gone every body in hand opens, and the fetch is answered when it is back', async (t) => {
  const road = await openRoad(t)
  const { street, device, dial } = road
  // It hears no keys, no index, and of the epochs only the first fifty.
  const line = await dial('deaf')
  let heard = 0
  const deaf: BuyerOptions['broker'] = {
    publish: line.publish,
    subscribe: (filter, handler) =>
      line.subscribe(filter, (topic, payload, retained) => {
        if (topic.endsWith('/keys') || topic.endsWith('/index')) return
        if (topic.endsWith('/epoch')) heard += 1
        if (!topic.endsWith('/epoch') || heard <= 50) handler(topic, payload, retained)
      }),
  }
  const before = await fallAsleep(road, { broker: deaf }, 1)
  const [bought, inHand] = [70, 50]
  await device.make(bought - 5)
  const due = BigInt(bought * (epochMs - 1))
  await until(() => device.counts().delivered >= due, 'all of it is sold')
  await until(() => heard >= bought, 'the buyer was told of all')
  assert.deepEqual(before.items, [])
  await before.die()
  await device.stop()

  const buyer = await street.buy({ resume: true, budget: '0' })
  const items: Item[] = []
  const reading = (async () => {
    for await (const item of buyer.readings()) {
      items.push(item)
      if (items.length === 2 * bought) buyer.stop()
    }
  })()
  await until(() => items.length === 2 * inHand, 'all that is in hand is open')
  assert.deepEqual(valuesOf(items), counted(1, 2 * inHand))
  await street.reopen()
  await reading
  await buyer.close()
  assert.deepEqual(valuesOf(items), counted(1, 2 * bought))
  const { counts, findings, money } = buyer.summary()
  assert.deepEqual([counts.opened, findings, money?.promised], [counts.bought, {}, 0n])
})
