/** More than one device, more than one key: who may, and who is heard. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBuyer } from '../../../runtime/buyer/index.ts'
import { readKeyFile } from '../../../runtime/disk/keyfile.ts'
import { openBroker } from '../../../runtime/link/broker.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'
import { journey } from '../journey.ts'
import { buyAir, settled } from '../purchase.ts'
import { counted, numbersOf, type Sale, type Stall } from '../stall.ts'
import { agreed, until } from '../street.ts'

export const fleet = journey({
  name: 'fleet',
  says: 'one order and one channel buy from two devices, one of which cannot hear its gateway for a while',
  street: { devices: 2, exposure: '0.004' },
  async run(street, t) {
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

    const stops = async () => (await far.refusals())['exposure-reached'] ?? 0
    // Acks that are late may have it at its exposure just now: deaf, it would never sell another epoch.
    await until(async () => exposureOf(await far.sale()) <= 1_000n, 'what it sold is acknowledged')
    const [before, stopsBefore] = [await far.sale(), await stops()]
    street.deafen(far.device, true)
    await until(async () => (await far.sale()).delivered > before.delivered, 'it sells on, deaf')
    await until(async () => (await stops()) > stopsBefore, 'it stops')
    const stopped = await far.sale()
    const exposed = exposureOf(stopped)
    assert.ok(exposed <= 4_000n, `${exposed}`)
    const other = await near.sale()
    const sellsOn = async () => (await near.sale()).delivered > other.delivered
    await until(sellsOn, 'the other one sells on')

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
  },
})

function exposureOf({ delivered, acknowledged }: Sale): bigint {
  return delivered - acknowledged
}

export const restarted = journey({
  name: 'restart in a sale',
  says: 'a device that is stopped in the middle of a sale goes on where it was, and so does its buyer',
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const bought = buyAir(street, stall)
    await bought.buyer.heard(10)
    await stall.stop()
    const said = stall.said('air')
    await stall.open()
    const readOn = () => (numbersOf(bought.buyer.said().slice(-1))[0] ?? 0) > said + 20
    await until(readOn, 'the buyer has read what was said before, and after')
    const { numbers, promised } = await settled(street, operator, bought)
    t.diagnostic(`${numbers.length} readings, ${promised} units settled`)
  },
})

export const ownOnly = journey({
  name: 'own by another key',
  says: 'another key is told at once that it is not the owner, and the device says the same',
  street: { money: false },
  async run(street) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const { operator, stranger } = street.people
    const thief = street.buy('--own', '--key', stranger.file, '--device', stall.device)
    assert.equal(await thief.ended, 2)
    assert.match(thief.words(), new RegExp(`${stranger.address}.*${operator.address}[^]*OWN_KEY`))

    // A program of the stranger's own that does not ask itself.
    const { sign } = localSigner(await readKeyFile(stranger.file))
    const line = openBroker({ ...(await street.broker.line('buyer')), clientId: 'a stranger' })
    street.end.add(line.close)
    const liar = await openBuyer({
      broker: line,
      folder: join(street.folder, 'liar'),
      signer: { address: operator.address, sign },
      wanted: { devices: [stall.device] },
      own: true,
    })
    const read = liar.readings().next()
    const refused = async () => (await stall.refusals())['order-signature'] ?? 0
    await until(async () => (await refused()) > 0, 'the device refuses the order')
    await liar.close()
    assert.equal((await read).done, true)
    assert.equal((await stall.sale()).sold, 0)
  },
})
