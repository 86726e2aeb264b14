import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Channel, claimTotal } from '../../runtime/operator/channel.ts'
import { checkLost } from '../../runtime/operator/lost.ts'
import { pause } from '../../runtime/time/pause.ts'
import { recoverAck } from '../../runtime/wire/ack.ts'
import { unhex } from '../../runtime/wire/bytes.ts'
import { channelId } from '../../runtime/wire/channel.ts'
import { readEnrolment } from '../../runtime/wire/enrolment.ts'
import { recoverGrant } from '../../runtime/wire/grant.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { paymentTree } from '../../runtime/wire/paymenttree.ts'
import { sealSold } from '../../runtime/wire/sold.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { books, configOf, device, funded, gateway, operator, rail } from './fixture.ts'
import { acksOf, eventually, grantsOf, openBuyer, openWorld, type World } from './line.ts'

const config = configOf()
const id = channelId(config, rail)
const deposit = (world: World, balance: bigint) => world.show(config, { balance, totalClaimed: 0n })
const leaf = (index: number, amount: bigint) => ({ index, device: device(index), amount })

test('a funded order is granted to each device of the fleet, signed by the gateway', async (t) => {
  const world = await openWorld(t, 4)
  deposit(world, 800n)
  const one = await openBuyer(world)
  assert.equal((await one.order()).kind, 'ok')
  await eventually(() => world.devices.every((who) => grantsOf(world, who).length === 1))
  for (const [index, who] of world.devices.entries()) {
    const [grant] = grantsOf(world, who)
    assert.ok(grant !== undefined)
    assert.deepEqual([grant.index, grant.cap, grant.device], [index, 100n, who])
    assert.deepEqual(grant.channelId, id)
    assert.equal(recoverGrant(grant), gateway.address)
    const [ack] = acksOf(world, who)
    assert.ok(ack !== undefined, 'a device without a signed time does not sell')
    assert.equal(recoverAck(ack), gateway.address)
    assert.deepEqual([ack.period, ack.total, ack.timeMs], [0n, 0n, world.clock.wallMs])
  }
})

test('offer and enrolments stand retained, and come again with a new line', async (t) => {
  const world = await openWorld(t, 1)
  const at = topics(operator.address)
  await eventually(() => world.broker.retained.size === 2)
  const { offer } = readOffer(world.broker.retained.get(at.offer) ?? new Uint8Array())
  assert.deepEqual(
    [offer.device, offer.gateway, offer.version],
    [operator.address, gateway.address, 1],
  )
  const enrolled = world.broker.retained.get(topics(device(0)).enrolment) ?? new Uint8Array()
  assert.equal(readEnrolment(enrolled).device, device(0))
  world.broker.line(false)
  world.broker.retained.clear()
  world.broker.line(true)
  await eventually(() => world.broker.retained.size === 2)
  await world.restart()
  await eventually(() => {
    const payload = world.broker.retained.get(at.offer)
    return payload !== undefined && readOffer(payload).offer.version === 2
  })
})

test('an order waits for its deposit, and nothing is granted before', async (t) => {
  const world = await openWorld(t)
  const one = await openBuyer(world)
  const first = await one.order()
  assert.equal(first.kind === 'refusal' && first.refusal.code, 'channel-unknown')
  world.chainDown = true
  const second = await one.order()
  assert.equal(second.kind === 'refusal' && second.refusal.code, 'channel-unknown')
  world.chainDown = false
  assert.deepEqual(grantsOf(world, device(0)), [])
  deposit(world, 400n)
  await eventually(() => one.answers.at(-1)?.kind === 'ok' && grantsOf(world, device(0)).length > 0)
})

test('books are acked to every member, durable before it is said, and again after a restart', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  const one = await openBuyer(world)
  await one.order()
  const shown = await books(funded(400n), 1n, [leaf(0, 30n), leaf(1, 20n)])
  assert.equal((await one.ask({ kind: 'books', ...shown })).kind, 'ok')
  assert.equal(world.current.ledger.channels()[0]?.acked.total, 50n)
  const isAcked = () => acksOf(world, device(1))[0]?.total === 50n
  await eventually(isAcked)
  world.broker.retained.clear()
  await world.restart()
  await eventually(isAcked)
  const more = await books(funded(400n), 2n, [leaf(0, 60n), leaf(1, 20n)], [leaf(0, 60n)])
  assert.equal((await one.ask({ kind: 'books', ...more })).kind, 'ok', 'the session lasts')
  await eventually(() => grantsOf(world, device(0))[0]?.cap === 200n)
})

test('a device that leaves the register leaves no retained ghosts', async (t) => {
  const world = await openWorld(t, 2)
  deposit(world, 400n)
  await (await openBuyer(world)).order()
  const at = topics(device(1))
  await eventually(() =>
    [at.grant, at.ack, at.enrolment].every((x) => world.broker.retained.has(x)),
  )
  world.devices.pop()
  await world.restart()
  await eventually(() => [...world.broker.retained.keys()].every((x) => !x.includes(device(1))))
  assert.equal(grantsOf(world, device(0)).length, 1)
})

test('acks carry the time, which never goes back', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  await (await openBuyer(world)).order()
  const start = world.clock.wallMs
  world.clock.wallMs += 60_000
  await eventually(() => acksOf(world, device(0))[0]?.timeMs === start + 60_000)
  world.clock.wallMs -= 3_600_000
  await world.restart()
  assert.equal(world.current.gateway.keeper.nowMs(), start + 60_000)
  await (await openBuyer(world, { untilMs: start + 86_400_000 })).order()
  assert.equal(acksOf(world, device(0))[0]?.timeMs, start + 60_000)
})

test('a device whose orders have all ended is granted nothing any more', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  await (await openBuyer(world, { untilMs: world.clock.wallMs + 60_000 })).order()
  await eventually(() => grantsOf(world, device(0)).length === 1)
  world.clock.wallMs += 60_001
  await world.restart()
  await eventually(() => grantsOf(world, device(0)).length === 0)
  assert.ok(world.broker.retained.has(topics(device(0)).grant), 'an empty list says so')
})

test('a withdrawal takes the grants away, ends the acks, and refuses the next order', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  const one = await openBuyer(world)
  await one.order()
  await eventually(() => grantsOf(world, device(0)).length === 1)
  world.show(config, { balance: 400n, totalClaimed: 0n, withdrawal: { amount: 400n } })
  await eventually(() => grantsOf(world, device(0)).length === 0)
  assert.ok(world.broker.retained.has(topics(device(0)).grant), 'an empty list, for who comes late')
  const shown = await books(funded(400n), 1n, [leaf(0, 30n), leaf(1, 20n)])
  for (const kind of ['books', 'order'] as const) {
    const no = await (kind === 'books' ? one.ask({ kind, ...shown }) : one.order())
    assert.equal(no.kind === 'refusal' && no.refusal.code, 'channel-withdrawing')
  }
  assert.equal(world.current.ledger.channels()[0]?.acked.total, 0n)
  assert.equal(world.current.ledger.channels()[0]?.voucher, undefined, 'no device takes it either')
  // One had taken it already, when the grant was still there.
  const tree = paymentTree()
  for (const each of [leaf(0, 30n), leaf(1, 20n)]) tree.set(each)
  const payment = { ...shown, leaf: leaf(0, 30n), path: tree.path(0) }
  const sold = await sealSold([payment], device(0), world.hpke.publicKey)
  await world.broker.publish(topics(device(0)).sold, sold, { retain: true })
  const owes = () => world.current.ledger.channels().map(claimTotal)[0]
  await eventually(() => owes() === 30n)
})

test("a single device's own leaf is its books, though its buyer never comes", async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  await (await openBuyer(world, { seller: device(0) })).order()
  await eventually(() => grantsOf(world, device(0))[0]?.cap === 400n)
  assert.deepEqual(grantsOf(world, device(1)), [], 'the other was not ordered')
  const { voucher, split } = await books(funded(400n), 1n, [leaf(0, 90n)])
  const tree = paymentTree()
  tree.set(leaf(0, 90n))
  const payment = { voucher, split, leaf: leaf(0, 90n), path: tree.path(0) }
  const sold = await sealSold([payment], device(0), world.hpke.publicKey)
  await world.broker.publish(topics(device(0)).sold, sold, { retain: true })
  await eventually(() => acksOf(world, device(0))[0]?.total === 90n)
})

test('two trees shown to two devices end the channel', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  await (await openBuyer(world)).order()
  for (const [index, amounts] of [
    [0, [50n, 0n]],
    [1, [0n, 50n]],
  ] as const) {
    const leaves = amounts.map((amount, i) => leaf(i, amount))
    const { voucher, split } = await books(funded(400n), 1n, leaves)
    const tree = paymentTree()
    for (const each of leaves) tree.set(each)
    const payment = { voucher, split, leaf: leaf(index, 50n), path: tree.path(index) }
    const sold = await sealSold([payment], device(index), world.hpke.publicKey)
    await world.broker.publish(topics(device(index)).sold, sold, { retain: true })
  }
  await eventually(() => world.notes.some(({ event }) => event === 'ended'))
  assert.equal(world.current.ledger.channels()[0]?.ended, 'two trees')
  assert.deepEqual(
    unhex(world.current.ledger.channels()[0]?.acked.root ?? '0x01'),
    new Uint8Array(32),
  )
})

test('books older than what was signed are noticed before anything is signed on them', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  const one = await openBuyer(world)
  await one.order()
  const old = world.current.ledger.channels()
  await one.ask({ kind: 'books', ...(await books(funded(400n), 1n, [leaf(0, 30n), leaf(1, 20n)])) })
  await eventually(() => acksOf(world, device(0))[0]?.period === 1n)
  const never = new AbortController().signal
  const check = (channels: Iterable<Channel>) =>
    checkLost(world.broker, gateway.address, channels, never)
  await check(world.current.ledger.channels())
  await assert.rejects(check(old), /older than what it has signed: the ack of period 1/)
  await assert.rejects(check([]), /BOOKS_BEHIND|a grant of/)
  await checkLost(world.broker, operator.address, [], never)
  world.broker.retained.set(topics(device(0)).ack, new Uint8Array([0xff]))
  await check(world.current.ledger.channels())
})

test('a broker that never falls silent holds no start for ever, nor one that is given up', async (t) => {
  const end = new AbortController()
  t.after(() => end.abort())
  const chatty = (retained: boolean) => ({
    async subscribe(
      _: string,
      handler: (at: string, bytes: Uint8Array, retained: boolean) => void,
    ) {
      void (async () => {
        for (; !end.signal.aborted; await pause(20, end.signal))
          handler('', new Uint8Array(), retained)
      })()
    },
  })
  const early = new AbortController()
  const checked = checkLost(chatty(true), gateway.address, [], early.signal)
  early.abort(new Error('given up'))
  await assert.rejects(checked, /given up/)
  // What is said now and not retained is nobody's memory: it makes nothing wait.
  await checkLost(chatty(false), gateway.address, [], AbortSignal.timeout(15_000))
})

test('what the disk does not take is never said', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  const one = await openBuyer(world)
  await one.order()
  await eventually(() => acksOf(world, device(0)).length === 1)
  world.current.ledger.close()
  const shown = await books(funded(400n), 1n, [leaf(0, 30n), leaf(1, 20n)])
  one.ask({ kind: 'books', ...shown }).catch(() => {})
  await assert.rejects(world.stop(), /database connection is not open/)
  assert.equal(acksOf(world, device(0))[0]?.period, 0n)
  assert.equal(one.answers.length, 1)
  world.stop = async () => {}
})

test('a broker that hangs does not keep the gateway from its end', async (t) => {
  const world = await openWorld(t)
  deposit(world, 400n)
  await (await openBuyer(world)).order()
  world.broker.hang()
  world.clock.wallMs += 60_000
  await sleep(200)
  const began = performance.now()
  await world.stop()
  assert.ok(performance.now() - began < 3_000)
})
