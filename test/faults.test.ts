/** docs/faults.md and runtime/faults.ts say the same, and every code is really raised somewhere. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Fault, type FaultCode, fault, faults } from '../runtime/faults.ts'
import { faultsPage } from '../tools/docs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/faults.md'), 'utf8')

test('docs/faults.md has the table of the code, word for word; `npm run docs` writes it', () => {
  assert.equal(page, faultsPage(page), 'run `npm run docs`')
})

test('every fault of the docs is one of the code, and no retired code is used again', () => {
  const [live = '', retired = ''] = page.split('## Retired')
  for (const [, code = ''] of live.matchAll(/^\| `([A-Z_]+)`/gm)) {
    assert.ok(Object.hasOwn(faults, code), `${code} is not in runtime/faults.ts`)
  }
  for (const [, code = ''] of retired.matchAll(/`([A-Z_]+)`/g)) {
    assert.ok(!Object.hasOwn(faults, code), `${code} is retired`)
  }
})

test('docs/operating.md says of every fault what is seen and done', () => {
  const operating = readFileSync(join(root, 'docs/operating.md'), 'utf8')
  const untold = Object.keys(faults).filter((name) => !operating.includes(`\`${name}\``))
  assert.deepEqual(untold, [])
})

const code = ['runtime', 'drivers', 'demo', 'contracts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(?!.*node_modules).*\.ts$/.test(name) && name !== 'faults.ts')
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
)

test('every fault is raised by some line of the code', () => {
  const raised = new Set(
    code.flatMap((text) => [...text.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, name]) => name)),
  )
  const idle = Object.keys(faults).filter((name) => !raised.has(name))
  assert.deepEqual(idle, [], 'retire them: take the row out, and list the code under Retired')
})

test('a fault that is raised where its facts can be seen brings every fact of its sentences', () => {
  const call = /\bfault\(\s*'([A-Z_]+)',\s*\{([^{}]*)\}/g
  const seen = code.flatMap((text) => [...text.matchAll(call)])
  assert.ok(seen.length > 20)
  for (const [, name = '', facts = ''] of seen) {
    if (facts.includes('...')) continue
    const { says, cure } = faults[name as FaultCode]
    for (const [, fact = ''] of `${says} ${cure}`.matchAll(/\{(\w+)\}/g)) {
      assert.match(facts, new RegExp(`\\b${fact}\\b`), `${name} lacks ${fact}: {${facts}}`)
    }
  }
})

test('exit codes are those of the command line, and every cure is a sentence', () => {
  for (const [name, { exit, says, cure }] of Object.entries(faults)) {
    assert.ok([1, 2, 3].includes(exit), name)
    assert.match(name, /^[A-Z]+(_[A-Z]+)*$/)
    for (const sentence of [says, cure]) assert.doesNotMatch(sentence, /\.$|\||\n/, name)
  }
})

test('a fault repeats no login of an address, and nothing that moves a cursor', () => {
  const url = 'mqtts://me:hush@broker.example:8883'
  const { message } = fault('BROKER_UNREACHABLE', { url, seconds: 5, why: 'hush' })
  assert.equal(message, 'no MQTT broker answers at mqtts://broker.example:8883 after 5 s: hush')
  const raised = fault('CHAIN_REFUSED', { action: 'claim', why: 'no\u001b[2J\nowned' })
  assert.equal(raised.message, String.raw`the contract refuses claim: no\u{1b}[2J\u{a}owned`)
})

test('a fault fills its sentence with the facts, and keeps cause and exit code', () => {
  const cause = new Error('EACCES')
  const raised = fault('CONFIG_UNREADABLE', { path: 'a.yaml', why: 'EACCES' }, cause)
  assert.ok(raised instanceof Fault)
  assert.equal(raised.message, 'cannot read a.yaml: EACCES')
  assert.equal(raised.exit, 2)
  assert.equal(raised.cause, cause)
})
