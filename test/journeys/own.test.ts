import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBuyer } from '../../runtime/buyer/index.ts'
import { readKeyFile } from '../../runtime/disk/keyfile.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { counted, numbersOf } from './stall.ts'
import { openStreet, until } from './street.ts'

test('an operator reads its own device with no chain, no token, no gateway and nothing to pay', async (t) => {
  const street = await openStreet(t, { money: false })
  const [stall] = street.stalls
  await stall?.open()
  const json = join(street.folder, 'own.json')
  const reader = street.buy(
    ...['--own', '--key', street.people.operator.file, '--device', stall?.device ?? ''],
    ...['--stream', 'air', '--count', '30', '--json', json],
  )
  assert.equal(await reader.ended, 0, reader.words())
  const numbers = numbersOf(reader.said())
  assert.deepEqual(numbers, counted(numbers[0], 30))
  const summary = JSON.parse(await readFile(json, 'utf8'))
  assert.deepEqual(
    [summary.ok, summary.money, summary.findings, summary.counts.readings],
    [true, undefined, {}, 30],
  )
  const sale = await stall?.sale()
  assert.deepEqual([sale?.promised, sale?.delivered], [0n, 0n])
  t.diagnostic(reader.words().split('\n').at(-2) ?? '')
})

test('another key is told at once that it is not the owner, and the device says the same', async (t) => {
  const street = await openStreet(t, { money: false })
  const [stall] = street.stalls
  await stall?.open()
  const { operator, stranger } = street.people
  const thief = street.buy('--own', '--key', stranger.file, '--device', stall?.device ?? '')
  assert.equal(await thief.ended, 2)
  assert.match(thief.words(), new RegExp(`${stranger.address}.*${operator.address}[^]*OWN_KEY`))

  // A program of the stranger's own that does not ask itself.
  const { sign } = localSigner(await readKeyFile(stranger.file))
  const liar = await openBuyer({
    broker: street.url,
    folder: join(street.folder, 'liar'),
    signer: { address: operator.address, sign },
    wanted: { devices: stall === undefined ? [] : [stall.device] },
    own: true,
  })
  const read = liar.readings().next()
  const refused = async () => (await stall?.refusals())?.['order-signature'] ?? 0
  await until(async () => (await refused()) > 0, 'the device refuses the order')
  await liar.close()
  assert.equal((await read).done, true)
  assert.equal((await stall?.sale())?.sold, 0)
})
