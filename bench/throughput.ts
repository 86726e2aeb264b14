/**
 * Decoded readings to sealed epochs that a broker has acknowledged, per second, against raw inserts of the
 * same packs, 256 rows a transaction, at the same durability on the same disk in the same run.
 */
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { randomBytes } from '#crypto'
import { openBroker } from '../runtime/link/broker.ts'
import { openDeviceKey } from '../runtime/sign/key.ts'
import { openStore } from '../runtime/store/client.ts'
import { openGenerations } from '../runtime/stream/generations.ts'
import { outbox } from '../runtime/stream/outbox.ts'
import type { Clock } from '../runtime/wire/clock.ts'
import { packEncoder } from '../runtime/wire/pack.ts'
import type { Reading } from '../runtime/wire/reading.ts'
import { inFolder } from '../test/disk/folder.ts'
import { makerOf } from '../test/sign/fixture.ts'
import { startBroker } from './broker.ts'
import type { Figure } from './figure.ts'
import { flash } from './flash.ts'

const readings = 60_000
const turns = 3

export async function bench(): Promise<Figure[]> {
  const broker = await startBroker()
  const figures: Figure[] = []
  try {
    for (const streams of [1, 3]) {
      let raw = 0
      let ours = 0
      // In turns, so that a busy machine slows both.
      for (let turn = 0; turn < turns; turn += 1) {
        raw = Math.max(raw, await inFolder((folder) => rawInserts(folder, streams)))
        ours = Math.max(ours, await inFolder((folder) => sealed(folder, broker.url, streams)))
      }
      const what = streams === 1 ? 'one stream' : `${streams} streams`
      const name = `readings to PUBACKed sealed epochs over raw inserts, ${what}`
      figures.push(
        { name, value: ours / raw, unit: 'times', goal: 'at least 1/8, aim 1/4' },
        { name: `of it, ours, ${what}`, value: ours, unit: 'readings/s', goal: 'as measured' },
        { name: `of it, raw inserts, ${what}`, value: raw, unit: 'rows/s', goal: 'as measured' },
      )
    }
    return [...figures, ...(await flash())]
  } finally {
    await broker.close()
  }
}

/** Rows a second of better-sqlite3 alone, WAL and FULL, 256 rows a transaction, each row a pack. */
async function rawInserts(folder: string, streams: number): Promise<number> {
  const encode = packEncoder(device)
  const rows = moments(streams).map((reading) => ({ reading, pack: encode(reading) }))
  const db = new Sqlite(join(folder, 'raw.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(
    'CREATE TABLE reading (id INTEGER PRIMARY KEY, stream TEXT, at INTEGER, pack BLOB) STRICT',
  )
  const insert = db.prepare('INSERT INTO reading (stream, at, pack) VALUES (?, ?, ?)')
  const insertAll = db.transaction((part: typeof rows) => {
    for (const { reading, pack } of part) insert.run(reading.stream, reading.monotonicMs, pack)
  })
  const began = performance.now()
  for (let at = 0; at < rows.length; at += 256) insertAll(rows.slice(at, at + 256))
  const seconds = (performance.now() - began) / 1000
  db.close()
  return rows.length / seconds
}

/** Readings a second through signing, store, seal, outbox and broker, until the last PUBACK. */
async function sealed(folder: string, url: string, streams: number): Promise<number> {
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path: join(folder, 'store.db') })
  const line = openBroker({ url, clientId: key.device })
  await line.ready()
  const out = outbox({ store, publish: line.publish })
  const parts = { key, clock, generations, store }
  const maker = makerOf(parts, {
    streams: names.slice(0, streams).map((name) => ({ ...plan, name })),
    sealed: out.look,
  })
  const taking = new AbortController()
  const sending = new AbortController()
  const sent = out.start(sending.signal)
  const made = maker.start(taking.signal)

  const given = moments(streams)
  const began = performance.now()
  for (const [i, reading] of given.entries()) {
    while (!maker.take(reading)) await breath()
    if (i % 64 === 0) await breath()
  }
  taking.abort()
  await made
  if (!(await out.drained(60_000))) throw new Error('the broker did not take it all')
  const seconds = (performance.now() - began) / 1000

  sending.abort()
  await sent
  await line.close()
  await store.close()
  return given.length / seconds
}

/** What a Plantower sensor says: nine fields, all whole numbers. */
function moments(streams: number): Reading[] {
  return Array.from({ length: readings }, (_, i) => ({
    stream: names[i % streams] as string,
    boot: clock.boot,
    monotonicMs: 1_000_000 + i,
    wallMs: 1_790_000_000_000 + i,
    values: {
      pm1: i % 40,
      pm2_5: i % 70,
      pm10: i % 110,
      over0_3um: (i * 7) % 9000,
      over0_5um: (i * 5) % 3000,
      over1um: (i * 3) % 700,
      over2_5um: i % 90,
      over5um: i % 20,
      over10um: i % 7,
    },
    units,
  }))
}

const device = `0x${'5a'.repeat(20)}` as const
const names = ['air', 'street', 'yard']
const units = {
  pm1: 'ug/m3',
  pm2_5: 'ug/m3',
  pm10: 'ug/m3',
  over0_3um: '/dL',
  over0_5um: '/dL',
  over1um: '/dL',
  over2_5um: '/dL',
  over5um: '/dL',
  over10um: '/dL',
} as const
const hash = new Uint8Array(32)
const plan = {
  terms: hash,
  setup: hash,
  epochMs: 10_000,
  countMax: 4096,
  bytesMax: 65_536,
  free: false,
}
const clock: Clock = {
  boot: '00112233445566778899aabbccddeeff',
  monotonicMs: () => 1_000_000 + Math.floor(performance.now()),
  wall: () => ({ ms: 1_790_000_000_000 + Math.floor(performance.now()), quality: 'synced' }),
}
