/**
 * A device that a test kills while it forgets: it senses, its broker takes everything, and its quota is far
 * below what it senses. Run with a folder and the failpoints to arm; it says what it may tell.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { armFailpoints } from '../../runtime/disk/failpoint.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { keeper } from '../../runtime/stream/keep.ts'
import { makerOf, openDevice, plan, readingAt } from '../sign/fixture.ts'
import { publish } from './history.ts'

const [folder = '', failpoints = '', renew = ''] = process.argv.slice(2)
armFailpoints(failpoints)
const opened = await openDevice(folder)
const generations = await openGenerations(folder, { random: randomBytes, renew: renew === 'renew' })
const device = { ...opened, generations }
const { store, clock } = device

const maker = makerOf(device, {
  streams: [plan('air', { countMax: 3 }), plan('gnss', { countMax: 5 })],
  limits: { commitDelayMs: 5 },
  sealed: ({ stream, number }) => void process.stdout.write(`sealed ${stream} ${number}\n`),
})
const keep = keeper({
  ...{ store, generations, evict: maker.evict },
  rule: { bytesMax: 120_000, freeMin: 0, ageMs: null },
  everyMs: 5,
  paceMs: 1,
  note: (note) => void process.stdout.write(`${note.event}\n`),
})
const stop = new AbortController()
const stages = [maker.start(stop.signal), keep.start(stop.signal)]
process.stdout.write('started\n')
for (let i = 0; ; i += 1) {
  maker.take(readingAt(clock, i, 'air'))
  maker.take(readingAt(clock, i, 'gnss'))
  if (i % 5 === 0) await Promise.race([sleep(1), ...stages])
  if (i % 20 === 0) await publish(device)
}
