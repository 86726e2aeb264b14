/**
 * What every outage has in common: a sale is under way, something falls away for a while, and comes back.
 * Nobody helps. Then every number that the sensor said while it was heard has been read, once, and the
 * books of all three agree to the unit.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Summary } from '../../../runtime/buyer/index.ts'
import { type Journey, journey, type Told } from '../journey.ts'
import type { Running } from '../process.ts'
import { counted, numbersOf, type Stall } from '../stall.ts'
import { agreed, type Street, until } from '../street.ts'

/** A sale under way. The desk may be another one at the end. */
export type Sale = {
  readonly street: Street
  readonly stall: Stall
  readonly buyer: Running
  operator: Running
  /** How long the trouble lasts. */
  readonly lastsMs: number
}

export type Outage = Pick<Journey, 'name' | 'says' | 'brokers' | 'missing' | 'street'> & {
  /** Brings it about, sees that somebody says so, and comes back when the time is over. */
  trouble(sale: Sale, over: Promise<void>, t: Told): Promise<void>
  /** Puts things right; everything else must happen by itself. */
  mend(sale: Sale): Promise<void>
  /** The device may have had to give way to want of room: a hole counts as read where it is proven. */
  readonly mayEvict?: boolean
  /** What holds beyond what always does. */
  after?(sale: Sale, t: Told): Promise<void>
}

const second = 1000
/**
 * Who lost the line looks for it again within a minute. Then all that was said meanwhile is fetched and paid,
 * some thirty epochs a promise, while more is said: an hour here is 9,000 epochs, of a real device 360.
 */
const backMs = (lastsMs: number) => 150 * second + lastsMs / 3

/** Ten seconds; in the long form two minutes, and then an hour. */
export function outage(one: Outage): Journey {
  return journey({
    ...one,
    street: { sayEveryMs: 200, ...one.street },
    withinS: 240,
    longWithinS: 6_000,
    async run(street, t) {
      const stall = street.stalls[0] as Stall
      await stall.open()
      const operator = await street.operate()
      const json = join(street.folder, 'bought.json')
      const buyer = street.buy(
        ...['--device', stall.device, '--stream', 'air', '--budget', t.long ? '9' : '1'],
        ...['--rpc', street.chain.rpc, '--json', json],
      )
      await buyer.heard(8)
      let sale: Sale = { street, stall, buyer, operator, lastsMs: 0 }
      for (const lastsMs of t.long ? [120 * second, 3_600 * second] : [10 * second]) {
        sale = { ...sale, lastsMs }
        await one.trouble(sale, sleep(lastsMs), t)
        await one.mend(sale)
        const mendedMs = performance.now()
        const said = stall.said('air')
        const readPast = () => (numbersOf(buyer.said().slice(-1))[0] ?? 0) > said + 5
        await until(
          readPast,
          'the buyer has read all that was said meanwhile, and more',
          backMs(lastsMs),
        )
        t.diagnostic(`back ${Math.round(performance.now() - mendedMs)} ms after ${lastsMs} ms`)
      }
      await one.after?.(sale, t)
      buyer.signal('SIGINT')
      assert.equal(await buyer.ended, 0, buyer.words())
      const numbers = numbersOf(buyer.said())
      const holes = await holesIn(json)
      if (one.mayEvict === true && holes.evicted > 0) {
        assert.deepEqual(numbers, [...new Set(numbers)].sort(byNumber))
        t.diagnostic(`${holes.evicted} epochs gave way before they were bought`)
      } else {
        assert.deepEqual(numbers, counted(numbers[0], numbers.length), 'one is missing or twice')
      }
      assert.equal(holes.gap, 0, 'a hole is not proven')
      const { promised, delivered } = await agreed(street, sale.operator, json)
      assert.equal(delivered, promised)
      assert.equal(stall.died(), undefined)
      t.diagnostic(`${numbers.length} readings, ${promised} units settled`)
    },
  })
}

/** Epochs that the buyer did not get: for which the device signed a tombstone, and for which it did not. */
async function holesIn(json: string): Promise<{ readonly evicted: number; readonly gap: number }> {
  return (JSON.parse(await readFile(json, 'utf8')) as Summary).counts
}

const byNumber = (a: number, b: number) => a - b

/** What its health names as a problem has these words, before the time is over. */
export async function tells({ stall, lastsMs }: Sale, words: RegExp): Promise<void> {
  const told = async () => (await stall.health())?.problems.some((one) => words.test(one)) ?? false
  await until(told, `health tells ${words}`, lastsMs)
}
