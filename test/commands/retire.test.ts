/** `wayside retire` as a person meets it, at a real mosquitto that is away first. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBroker } from '../../runtime/link/broker.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { openStore } from '../../runtime/store/client.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'
import { everyTopic, topics } from '../../runtime/wire/topic.ts'
import { noMosquitto as skip, startMosquitto } from '../link/mosquitto.ts'
import { wayside } from './wayside.ts'

test('everything that a device left is taken away, now or when the broker is back', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: '5' })
  const home = await mkdtemp(join(tmpdir(), 'wayside-retire-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const folder = join(home, 'data')
  await mkdir(folder)
  const { device } = await openDeviceKey(folder)
  const own = topics(device)
  const left = [own.status, own.sold, own.keys('ab'.repeat(16))]
  const store = await openStore({ path: join(folder, 'store.sqlite') })
  for (const topic of left) await store.setRetained(topic, utf8('{}'))
  await store.close()
  const config = join(home, 'wayside.yaml')
  const address = `"${device}"`
  const broker = `broker: { url: "${host.url}" }\noperator: ${address}\n`
  const lines = `folder: ${folder}\n${broker}gateway: ${address}\nreceiver: ${address}\n`
  await writeFile(config, lines)

  await host.stop()
  const away = wayside(['retire', config, '--json'])
  assert.equal(away.status, 3, away.stderr)
  assert.deepEqual(JSON.parse(away.stdout), { device, topics: 3, left: 3 })
  assert.match(away.stderr, /3 topics are still retained at .*: there is no line to it\n.*again/)

  await host.start()
  const before = openBroker({ url: host.url, clientId: 'before' })
  t.after(() => before.close())
  await before.ready()
  for (const topic of left) await before.publish(topic, '{}', { retain: true })
  const mine = topics(`0x${'ee'.repeat(20)}`).offer
  await before.publish(mine, 'of another seller', { retain: true })
  const there = wayside(['retire', config])
  assert.equal(there.status, 0, there.stderr)
  assert.match(there.stdout, /has left nothing at/)
  const found: string[] = []
  const after = openBroker({ url: host.url, clientId: 'after' })
  t.after(() => after.close())
  await after.ready()
  await after.subscribe(everyTopic, (topic) => found.push(topic))
  while (!found.includes(mine)) await sleep(5)
  assert.deepEqual(found, [mine])
  assert.deepEqual(JSON.parse(wayside(['retire', config, '--json']).stdout).topics, 0)
})

test('a folder without a device is not given one', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'wayside-retire-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const config = join(home, 'wayside.yaml')
  const address = `"0x${'11'.repeat(20)}"`
  const who = ['operator', 'gateway', 'receiver'].map((name) => `${name}: ${address}\n`).join('')
  await writeFile(config, `folder: ${home}\nbroker: { url: "mqtt://127.0.0.1:9" }\n${who}`)
  const { status, stderr } = wayside(['retire', config])
  assert.equal(status, 2)
  assert.match(stderr, /there is no device in that folder/)
})
