/** The size rules and the small habits, over every source of ours. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const linesMax = 300
const functionLinesMax = 60
const columnsMax = 110

const folders = ['runtime', 'drivers', 'demo', 'test', 'bench', 'bin', 'tools', 'contracts']
const skipped = /node_modules|\/generated\/|\/captures\/|\/cache\/|\/out\//
const sources = folders
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name),
    ),
  )
  .filter((path) => /\.(ts|js|sol|py)$/.test(path) && !skipped.test(path))
  .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }))
const scripts = sources.filter(({ path }) => path.endsWith('.ts'))

test('a file is a room: 300 lines at most', () => {
  assert.ok(sources.length > 200, 'the sources are found')
  const large = sources.filter(({ lines }) => lines.length - 1 > linesMax)
  assert.deepEqual(
    large.map(({ path, lines }) => `${path} has ${lines.length - 1}`),
    [],
  )
})

test('a function past 60 lines wants a name for its half', () => {
  const long = scripts.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => {
      const length = ownLength(lines, i)
      return length > functionLinesMax ? [`${path}:${i + 1} has ${length}: ${line.trim()}`] : []
    }),
  )
  assert.deepEqual(long, [])
})

test('no comment runs out of the window', () => {
  const wide = scripts.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) =>
      /^\s*(\*|\/\*|\/\/)/.test(line) &&
      [...line.replace(/\/\*\* | \*\/$/g, '')].length > columnsMax
        ? [`${path}:${i + 1}`]
        : [],
    ),
  )
  assert.deepEqual(wide, [])
})

test('no room is named after nothing', () => {
  const vague = /(^|\/)(utils?|helpers?|manager|service|common|misc)(\.|\/)/
  assert.deepEqual(
    sources.map(({ path }) => path).filter((path) => vague.test(path)),
    [],
  )
})

test('no enum, namespace, default export or class that is not an error', () => {
  for (const { path, lines } of scripts) {
    for (const line of lines) {
      assert.doesNotMatch(line, /^\s*(export )?(declare )?(const )?(enum|namespace) \w/, path)
      if (path.startsWith('test/') || path.startsWith('bench/')) continue
      assert.doesNotMatch(line, /^export default /, path)
      if (/^\s*(export )?(abstract )?class /.test(line)) assert.match(line, /extends Error/, path)
    }
  }
})

test('every file of the product begins by saying what it is', () => {
  const mute = scripts.filter(({ path, lines }) => {
    if (!/^(runtime|drivers|demo|bench|tools)\//.test(path)) return false
    return !lines.some((line) => /^\/\*\*|^ \* /.test(line))
  })
  assert.deepEqual(
    mute.map(({ path }) => path),
    [],
  )
})

test('nothing is left for later in the code', () => {
  const mark = /\b(TODO|FIXME|XXX|HACK)\b/
  const left = sources.filter(({ path, lines }) => {
    return basename(path) !== 'tidy.test.ts' && lines.some((line) => mark.test(line))
  })
  assert.deepEqual(
    left.map(({ path }) => path),
    [],
  )
})

test('the name of every test is a sentence and stands once in its file', () => {
  for (const { path, lines } of scripts.filter((one) => one.path.endsWith('.test.ts'))) {
    const names = [...lines.join('\n').matchAll(/^\s*test\(\s*'((?:[^'\\]|\\.)+)'/gm)].map(
      ([, name = '']) => name,
    )
    for (const name of names) assert.ok(name.includes(' '), `${path}: ${name}`)
    assert.equal(new Set(names).size, names.length, path)
  }
})

/**
 * Lines of the function that begins here, without those of the functions inside it, which are counted by
 * themselves: a thing with state is a function that returns an object of small ones. 0 where none begins.
 */
function ownLength(lines: readonly string[], at: number): number {
  const end = functionEnd(lines, at)
  if (end === undefined) return 0
  let own = end - at + 1
  for (let i = at + 1; i < end; i += 1) {
    const inner = functionEnd(lines, i)
    if (inner === undefined) continue
    own -= inner - i + 1
    i = inner
  }
  return own
}

/** Formatted code closes at its own indent. A word that opens a block is no function. */
function functionEnd(lines: readonly string[], at: number): number | undefined {
  const line = lines[at] ?? ''
  const begins = /\bfunction\b.*[({]$|=> \{$|^\s+(async )?\w+\(.*\).* \{$/.test(line)
  if (!begins || /^\s*(describe|if|for|while|switch|do|try)\b|^\s*\} /.test(line)) return undefined
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  const closes = (later: string, i: number) =>
    i > at && /^\}[^ ]*;?$/.test(later.slice(indent.length))
  const end = lines.findIndex((later, i) => later.startsWith(`${indent}}`) && closes(later, i))
  return end < 0 ? undefined : end
}
