/** docs/faults.md and runtime/faults.ts say the same, and every code is really raised somewhere. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Fault, fault, faults } from '../runtime/faults.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/faults.md'), 'utf8')
const row = (code: string, { exit, says, cure }: { exit: number; says: string; cure: string }) =>
  `| \`${code}\` | ${exit} | ${says} | ${cure} |`

test('every fault of the code stands in the docs, word for word', () => {
  for (const [code, fact] of Object.entries(faults)) {
    assert.ok(page.includes(row(code, fact)), `add to docs/faults.md:\n${row(code, fact)}`)
  }
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

test('every fault is raised by some line of the code', () => {
  const code = ['runtime', 'drivers', 'demo']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && name !== 'faults.ts')
        .map((name) => readFileSync(join(root, folder, name), 'utf8')),
    )
    .join('\n')
  for (const name of Object.keys(faults)) {
    assert.ok(code.includes(`'${name}'`), `nothing raises ${name}`)
  }
})

test('a fault fills its sentence with the facts, and keeps cause and exit code', () => {
  const cause = new Error('EACCES')
  const raised = fault('CONFIG_UNREADABLE', { path: 'a.yaml', why: 'EACCES' }, cause)
  assert.ok(raised instanceof Fault)
  assert.equal(raised.message, 'cannot read a.yaml: EACCES')
  assert.equal(raised.exit, 2)
  assert.equal(raised.cause, cause)
})
