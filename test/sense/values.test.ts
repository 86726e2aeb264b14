import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstKeeps, freshValues } from '../../runtime/sense/values.ts'

const names = fc.oneof(fc.stringMatching(/^[A-Za-z0-9][a-z0-9_.:-]{0,8}$/), fc.constant('toString'))
const records = fc.dictionary(names, fc.integer(), { maxKeys: 60, noNullPrototype: true })

test('a fresh record is a plain empty object, whatever is written into it', () => {
  assert.deepEqual(freshValues(), {})
  fc.assert(
    fc.property(records, (written) => {
      const values = freshValues()
      for (const name of Object.keys(written)) values[name] = written[name] as number
      assert.deepEqual(values, written)
      assert.deepEqual(Object.keys(values), Object.keys(written))
      assert.equal(JSON.stringify(values), JSON.stringify(written))
    }),
  )
})

test('the first to name a field keeps it, in the order in which they came', () => {
  fc.assert(
    fc.property(records, records, (first, second) => {
      const joined = firstKeeps({ ...first }, second)
      const spread = { ...first, ...second, ...first }
      assert.deepEqual(Object.entries(joined), Object.entries(spread))
    }),
  )
})
