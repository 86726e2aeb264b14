import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type LogLevel, openLog } from '../../runtime/watch/log.ts'

function heard(level: LogLevel = 'info') {
  const lines: string[] = []
  return { lines, note: openLog('device', level, (line) => void lines.push(line)) }
}

test('an event is one JSON object a line, with its time, its speaker and its facts', () => {
  const { lines, note } = heard()
  note('info', 'sealed', { stream: 'air', number: 7, amount: 2n ** 70n })
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /^\{.*\}\n$/)
  const { time, ...rest } = JSON.parse(lines[0] ?? '')
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, {
    ...{ level: 'info', name: 'device', event: 'sealed' },
    ...{ stream: 'air', number: 7, amount: '1180591620717411303424' },
  })
})

test('what is less grave than the level is not said', () => {
  const { lines, note } = heard('warn')
  note('debug', 'a')
  note('info', 'b')
  note('warn', 'c')
  note('error', 'd')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).event),
    ['c', 'd'],
  )
})

test('no secret is ever printed, at whatever depth, in a list, in an error or in a URL', () => {
  const secret = 'hush-0x5e'
  const names = ['key', 'privateKey', 'password', 'clientSecret', 'seed', 'mnemonic', 'secret']
  const hiding = fc.letrec((tie) => ({
    facts: fc.oneof(
      { maxDepth: 8 },
      fc.constantFrom(...names).map((name) => ({ [name]: secret })),
      fc.constant({ url: `mqtt://me:${secret}@broker:1883/x` }),
      fc.constant({ why: new Error(`cannot reach wss://${secret}@broker`) }),
      fc.constant({ bytes: Buffer.from(secret) }),
      fc.record({ inner: tie('facts') }),
      fc.record({ list: fc.array(tie('facts'), { maxLength: 3 }) }),
      fc.record({ cause: tie('facts').map((cause) => new Error('lost', { cause })) }),
    ),
  })).facts
  fc.assert(
    fc.property(hiding, (facts) => {
      const { lines, note } = heard()
      note('error', 'something', facts as Record<string, unknown>)
      assert.equal(lines.length, 1)
      assert.doesNotMatch(lines[0] ?? '', /hush|"104":|\[104,117/)
    }),
    { numRuns: 300 },
  )
})

test('an error keeps its message, code and cause; an endless fact ends', () => {
  const { lines, note } = heard()
  const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  const round: Record<string, unknown> = {}
  round.again = round
  note('error', 'lost', { why: new Error('cannot write', { cause }), round })
  const { why } = JSON.parse(lines[0] ?? '')
  assert.equal(why.message, 'cannot write')
  assert.deepEqual(why.cause, { name: 'Error', message: 'no space left', code: 'ENOSPC' })
})
