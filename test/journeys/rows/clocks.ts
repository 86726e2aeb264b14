/** Clocks that are wrong, of real processes: no money is lost, and whoever is wrong is told. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plantowerCapture } from '../../../demo/sensors.ts'
import { recordingHead, recordingLine } from '../../../runtime/sense/recording.ts'
import { noFaketime, type Shift, shifted, steppable } from '../faketime.ts'
import { journey } from '../journey.ts'
import type { Running } from '../process.ts'
import { wantsAir } from '../purchase.ts'
import { counted, numbered, numbersOf, type Stall } from '../stall.ts'
import { agreed, type Street, until } from '../street.ts'

/** Where certificates are looked at, a clock that is a year off makes no line: BROKER_TLS says so. */
const brokers = ['aedes', 'mosquitto-3.1.1', 'mosquitto-5'] as const
const dayMs = 86_400_000

export const buyerClock = journey({
  name: 'clock of a buyer',
  says: 'a buyer whose clock is 400 days behind or ahead is told so, buys all the same, and loses nothing (without TLS, which holds to dates)',
  brokers,
  missing: () => noFaketime,
  withinS: 300,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const json = join(street.folder, 'bought.json')
    const numbers: number[] = []
    for (const [shift, words] of [
      ['-400d', /CLOCK_ASTRAY: this machine's clock is 400 days behind .*: set this clock/],
      ['+400d', /CLOCK_ASTRAY: this machine's clock is 400 days ahead of/],
      ['+0', undefined],
    ] as const) {
      const buyer = street.buyAt(shifted(shift), ...wantsAir(street, stall, json), '--resume')
      await buyer.heard(15)
      if (words !== undefined) await buyer.tells(words)
      buyer.signal('SIGINT')
      assert.equal(await buyer.ended, 0, buyer.words())
      if (words === undefined) assert.doesNotMatch(buyer.words(), /CLOCK_ASTRAY/)
      assert.ok(
        buyer.said().every(({ time }) => isNear(time, 0)),
        'readings have the time of their device',
      )
      numbers.push(...numbersOf(buyer.said()))
    }
    assert.deepEqual(
      numbers,
      counted(numbers[0], numbers.length),
      'none is missing, none comes twice',
    )
    const { promised, delivered } = await agreed(street, operator, json)
    assert.equal(delivered, promised)
    t.diagnostic(`${numbers.length} readings in three runs, ${promised} units`)
  },
})

export const deviceClock = journey({
  name: 'clock of a device',
  says: 'a device that starts with its clock unset sells on while it is set, stepped a day ahead, lost and set again',
  brokers,
  missing: () => noFaketime,
  withinS: 300,
  async run(street, t) {
    const { device, settings } = street.stalls[0] as Stall
    const config = join(street.folder, 'device.yaml')
    const air = { ...Object(settings).sensors[0], port: `recording:${await recorded(street)}` }
    await writeFile(config, JSON.stringify({ ...settings, sensors: [air], watch: { port: 0 } }))
    const { env, step } = steppable(join(street.folder, 'clock'), '@1990-01-01 00:00:00')
    const running = street.waysideAt(env, 'run', config)
    await running.tells(/"running"/)
    const operator = await street.operate()
    const json = join(street.folder, 'bought.json')
    const buyer = street.buy(...wantsAir(street, { device }, json))
    await comes(buyer, (time) => time === null)
    for (const [shift, is] of [
      ['+0', (time) => isNear(time, 0)],
      ['+1d', (time) => isNear(time, dayMs)],
      // Before the day of this release no clock was ever set.
      ['-400d', (time) => time === null],
      ['+0', (time) => isNear(time, 0)],
    ] as readonly (readonly [Shift, (time: unknown) => boolean])[]) {
      step(shift)
      await comes(buyer, is)
    }
    buyer.signal('SIGINT')
    assert.equal(await buyer.ended, 0, buyer.words())
    assert.doesNotMatch(buyer.words(), /CLOCK_ASTRAY|finding/)
    const numbers = numbersOf(buyer.said())
    assert.deepEqual(
      numbers,
      counted(numbers[0], numbers.length),
      'none is missing, none comes twice',
    )
    running.signal('SIGTERM')
    assert.equal(await running.ended, 0, running.words())
    operator.signal('SIGTERM')
    assert.equal(await operator.ended, 0, operator.words())
    const { money } = JSON.parse(await readFile(json, 'utf8'))
    const { promised, delivered } = saleOf(running)
    assert.deepEqual([promised, delivered], [money.promisedTotal, money.promisedTotal])
    assert.equal(await street.chain.balanceOf(street.people.receiver.address), BigInt(promised))
    t.diagnostic(`${numbers.length} readings, ${promised} units`)
  },
})

/** A sensor as a file, that numbers its frames for some minutes. */
async function recorded({ folder }: Street): Promise<string> {
  const [frame] = (await plantowerCapture('air')).bursts as [Uint8Array]
  const rows = counted(1, 4_000).map((number) =>
    recordingLine({ ms: 50 * number, bytes: numbered(frame, number) }),
  )
  const file = join(folder, 'air.ndjson')
  await writeFile(file, [recordingHead('/dev/air', 9600), ...rows].join(''))
  return file
}

/** Waits for a reading, from now on, whose time is such. */
async function comes(buyer: Running, is: (time: unknown) => boolean): Promise<void> {
  const from = buyer.said().length
  const found = () =>
    buyer
      .said()
      .slice(from)
      .some(({ time }) => is(time))
  await until(found, 'a reading of such a time')
}

function isNear(time: unknown, aheadMs: number): boolean {
  return typeof time === 'string' && Math.abs(Date.parse(time) - Date.now() - aheadMs) < 3_600_000
}

/** What a device counted in its life, as its last log line but one has it. */
function saleOf(running: Running): { readonly promised: string; readonly delivered: string } {
  const last =
    running
      .words()
      .split('\n')
      .findLast((line) => line.includes('"summary"')) ?? '{}'
  return JSON.parse(last).sale
}
