/** Whatever stands in the file, the answer is a list of problems with places, never an exception. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { checkConfig } from '../../runtime/commands/config.ts'
import { configCharactersMax } from '../../runtime/config/yamlfile.ts'

const sample = readFileSync(new URL('../../docs/wayside.yaml', import.meta.url), 'utf8')

test('any text at all is read or complained about', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answers), { numRuns: 300 })
})

test('any value written as YAML is read or complained about', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => answers(stringify(value))),
    { numRuns: 300 },
  )
})

test('known settings with any values are read or complained about', () => {
  const names = fc.constantFrom(
    ...['folder', 'broker', 'operator', 'rails', 'sensors', 'models', 'epoch', 'clock', 'watch'],
    ...['name', 'driver', 'options', 'price', 'input', 'age', 'url', '__proto__', 'constructor'],
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, -1, 1e300, '', '10s', '0x', 'plantower', 'free', 'air'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => answers(stringify(given))),
    { numRuns: 300 },
  )
})

test('the sample with one line torn out, doubled or cut is read or complained about', () => {
  const lines = sample.split('\n')
  for (const [i, line] of lines.entries()) {
    const half = line.slice(0, line.length / 2)
    for (const put of [[], [line, line], [half], [`  ${line}`], ['\t']]) {
      answers(lines.toSpliced(i, 1, ...put).join('\n'))
    }
  }
})

test('nesting without end and files without end are complained about', () => {
  for (const text of ['['.repeat(100_000), '{a: '.repeat(50_000), '- '.repeat(100_000)]) {
    assert.equal(checkConfig(text).ok, false)
  }
  assert.equal(checkConfig('#'.repeat(configCharactersMax + 1)).ok, false)
})

function answers(text: string): void {
  const checked = checkConfig(text)
  if (checked.ok) return
  assert.ok(checked.problems.length > 0)
  const lines = text.split(/\r\n|\n|\r/).length
  for (const { line, column, what, hint } of checked.problems) {
    assert.ok(line >= 1 && line <= lines + 1 && column >= 1, `${line}:${column} in ${lines} lines`)
    assert.ok(what !== '' && hint !== '')
  }
}
