/** The size rules and the small habits, over every file that git tracks. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const linesMax = 300
const functionLinesMax = 60

const folders = [
  'runtime',
  'drivers',
  'demo',
  'test',
  'bench',
  'bin',
  'contracts/src',
  'contracts/test',
]
const skipped = /node_modules|\/generated\/|\/vectors\/|\/captures\//
const sources = folders
  .flatMap((folder) => list(folder))
  .filter((path) => /\.(ts|js|sol)$/.test(path) && !skipped.test(path))
  .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }))

test('a file is a room: 300 lines at most', () => {
  const large = sources.filter(({ lines }) => lines.length - 1 > linesMax)
  assert.deepEqual(
    large.map(({ path }) => path),
    [],
  )
})

test('a function past 60 lines wants a name for its half', () => {
  const long: string[] = []
  for (const { path, lines } of sources.filter(({ path: name }) => name.endsWith('.ts'))) {
    for (const [i, line] of lines.entries()) {
      if (!/^(export )?(async )?function\b/.test(line)) continue
      const end = lines.findIndex((later, j) => j > i && later === '}')
      if (end - i > functionLinesMax) long.push(`${path}:${i + 1} is ${end - i} lines`)
    }
  }
  assert.deepEqual(long, [])
})

test('no room is named after nothing', () => {
  const vague = /(^|\/)(utils?|helpers?|manager|service|common|misc)(\.|\/)/
  assert.deepEqual(
    sources.map(({ path }) => path).filter((path) => vague.test(path)),
    [],
  )
})

test('no enum, namespace or class that is not an error', () => {
  for (const { path, lines } of sources.filter(({ path: name }) => name.startsWith('runtime'))) {
    for (const line of lines) {
      assert.doesNotMatch(line, /^\s*(export )?(const )?(enum|namespace) /, path)
      if (/^(export )?class /.test(line)) assert.match(line, /extends Error/, path)
    }
  }
})

function list(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name),
    )
  } catch {
    return []
  }
}
