import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { Command } from 'commander'
import fc from 'fast-check'
import { judge } from '../../runtime/buyer/proof.ts'
import { verifyCommand } from '../../runtime/commands/verify.ts'
import { makeEvidence } from '../../runtime/wire/evidence.ts'
import { device, enrolled, operator, sampleEpoch } from '../wire/sample.ts'

const enrolment = await enrolled()
const { sealed, opened } = sampleEpoch({ count: 5 })
const parts = {
  pack: opened.packs[3] as Uint8Array,
  salt: opened.salts[3] as Uint8Array,
  index: 3,
  path: opened.tree.path(3),
  headerBytes: sealed.headerBytes,
  signature: sealed.signature,
}
const evidence = makeEvidence({ ...parts, enrolment })

test('evidence says what was read, when, and whose word it is', () => {
  const judgement = judge(evidence, operator)
  assert.ok(judgement.ok)
  assert.deepEqual(judgement.sentences, [
    'air: pm1 5 ug/m3, pm2_5 8.5 ug/m3, pm10 11 ug/m3',
    'taken 2026-09-21T14:13:23.000Z, by a clock that was synced',
    'reading 3 of 5 in epoch 41, generation 1',
    `signed by ${device}, whom operator ${operator} enrolled as device ${device}`,
  ])
})

test('without an enrolment it holds, and says that nobody vouches', () => {
  const judgement = judge(makeEvidence(parts))
  assert.ok(judgement.ok && judgement.sentences.at(-1)?.endsWith('no operator vouches for it'))
  assert.equal(judge(makeEvidence(parts), operator).ok, false)
})

test('evidence of another operator does not hold for this one', () => {
  assert.deepEqual(judge(evidence, device), {
    ok: false,
    why: `enrolled by ${operator}, not by operator ${device}`,
  })
})

test('no bent byte of evidence holds, and nothing throws', () => {
  fc.assert(
    fc.property(fc.nat(evidence.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const bent = evidence.slice()
      bent[at] = (bent[at] ?? 0) ^ by
      assert.equal(judge(bent, operator).ok, false)
    }),
    { numRuns: 300 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => !judge(bytes).ok))
})

test('the command prints one JSON object a file and ends with 1 when one does not hold', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-verify-'))
  const [good, bad] = [join(folder, 'good'), join(folder, 'bad')]
  await writeFile(good, evidence)
  await writeFile(bad, evidence.slice(1))
  const log = mock.method(console, 'log', () => {})
  const before = process.exitCode
  await verifyCommand(new Command()).parseAsync(['--json', good, bad], { from: 'user' })
  const lines = log.mock.calls.map(({ arguments: [line] }) => JSON.parse(String(line)))
  log.mock.restore()
  assert.equal(process.exitCode, 1)
  process.exitCode = before
  assert.deepEqual(
    [lines[0].ok, lines[0].epoch, lines[0].values.pm10, lines[1].ok],
    [true, 41, 11, false],
  )
  await assert.rejects(
    verifyCommand(new Command()).parseAsync([join(folder, 'none')], { from: 'user' }),
    /cannot read/,
  )
  await rm(folder, { recursive: true })
})
