/**
 * One folder a config: `input.yaml`, and in `expect.txt` what `wayside config check` says of it, word for
 * word: where, what, and how to cure it.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkConfig } from '../../runtime/commands/config.ts'

const cases = new URL('cases/', import.meta.url)

for (const name of readdirSync(cases)) {
  test(`config ${name.replaceAll('-', ' ')}: says what is wrong, where, and the cure`, () => {
    const read = (file: string) => readFileSync(new URL(`${name}/${file}`, cases), 'utf8')
    const folder = fileURLToPath(new URL(name, cases))
    const found = said(read('input.yaml'), folder).replaceAll(`${folder}/`, '')
    assert.equal(found, read('expect.txt'))
  })
}

function said(text: string, folder: string): string {
  const checked = checkConfig(text, folder)
  if (checked.ok) return 'fine\n'
  return checked.problems
    .map(({ line, column, what, hint }) => `${line}:${column}: ${what}\n  ${hint}\n`)
    .join('')
}
