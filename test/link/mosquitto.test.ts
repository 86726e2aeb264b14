/** The same line against a broker that speaks MQTT 5; Debian's mosquitto, skipped where it is not. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../runtime/faults.ts'
import { type BrokerOptions, openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'

const installed = spawnSync('mosquitto', ['-h']).error === undefined
const skip = installed ? false : 'needs mosquitto (apt-get install mosquitto)'
const quick = { retryFirstMs: 20, retryMaxMs: 50, connectMs: 5_000 }

/** Everybody may do everything except write below `forbidden/` or hear `secret/`. */
const acl = 'topic readwrite open/#\ntopic read forbidden/#\n'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  server.close()
  return address.port
}

async function start(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-mosquitto-'))
  const port = await freePort()
  await writeFile(join(folder, 'acl'), acl, { mode: 0o600 })
  const config = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    `acl_file ${join(folder, 'acl')}`,
    'persistence false',
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ]
  await writeFile(join(folder, 'conf'), `${config.join('\n')}\n`)
  const host = spawn('mosquitto', ['-c', join(folder, 'conf')], { stdio: 'ignore' })
  context.after(async () => {
    host.kill()
    await rm(folder, { recursive: true, force: true })
  })
  return `mqtt://127.0.0.1:${port}`
}

async function open(url: string, clientId: string, more: Partial<BrokerOptions> = {}) {
  const broker = openBroker({ url, clientId, limits: quick, ...more })
  await broker.ready(10_000)
  return broker
}

test('a publish that the ACL forbids is refused in words', { skip }, async (context) => {
  const url = await start(context)
  const notes: LinkNote[] = []
  const broker = await open(url, 'one', { note: (note) => notes.push(note) })
  await broker.publish('open/a', 'x')
  await assert.rejects(
    broker.publish('forbidden/a', 'x'),
    (error) => error instanceof Fault && error.code === 'BROKER_REFUSED',
  )
  assert.ok(notes.some((note) => note.event === 'connected' && note.version === '5'))
  await broker.close()
})

test('more publishes than the broker takes at once all arrive', { skip }, async (context) => {
  const url = await start(context)
  const broker = await open(url, 'one')
  let heard = 0
  await broker.subscribe('open/#', () => {
    heard += 1
  })
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => broker.publish('open/a', `${i}`)))
  while (heard < 1_000) await sleep(5)
  await broker.close()
})

test('two machines that fight for one id are told so', { skip }, async (context) => {
  const url = await start(context)
  const notes: LinkNote[] = []
  const note = (each: LinkNote) => void notes.push(each)
  const one = await open(url, 'device', { note })
  const clone = await open(url, 'device', { note })
  while (!notes.some((each) => each.event === 'taken over')) await sleep(5)
  await Promise.all([one.close(), clone.close()])
})

test('a kept session holds what came while we were away', { skip }, async (context) => {
  const url = await start(context)
  const first = await open(url, 'device', { keepSession: true })
  await first.subscribe('open/ask', () => {})
  await first.close()
  const buyer = await open(url, 'buyer')
  await buyer.publish('open/ask', 'promise')
  const second = openBroker({ url, clientId: 'device', limits: quick, keepSession: true })
  await new Promise<void>((done) => void second.subscribe('open/ask', () => done()))
  await Promise.all([second.close(), buyer.close()])
})
