/**
 * A device's sensing half in a process of its own: `sensing.ts <folder>`. It senses, signs and stores as
 * fast as a broker takes it, and says in lines of JSON what it would tell outside: `kept`, how many readings
 * are acknowledged in this life; `refused`, how many were not taken; notes of the keeper; and how it ended.
 * SIGTERM ends it in order.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { Fault } from '../../runtime/faults.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { openStore } from '../../runtime/store/client.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { keeper } from '../../runtime/stream/keep.ts'
import { makerOf, plan, readingAt, testClock } from '../sign/fixture.ts'

const [, , folder = ''] = process.argv
const say = (said: object) => process.stdout.write(`${JSON.stringify(said)}\n`)
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

const key = await openDeviceKey(folder)
const generations = await openGenerations(folder, { random: randomBytes })
const store = await openStore({ path: join(folder, 'store.db'), fullRetryMs: 20 })
const clock = testClock()
const device = { folder, key, generations, store, clock, epochs: async () => [] }
let kept = 0
let refused = 0
const maker = makerOf(device, {
  streams: [plan('air', { countMax: 3 })],
  limits: { commitDelayMs: 10, fullRetryMs: 20, queueMax: 50 },
  acknowledged: ({ count }) => {
    kept += count
    say({ kept })
  },
})
const keep = keeper({
  ...{ store, generations, rule: { bytesMax: 1e12, freeMin: 0, ageMs: null }, evict: maker.evict },
  note: say,
  everyMs: 50,
})
const timer = setInterval(() => {
  if (maker.take(readingAt(clock, kept))) return
  refused += 1
  say({ refused })
}, 3)
const loops = [maker.start(stop.signal), keep.start(stop.signal), sell(), look()]
stop.signal.addEventListener('abort', () => {
  clearInterval(timer)
  store.hurry()
})
const [how] = await Promise.allSettled(loops)
const cause = how?.status === 'rejected' ? how.reason : undefined
say({ ended: cause === undefined ? 'in order' : cause instanceof Fault ? cause.code : `${cause}` })
await store.close().catch(() => {})

/** The broker takes all there is, and the rows go without waiting for the disk. */
async function sell(): Promise<void> {
  while (!stop.signal.aborted) {
    const rows = await store.outgoing(0, 1_000, 1 << 24)
    if (rows.length > 0) await store.sent(rows.map(({ id }) => id)).catch(() => {})
    await sleep(5)
  }
}

/** What health reads is there all the time. */
async function look(): Promise<void> {
  while (!stop.signal.aborted) {
    const { epochs } = await store.counts()
    say({ looked: epochs, ails: store.ails()?.kind ?? 'nothing' })
    await sleep(20)
  }
}
