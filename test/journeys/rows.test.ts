/** What holds of every row of the table before it is told; `npm run journeys` tells them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journeys } from './rows/index.ts'

test('every journey has a name of its own, and says a sentence', () => {
  const names = journeys.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, says } of journeys) {
    assert.match(name, /^[a-z][\w -]*$/)
    assert.match(says, /^\S+( \S+){4,}[^.]$/, name)
  }
})
