import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from './process.ts'
import { counted, type Stall, serial } from './stall.ts'
import { agreed, epochMs, moneyless, openStreet } from './street.ts'

/** Where a line stands, and the number that it carries. */
type Row = { readonly place: string; readonly number: number }

test('a buyer that is killed twice goes on behind its last line, in NDJSON and CSV', {
  skip: moneyless,
}, async (t) => {
  const street = await openStreet(t)
  const stall = street.stalls[0] as Stall
  await stall.open()
  const operator = await street.operate()
  const json = join(street.folder, 'bought.json')
  const buy = (...flags: string[]) =>
    street.buy(
      ...['--device', stall.device, '--stream', 'air', '--budget', '1'],
      ...['--rpc', street.chain.rpc, '--json', json, ...flags],
    )
  const died = async (buyer: Running, lines: number) => {
    await buyer.heard(lines)
    buyer.signal('SIGKILL')
    assert.equal(await buyer.ended, null)
    // It misses a few epochs.
    await sleep(3 * epochMs)
    return buyer.rows()
  }
  const first = ndjson(await died(buy(), 15))
  const second = csv(await died(buy('--resume', '--format', 'csv'), 12))
  const last = buy('--resume')
  await last.heard(30)
  last.signal('SIGINT')
  assert.equal(await last.ended, 0, last.words())

  const runs = [first, second, ndjson(last.rows())]
  // Between a line and the note that it is out lies an instant; killed in it, that line is said again.
  const fresh = runs.map((rows, i) => (isSame(rows[0], runs[i - 1]?.at(-1)) ? rows.slice(1) : rows))
  const numbers = fresh.flat().map(({ number }) => number)
  assert.deepEqual(numbers, counted(numbers[0], numbers.length), last.words())
  const { promised, delivered } = await agreed(street, operator, json)
  assert.equal(delivered, promised)
  const lines = runs.map(({ length }) => length)
  const again = lines.reduce((sum, count) => sum + count, -numbers.length)
  t.diagnostic(`${lines.join(' + ')} lines, ${again} again; ${promised} units settled`)
})

function isSame(one: Row | undefined, other: Row | undefined): boolean {
  return one !== undefined && one.place === other?.place && one.number === other.number
}

function ndjson(lines: readonly string[]): Row[] {
  return lines.map((line) => {
    const { epoch, index, values } = JSON.parse(line)
    return { place: `${epoch}/${index}`, number: values[serial] }
  })
}

function csv(lines: readonly string[]): Row[] {
  const [head = '', ...rows] = lines.map((line) => line.replace(/\r$/, ''))
  const names = head.split(',')
  return rows.map((row) => {
    const cells = row.split(',')
    assert.equal(cells.length, names.length)
    const at = (name: string) => cells[names.indexOf(name)] ?? ''
    return { place: `${at('epoch')}/${at('index')}`, number: Number(at(serial)) }
  })
}
