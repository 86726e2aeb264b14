/** Other people's software against ours; each peer has its own package.json, so that the root stays small. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chainAvailable } from '../demo/chain.ts'

const folder = (peer: string) => fileURLToPath(new URL(`peers/${peer}/`, import.meta.url))

const missing = (peer: string): string | false => {
  if (!chainAvailable()) return 'there is no anvil for this machine'
  if (existsSync(`${folder(peer)}node_modules`)) return false
  return `not installed: npm ci --prefix test/peers/${peer}`
}

test('the stock x402 client and facilitator deposit, pay, claim and refund on our contracts', {
  skip: missing('x402'),
}, () => {
  const cwd = folder('x402')
  const files = readdirSync(cwd).filter((name) => name.endsWith('.peer.ts'))
  // A test runner inside a test runner must not take itself for a part of the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = spawnSync(process.execPath, ['--test', ...files], { cwd, env, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stdout + run.stderr)
  assert.match(run.stdout, /pass [1-9]/)
})
