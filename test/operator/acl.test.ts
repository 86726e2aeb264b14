/** The access list of a fleet, held by a real mosquitto: what each may do works, and nothing else does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../runtime/faults.ts'
import { type Broker, openBroker } from '../../runtime/link/broker.ts'
import { aclFile, rightsOf } from '../../runtime/operator/acl.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { type Mosquitto, noMosquitto, startMosquitto } from '../link/mosquitto.ts'
import { device, operator } from './fixture.ts'

const [one, other, stranger] = [device(1), device(2), device(3)]
const session = 'ab'.repeat(16)
const desk = 'the desk'
const parts = {
  operator: operator.address,
  gatewayLogin: desk,
  devices: [one, other],
  alone: false,
}

/** Every topic under a seller's address. */
function allOf(seller: typeof one): string[] {
  const { setup, epoch, open, keys, answer, ...plain } = topics(seller)
  const ofStream = [setup, epoch, open].map((topic) => topic('air'))
  return [...Object.values(plain), ...ofStream, keys(session), answer(session)]
}

/** The last parts of topics. */
const ends = (all: Iterable<string>) => [...all].map((topic) => topic.split('/').at(-1)).sort()

async function open(t: { after(fn: () => Promise<void>): void }, host: Mosquitto, name?: string) {
  const login = name === undefined ? {} : await host.login(name)
  const line = openBroker({ ...(await host.line('x')), ...login, clientId: name ?? 'anybody' })
  t.after(() => line.close())
  await line.ready()
  return line
}

/** Those topics that the broker takes from this client. */
async function takenFrom(line: Broker, all: readonly string[]): Promise<string[]> {
  const asked = all.map(async (topic) => {
    try {
      await line.publish(topic, 'x')
      return [topic]
    } catch (cause) {
      assert.ok(cause instanceof Fault && cause.code === 'BROKER_REFUSED', String(cause))
      assert.match(cause.message, /not authorized \(code 0x87\)/)
      assert.match(cause.cure, /wayside acl/)
      return []
    }
  })
  return (await Promise.all(asked)).flat()
}

test('under the list everybody writes what is theirs and nothing else', {
  skip: noMosquitto,
}, async (t) => {
  const users = { [one]: 'a', [other]: 'b', [desk]: 'c' }
  const host = await startMosquitto(t, {
    flavour: '5',
    acl: aclFile(parts),
    users,
    anonymous: true,
  })
  const everywhere = [one, other, stranger, operator.address].flatMap(allOf)
  const asks = [one, other, stranger, operator.address].map((seller) => topics(seller).ask)

  const buyer = await open(t, host)
  assert.deepEqual(await takenFrom(buyer, everywhere), asks, 'a buyer asks, and says nothing else')

  const seller = await open(t, host, one)
  const { grant, ack, enrolment } = topics(one)
  const own = allOf(one).filter((topic) => ![grant, ack, enrolment].includes(topic))
  const sold = new Set([...asks, ...own])
  assert.deepEqual(new Set(await takenFrom(seller, everywhere)), sold, 'a device: its own subtree')

  const gateway = await open(t, host, desk)
  const at = topics(operator.address)
  const said = [one, other].flatMap((of) => {
    const { grant, ack, enrolment } = topics(of)
    return [grant, ack, enrolment]
  })
  const its = new Set([...asks, at.offer, at.answer(session), ...said])
  assert.deepEqual(new Set(await takenFrom(gateway, everywhere)), its, 'a gateway: its own devices')
})

test('under the list nobody hears what is not for them', { skip: noMosquitto }, async (t) => {
  const users = { [one]: 'a', [other]: 'b', [desk]: 'c' }
  const host = await startMosquitto(t, {
    flavour: '5',
    acl: aclFile(parts),
    users,
    anonymous: true,
  })
  const lines = {
    buyer: await open(t, host),
    one: await open(t, host, one),
    other: await open(t, host, other),
    gateway: await open(t, host, desk),
  }
  const heard = new Map<string, Set<string>>()
  for (const [name, line] of Object.entries(lines)) {
    const topicsHeard = new Set<string>()
    heard.set(name, topicsHeard)
    await line.subscribe('wayside/1/#', (topic) => void topicsHeard.add(topic))
  }
  await takenFrom(lines.one, allOf(one))
  await takenFrom(lines.gateway, allOf(one))
  await lines.other.publish(topics(other).offer, 'the last word')
  for (const all of heard.values()) {
    for (let i = 0; i < 6_000 && !all.has(topics(other).offer); i += 1) await sleep(10)
  }
  const below = (name: string) => ends([...(heard.get(name) ?? [])].filter((x) => x.includes(one)))
  const shop = ['answer', 'enrolment', 'epoch', 'grant', 'index', 'keys', 'offer', 'open']
  const everybody = [...shop, 'setup', 'status']
  assert.deepEqual(below('buyer'), everybody)
  assert.deepEqual(below('other'), everybody, 'a device is nobody in the tree of another')
  assert.deepEqual(below('one'), [...everybody, 'ack', 'ask'].sort())
  assert.deepEqual(below('gateway'), [...everybody, 'ack', 'sold'].sort())
})

test('a desk that has the broker alone needs no line for each device', () => {
  const lines = (alone: boolean) =>
    rightsOf({ ...parts, alone }).filter(({ who }) => who === 'gateway')
  assert.equal(lines(false).length - lines(true).length, 3)
  assert.ok(lines(true).some(({ topic }) => topic === 'wayside/1/+/grant'))
  assert.match(aclFile({ ...parts, alone: true }), /^topic write wayside\/1\/\+\/grant$/m)
  assert.doesNotMatch(aclFile(parts), /^topic write wayside\/1\/\+/m)
})

test('a login with a line end in it adds no line to the list', () => {
  const gatewayLogin = 'desk\ntopic readwrite #'
  assert.doesNotMatch(aclFile({ ...parts, gatewayLogin }), /^topic readwrite/m)
})
