/**
 * A device that a test kills: it senses as fast as it is asked to, and says on stdout what it was allowed
 * to tell, behind the commit. Run with a folder, the failpoints to arm, and the first value to sense.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { armFailpoints } from '../../runtime/disk/failpoint.ts'
import { makerOf, openDevice, plan, readingAt } from './fixture.ts'

const [folder = '', failpoints = '', firstValue = '0'] = process.argv.slice(2)
armFailpoints(failpoints)
const device = await openDevice(folder)

const untold: number[] = []
const maker = makerOf(device, {
  streams: [plan('air', { countMax: 40, epochMs: 300 })],
  limits: { commitDelayMs: 15 },
  acknowledged({ count }) {
    const told = untold.splice(0, count)
    // One write, so that the parent sees a whole line or none.
    process.stdout.write(`kept ${told.join(' ')}\n`)
  },
  sealed: ({ stream, number, kind }) =>
    void process.stdout.write(`sealed ${stream} ${number} ${kind}\n`),
})
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const done = maker.start(stop.signal)
process.stdout.write('started\n')
for (let value = Number(firstValue); !stop.signal.aborted; value += 1) {
  if (maker.take(readingAt(device.clock, value))) untold.push(value)
  if (value % 3 === 0) await sleep(2)
}
await done
await device.store.close()
