/** The journeys of the table, on aedes; `npm run journeys` tells them on all five brokers. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { left, tell } from './journey.ts'
import { journeys } from './rows/index.ts'

test('every journey has a name of its own, and says a sentence', () => {
  const names = journeys.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, says } of journeys) {
    assert.match(name, /^[a-z][\w -]*$/)
    assert.match(says, /^\S+( \S+){4,}[^.]$/, name)
  }
})

// Most of them wait most of the time.
suite('on the street with aedes', { concurrency: 4 }, () => {
  for (const one of journeys) {
    const { withinS = 120 } = one
    test(one.says, { skip: left(one, 'aedes'), timeout: withinS * 1000 }, async (t) => {
      const after = (fn: () => Promise<void>) => t.after(fn)
      const diagnostic = (text: string) => t.diagnostic(text)
      await tell(one, 'aedes', { after, diagnostic, long: false }, diagnostic)
    })
  }
})
