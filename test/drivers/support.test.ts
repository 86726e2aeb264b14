import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { drivers } from '../../drivers/index.ts'
import { readmePage } from '../../tools/support.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('the README lists every driver with what it was tried on; `npm run docs` writes the table', () => {
  assert.equal(readme, readmePage(readme, drivers), 'run `npm run docs`')
  for (const { id } of drivers) assert.ok(readme.includes(`| \`${id}\` |`), id)
})

test('a driver that nobody has captures of says so', () => {
  const [one] = drivers
  assert.ok(one)
  const page = readmePage(readme, [{ ...one, id: 'nobody-has-it' }])
  assert.match(page, /\| `nobody-has-it` \|.*\| examples of our own only \|/)
})
