import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { counted, numbersOf, type Stall } from './stall.ts'
import { agreed, epochMs, moneyless, openStreet, until } from './street.ts'

/** The price of a whole epoch: a thousand units a second. */
const epochPrice = BigInt(epochMs)

test('what was paid 5 s ahead is delivered while the buyer is gone and the device restarts, and is read by an empty purse', {
  skip: moneyless,
}, async (t) => {
  const street = await openStreet(t)
  const stall = street.stalls[0] as Stall
  await stall.open()
  const operator = await street.operate()
  const json = join(street.folder, 'bought.json')
  const flags = ['--device', stall.device, '--stream', 'air', '--json', json]
  const gone = street.buy(...flags, '--ahead', '5s', '--budget', '1', '--rpc', street.chain.rpc)
  await gone.heard(8)
  gone.signal('SIGKILL')
  await gone.ended
  const left = await stall.sale()
  assert.ok(left.promised - left.delivered >= 2_000n, `${left.promised} of ${left.delivered}`)

  await until(
    async () => (await stall.sale()).delivered > left.delivered,
    'it sells to nobody there',
  )
  await stall.stop()
  await stall.open()
  const started = await stall.sale()
  assert.equal(started.promised, left.promised)
  assert.ok(started.delivered > left.delivered)
  const isUsed = async () => left.promised - (await stall.sale()).delivered < epochPrice
  await until(isUsed, 'what was promised is delivered')
  const away = await stall.sale()

  // It comes back without a coin, and nothing is asked of the gateway or the chain.
  const back = street.buy(...flags, '--resume')
  assert.equal(await back.ended, 0, back.words())
  const summary = JSON.parse(await readFile(json, 'utf8'))
  const { money, counts, findings } = summary
  assert.deepEqual([money.promised, money.promisedTotal], ['0', `${left.promised}`])
  assert.equal(counts.opened, counts.bought)
  assert.deepEqual(findings, {})
  const [first, second] = [gone, back].map((one) => numbersOf(one.said())) as [number[], number[]]
  if (second[0] === first.at(-1)) second.shift()
  const numbers = [...first, ...second]
  assert.deepEqual(numbers, counted(numbers[0], numbers.length))
  const { promised, delivered } = await agreed(street, operator, json)
  assert.equal(delivered, away.delivered)
  assert.ok(promised - delivered < epochPrice)
  t.diagnostic(
    `${left.promised - left.delivered} units ahead when it left, ${promised - delivered} at the end;` +
      ` ${first.length} + ${second.length} readings`,
  )
})
