import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstKeeps, freshValues, recordsOf } from '../../runtime/sense/values.ts'

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

test('a record made at once is one written name by name, of whichever names are told', () => {
  const table = fc.uniqueArray(names, { maxLength: 31 })
  const sets = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 100 })
  fc.assert(
    fc.property(table, sets, (names, told) => {
      const record = recordsOf(names)
      const values = names.map((_, at) => [at, at + 0.5, `${at}`, at % 2 === 0][at % 4])
      for (const bits of [...told, ...told]) {
        const written = freshValues()
        names.forEach((name, at) => {
          if (bits & (1 << at)) written[name] = values[at] ?? 0
        })
        const made = record(values, bits)
        assert.deepEqual(made, written)
        assert.deepEqual(Object.keys(made), Object.keys(written))
        assert.equal(Object.getPrototypeOf(made), Object.prototype)
      }
    }),
  )
})

test('only a name of a field is made into code, and 31 of them at most', () => {
  assert.throws(() => recordsOf(["a': 1, '"]), RangeError)
  assert.throws(() => recordsOf(['__proto__']), RangeError)
  assert.throws(() => recordsOf(Array.from({ length: 32 }, (_, at) => `v${at}`)), RangeError)
})

test('an engine that makes no code of text makes the same records', () => {
  const from = JSON.stringify(new URL('../../runtime/sense/values.ts', import.meta.url).href)
  const script = `const { recordsOf } = await import(${from})
    const record = recordsOf(['a', 'b', 'c'])
    console.log(JSON.stringify([record([1, 2, 3], 5), record([4, 5, 6], 5)]))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  assert.equal(stdout, '[{"a":1,"c":3},{"a":4,"c":6}]\n', stderr)
})
