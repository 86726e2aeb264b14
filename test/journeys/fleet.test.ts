import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { counted, numbersOf, type Stall } from './stall.ts'
import { agreed, moneyless, openStreet, until } from './street.ts'

test('one order and one channel buy from a fleet, a device of which cannot hear its gateway for a while', {
  skip: moneyless,
}, async (t) => {
  const street = await openStreet(t, { devices: 2, exposure: '0.002' })
  const [near, far] = street.stalls as readonly [Stall, Stall]
  await Promise.all(street.stalls.map((stall) => stall.open()))
  const operator = await street.operate()
  const json = join(street.folder, 'bought.json')
  const buyer = street.buy(
    ...['--operator', street.people.operator.address, '--stream', 'air'],
    ...street.stalls.flatMap(({ device }) => ['--device', device]),
    ...['--budget', '1', '--rpc', street.chain.rpc, '--json', json],
  )
  const linesOf = ({ device }: Stall) => buyer.said().filter((said) => said.device === device)
  await until(() => linesOf(near).length > 8 && linesOf(far).length > 8, 'both sell')

  street.deafen(far.device, true)
  const before = await far.sale()
  await until(async () => ((await far.refusals())['exposure-reached'] ?? 0) > 0, 'it stops')
  const stopped = await far.sale()
  assert.ok(stopped.delivered > before.delivered, 'it sells on while it hears nothing')
  const exposed = stopped.delivered - stopped.acknowledged
  assert.ok(exposed <= 2_000n, `${exposed}`)
  const other = await near.sale()
  await until(async () => (await near.sale()).delivered > other.delivered, 'the other one sells on')

  street.deafen(far.device, false)
  await until(async () => (await far.sale()).delivered > stopped.delivered, 'it goes on')
  buyer.signal('SIGINT')
  assert.equal(await buyer.ended, 0, buyer.words())
  const lines = street.stalls.map((stall) => numbersOf(linesOf(stall)))
  for (const numbers of lines) assert.deepEqual(numbers, counted(numbers[0], numbers.length))

  const { promised, delivered } = await agreed(street, operator, json)
  assert.equal(delivered, promised)
  const { devices } = JSON.parse(await readFile(json, 'utf8'))
  assert.equal(devices, 2)
  const events = operator.said()
  const count = (event: string) => events.filter((said) => said.event === event).length
  // One order, for both; one transaction that claims and settles for both.
  assert.deepEqual([count('ordered'), count('claimed'), count('settled')], [1, 1, 1])
  const gas = events.find(({ event }) => event === 'claimed')?.gas
  t.diagnostic(
    `${lines.map(({ length }) => length).join(' + ')} readings, ${exposed} units exposed at the most;` +
      ` ${promised} units settled with ${gas} gas`,
  )
})

test('without its gateway a device sells up to its exposure, says why it stops, and goes on when it is back', {
  skip: moneyless,
}, async (t) => {
  const street = await openStreet(t, { exposure: '0.002' })
  const stall = street.stalls[0] as Stall
  await stall.open()
  const gone = await street.operate()
  const json = join(street.folder, 'bought.json')
  const buyer = street.buy(
    ...['--device', stall.device, '--stream', 'air'],
    ...['--budget', '1', '--rpc', street.chain.rpc, '--json', json],
  )
  await buyer.heard(8)
  gone.signal('SIGKILL')
  await gone.ended
  await buyer.tells(/says no: .*unacknowledged/)
  const stopped = await stall.sale()
  const exposed = stopped.delivered - stopped.acknowledged
  assert.ok(exposed > 800n && exposed <= 2_000n, `${exposed}`)
  const read = buyer.rows().length

  const operator = await street.operate()
  await buyer.heard(read + 20)
  buyer.signal('SIGINT')
  assert.equal(await buyer.ended, 0, buyer.words())
  const numbers = numbersOf(buyer.said())
  assert.deepEqual(numbers, counted(numbers[0], numbers.length))
  const { promised, delivered } = await agreed(street, operator, json)
  assert.equal(delivered, promised)
  // Said again every second, and told once.
  const told = [...buyer.words().matchAll(/says no: (.*unacknowledged.*)/g)]
  assert.equal(told.length, 1, buyer.words())
  t.diagnostic(`${numbers.length} readings; stopped at ${exposed} units: ${told[0]?.[1]}`)
})
