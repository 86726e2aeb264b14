/** The demo's books: each promise broken one at a time, and the sentence that says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balance, type Facts } from '../../demo/report.ts'

const token = { buyerBefore: '10000', buyerAfter: '9000', payeeBefore: '5', payeeAfter: '95' }

/** What a demo counts when all is well. */
const fine: Facts = {
  seconds: 40,
  readings: { sensed: 12, stored: 9, inferred: 4, doubts: { checksum: 2, 'warm-up': 1 } },
  epochs: {
    sealed: 8,
    published: 8,
    sold: 5,
    opened: 5,
    verified: 5,
    afterStopSealed: 2,
    afterStopOpened: 0,
  },
  money: {
    price: '90',
    promised: '90',
    delivered: '90',
    settled: '90',
    deposited: '1000',
    token,
  },
  gas: { deposit: 137_021 },
  eavesdropper: { seen: 8, opened: 0, keysTried: 100, guesses: 3, withOneKey: ['air/2'] },
  stages: [],
  oneKey: 'air/2',
  codes: { buyer: 0, device: 0, operator: 0 },
}

type Change = { readonly [part in keyof Facts]?: unknown }

/** Facts with some of them replaced, as deep as they are written. */
function but(change: Change): Facts {
  const mixed = Object.entries(change).map(([part, value]) => {
    const before = fine[part as keyof Facts]
    const inside = typeof before === 'object' && typeof value === 'object' && value !== null
    return [part, inside ? { ...before, ...value } : value]
  })
  return { ...fine, ...Object.fromEntries(mixed) }
}

const broken: readonly (readonly [Change, readonly string[]])[] = [
  [{ readings: { sensed: 3, stored: 0 } }, ['no reading was stored']],
  [{ readings: { inferred: 0 } }, ['the model never ran']],
  [{ readings: { sensed: 13 } }, ['sensed is not stored + doubts']],
  [{ readings: { doubts: {} } }, ['sensed is not stored + doubts']],
  [{ epochs: { sealed: 9 } }, ['an epoch was sealed and not published']],
  [{ epochs: { sold: 0, opened: 0, verified: 0 } }, ['nothing was sold']],
  [{ epochs: { sold: 6 } }, ['an epoch that was sold did not open']],
  [{ epochs: { verified: 4 } }, ['an epoch that opened did not verify']],
  [{ epochs: { afterStopSealed: 0 } }, ['nothing was sealed after the buyer stopped']],
  [{ epochs: { afterStopOpened: 1 } }, ['an epoch opened after the buyer had stopped']],
  [{ money: { price: '91' } }, ['promised is not the price of the covered time']],
  [
    { money: { promised: '91' } },
    ['promised is not the price of the covered time', 'delivered is not promised'],
  ],
  [{ money: { delivered: '89' } }, ['delivered is not promised', 'settled is not delivered']],
  [
    { money: { settled: '91' } },
    ['settled is not delivered', "the payee's balance does not agree with what was settled"],
  ],
  [
    { money: { token: { ...token, payeeAfter: '96' } } },
    ["the payee's balance does not agree with what was settled"],
  ],
  [
    { money: { token: { ...token, buyerAfter: '8999' } } },
    ["the buyer's balance does not agree with what was deposited"],
  ],
  [{ eavesdropper: { seen: 7 } }, ['the eavesdropper did not see every sealed epoch']],
  [{ eavesdropper: { guesses: 0 } }, ['there was no one-reading epoch to guess']],
  [{ eavesdropper: { opened: 1 } }, ['the eavesdropper opened an epoch']],
  [
    { eavesdropper: { withOneKey: ['air/2', 'air/3'] } },
    ['one paid key did not open exactly its epoch'],
  ],
  [{ eavesdropper: { withOneKey: [] } }, ['one paid key did not open exactly its epoch']],
  [{ oneKey: undefined }, ['one paid key did not open exactly its epoch']],
  [{ codes: { operator: 3 } }, ['operator ended with exit code 3']],
]

test('books that balance are fine', () => {
  const report = balance(fine)
  assert.deepEqual(report.wrong, [])
  assert.equal(report.ok, true)
})

for (const [change, sentences] of broken) {
  test(`the books tell of ${JSON.stringify(change)}`, () => {
    const report = balance(but(change))
    assert.deepEqual(report.wrong, sentences)
    assert.equal(report.ok, false)
  })
}

test('nothing that was paid is no sale, even when all is equal', () => {
  const nothing = { price: '0', promised: '0', delivered: '0', settled: '0' }
  const still = { ...token, payeeAfter: token.payeeBefore }
  const report = balance(but({ money: { ...nothing, token: still } }))
  assert.deepEqual(report.wrong, ['the price was nothing'])
})

test('amounts stand in the report as texts, and what only the books need does not', () => {
  const { money, ...report } = balance(fine)
  const { token: balances, ...amounts } = money
  for (const amount of [...Object.values(amounts), ...Object.values(balances)]) {
    assert.equal(typeof amount, 'string')
  }
  assert.equal('codes' in report, false)
  assert.equal('oneKey' in report, false)
})
