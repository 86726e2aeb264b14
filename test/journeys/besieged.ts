/** A whole device in this process: real store, real broker, a sensor on paper, and keys that the test knows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { randomBytes } from '#crypto'
import { startBroker } from '../../demo/broker.ts'
import { plantowerCapture } from '../../demo/sensors.ts'
import { configSchema } from '../../runtime/config/config.ts'
import { openDevice } from '../../runtime/device.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import { systemClock } from '../../runtime/watch/clock.ts'
import { openMetrics } from '../../runtime/watch/metrics.ts'
import { openWatch } from '../../runtime/watch/watch.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { lookInto } from '../disk/look.ts'
import { device, deviceKey, deviceSecret, offer } from '../sell/world.ts'
import { openOutside } from './outside.ts'

export type Besieged = Awaited<ReturnType<typeof besiege>>

const frameMs = 60

export async function besiege(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-besieged-'))
  t.after(() => rm(folder, { recursive: true }))
  const keys = { 'device.key': deviceSecret, 'hpke.key': deviceKey.hpke.privateKey }
  for (const [name, key] of Object.entries(keys)) {
    await writeFile(join(folder, name), `${hex(key)}\n`, { mode: 0o600 })
  }
  const broker = await startBroker()
  t.after(broker.stop)
  const port = mockPort()
  const logged: string[] = []
  const running = await openDevice({
    config: configOf(folder, broker.url),
    clock: systemClock(true, randomBytes),
    watch: openWatch((_level, event) => void logged.push(event), openMetrics()),
    openPort: port.open,
    random: randomBytes,
  })
  const stop = new AbortController()
  let died: unknown
  const ended = running.start(stop.signal).catch((cause) => {
    died = cause
  })
  t.after(async () => {
    stop.abort()
    await ended
    await running.close()
  })
  const { bursts } = await plantowerCapture('air')
  let frame = 0
  const speaking = setInterval(() => {
    port.say(bursts[frame % bursts.length] as Uint8Array)
    frame += 1
  }, frameMs)
  t.after(() => clearInterval(speaking))
  return {
    ...(await outside(t, broker.url)),
    health: running.health,
    logged,
    died: () => died,
    /** Everything that the device keeps of sales, but times and counters of messages. */
    books: () => booksIn(join(folder, 'store.sqlite')),
  }
}

function configOf(folder: string, url: string) {
  const { operator, gateway, receiver, rails } = offer
  const options = { variant: 'pms5003t' }
  const price = { amount: '0.036', per: '1h' }
  const sensor = { name: 'air', driver: 'plantower', port: '/dev/paper', options, price }
  return configSchema.parse({
    ...{ folder, broker: { url }, operator, gateway, receiver, rails },
    withdrawDelayMin: '1d',
    sensors: [sensor],
    epoch: { age: '300ms' },
    commit: { delay: '50ms' },
    // Nothing here dies unread: what is read must do no harm.
    sale: { unknownPerSecond: 1000 },
    clock: 'trusted',
  })
}

/** What whoever stands at the broker sees and may say. */
async function outside(t: TestContext, url: string) {
  const line = openBroker({ url, clientId: 'outside' })
  t.after(line.close)
  await line.ready()
  const { to, until, epochs, say, terms } = await openOutside(line, `wayside/1/${device}/#`)
  return {
    at: to(device),
    until,
    epochs: () => epochs(device),
    say: (topic: string, payload: Uint8Array) => say(topic, payload),
    terms: () => terms(device),
  }
}

/** What a device keeps of sales in its database, but times and counters of messages. */
export function booksIn(path: string): Readonly<Record<string, unknown>> {
  return lookInto(path, (db) => {
    const named = db.prepare(`SELECT name FROM sqlite_master WHERE name LIKE 'sale_%'
      AND type = 'table' AND name NOT IN ('sale_session', 'sale_time', 'sale_held')`)
    const tables = named.pluck().all().map(String)
    const rows = tables.map((name) => [name, db.prepare(`SELECT * FROM ${name}`).all()])
    return Object.fromEntries(rows)
  })
}
