import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeShape, encodeShape } from '../../runtime/wire/cborshape.ts'
import {
  type RefusalCode,
  refusal,
  refusalShape,
  refusals,
  sentence,
} from '../../runtime/wire/refusal.ts'

test('every refusal says what and what would help, and travels', () => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    const { says, cure } = refusals[code]
    const names = [...`${says} ${cure}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
    const told = refusal(code, Object.fromEntries(names.map((name, i) => [name, i])))
    assert.ok(!/[{}]/.test(sentence(told)), code)
    assert.ok(sentence(told).includes(': '), code)
    const bytes = encodeShape(refusalShape, told)
    assert.deepEqual(decodeShape(refusalShape, bytes, 'refusal'), told)
  }
})

test('a code of a later version is shown as it came', () => {
  const later = { code: 'moon-phase', facts: { phase: 'full' } }
  assert.deepEqual(decodeShape(refusalShape, encodeShape(refusalShape, later), 'refusal'), later)
  assert.equal(sentence(later), 'refused: moon-phase')
})

test('facts cannot carry control characters, nor grow without end', () => {
  const told = refusal('stopped', { why: `\u001b[2J\n${'x'.repeat(999)}` })
  const { facts } = decodeShape(refusalShape, encodeShape(refusalShape, told), 'refusal')
  assert.match(facts.why ?? '', /^\?\[2J\?x+$/)
  assert.equal(facts.why?.length, 200)
})

test('a fact with the name of something every object has stays a fact', () => {
  assert.equal(
    sentence(refusal('stopped')),
    refusals.stopped.says.concat(': its operator must act'),
  )
  assert.ok(sentence({ code: 'constructor', facts: {} }).startsWith('refused: '))
})
