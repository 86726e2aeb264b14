/** Everyday life: what a street does when nothing goes wrong. */
import assert from 'node:assert/strict'
import { journey } from '../journey.ts'
import { buyAir, settled } from '../purchase.ts'
import { counted, numbersOf, type Stall } from '../stall.ts'

export const sale = journey({
  name: 'sale',
  says: 'a buyer pays on sight, reads every number, and what it promised is settled to the unit',
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const bought = buyAir(street, stall)
    await bought.buyer.heard(30)
    const { numbers, promised } = await settled(street, operator, bought)
    t.diagnostic(`${numbers.length} readings, ${promised} units settled`)
  },
})

export const own = journey({
  name: 'own',
  says: 'an operator reads its own device with no chain, no token, no gateway and nothing to pay',
  street: { money: false },
  async run(street) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const reader = street.buy(
      ...['--own', '--key', street.people.operator.file, '--device', stall.device],
      ...['--stream', 'air', '--count', '30'],
    )
    assert.equal(await reader.ended, 0, reader.words())
    const numbers = numbersOf(reader.said())
    assert.deepEqual(numbers, counted(numbers[0], 30))
    const { promised, delivered } = await stall.sale()
    assert.deepEqual([promised, delivered], [0n, 0n])
  },
})
