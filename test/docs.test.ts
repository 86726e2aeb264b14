/** What the pages, the help texts and the cures tell people to type is there: commands, flags, scripts, settings. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { z } from 'zod'
import { configJsonSchema } from '../runtime/config/config.ts'
import { faults } from '../runtime/faults.ts'
import { operatorSchema } from '../runtime/operator/config.ts'
import { listed } from './commands/wayside.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'contracts/README.md', 'docs/wayside.yaml'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((name) => ({ name, text: read(name) }))

const program = new Command('wayside')
before(async () => {
  for (const name of listed()) {
    const module = await import(`../runtime/commands/${name}.ts`)
    await module[`${name}Command`](program)
  }
})

/** Every code span and every line of a code block, as it would be typed. */
function typed(text: string): string[] {
  const whole = text.replace(/\\\n\s*/g, ' ')
  const blocks = [...whole.matchAll(/^```[a-z]*\n([\s\S]*?)^```/gm)].map(([, body = '']) => body)
  const prose = whole.replace(/^```[a-z]*\n[\s\S]*?^```/gm, '')
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
  return [...blocks.flatMap((body) => body.split('\n')), ...spans].map((one) => one.trim())
}

/** What stands behind `wayside` in that line, up to a pipe, a comment or an explanation. */
function callsIn(line: string): string[][] {
  return [...line.matchAll(/(?:^|npx |&& |\$ |ExecStart=\S*\/)wayside ([a-z-][^|&;#>()]*)/g)].map(
    ([, rest = '']) =>
      (rest.split(/ {3,}|, /)[0] ?? '')
        .replace(/'[^']*'/g, 'X')
        .trim()
        .split(/\s+/),
  )
}

/** What is wrong with this call, if anything. */
function wrongWith(words: readonly string[]): string | undefined {
  let command: Command = program
  for (const word of words) {
    const below = command.commands.find((one) => one.name() === word)
    if (below !== undefined) command = below
    else if (command === program && !word.startsWith('-')) return `there is no command ${word}`
    else if (/^--?[a-z]/.test(word)) {
      const flag = word.split('=')[0]
      const known = [...command.options, ...(command.parent?.options ?? [])]
      const general = ['--help', '-h', '--version', '-V'].includes(flag ?? '')
      if (general || known.some(({ long, short }) => flag === long || flag === short)) continue
      return `${command.name()} has no ${flag}`
    }
  }
  return undefined
}

/** Commands that are told of and not there, each said to be so where it stands. */
const later = new Set(['doctor'])

test('every command that a page tells is there, with its flags', () => {
  const wrong: string[] = []
  let count = 0
  for (const { name, text } of pages) {
    for (const words of typed(text).flatMap(callsIn)) {
      if (later.has(words[0] ?? '')) continue
      count += 1
      const why = wrongWith(words)
      if (why !== undefined) wrong.push(`${name}: wayside ${words.join(' ')}: ${why}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(count > 60, `${count} calls were found`)
})

test('every flag that stands alone in the pages for users is one of some command', () => {
  const flags = new Set(
    [...program.commands.flatMap((one) => [one, ...one.commands])].flatMap(({ options }) =>
      options.flatMap(({ long }) => long ?? []),
    ),
  )
  const wrong = pages
    .filter(({ name }) => ['docs/operating.md', 'docs/buying.md'].includes(name))
    .flatMap(({ name, text }) =>
      typed(text)
        .flatMap((one) => /^(--[a-z-]+)/.exec(one)?.[1] ?? [])
        .filter((flag) => !flags.has(flag))
        .map((flag) => `${name}: ${flag}`),
    )
  // mosquitto's own, and that of the journeys.
  assert.deepEqual(
    wrong.filter((one) => !/--(cafile|cert|key|long)$/.test(one)),
    [],
  )
})

test('every example of a help text and every command in a cure can be typed', () => {
  const every = program.commands.flatMap((one) => [one, ...one.commands])
  const wrong: string[] = []
  for (const command of every) {
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    const [, examples = ''] = help.split(/\nExamples?:\n/)
    for (const words of examples
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .map((one) => one.trim())
      .flatMap(callsIn)) {
      const why = wrongWith(words)
      if (why !== undefined) wrong.push(`${command.name()} --help: ${words.join(' ')}: ${why}`)
    }
  }
  for (const [code, { cure }] of Object.entries(faults)) {
    for (const words of typed(cure).flatMap(callsIn)) {
      const why = wrongWith(words.filter((word) => !word.includes('{')))
      if (why !== undefined) wrong.push(`${code}: ${why}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('every command says with which codes it ends', () => {
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    if (command.commands.length > 0 && command.name() === 'config') continue
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    assert.match(help, /\nExit codes?: /, command.name())
  }
})

test('every npm script that a page names is one of its package', () => {
  const scripts = (folder: string) =>
    Object.keys(JSON.parse(read(join(folder, 'package.json'))).scripts as object)
  for (const { name, text } of pages) {
    const home = name.startsWith('contracts/') ? 'contracts' : '.'
    for (const line of typed(text)) {
      for (const [, prefix, script = ''] of line.matchAll(
        /npm (?:--prefix (\S+) )?run ([a-z:]+)/g,
      )) {
        // The contracts' page speaks of the root's as well.
        const known = [...scripts(prefix ?? home), ...(prefix === undefined ? scripts('.') : [])]
        assert.ok(known.includes(script), `${name}: npm run ${script}`)
      }
    }
  }
})

type Schema = { readonly properties?: Record<string, Schema>; readonly anyOf?: Schema[] }

/** `sale.exposure`, and what stands in lists without their number. */
function pathsOf(schema: Schema & { items?: Schema }, at = ''): string[] {
  const below = [schema, ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])]
  return below.flatMap((one) =>
    Object.entries(one.properties ?? {}).flatMap(([name, inner]) => {
      const path = at === '' ? name : `${at}.${name}`
      return [path, ...pathsOf(inner, path), ...pathsOf(inner, `${path}[]`)]
    }),
  )
}

test('every setting that a page names by its path is one of wayside.yaml or of operate.yaml', () => {
  const desk = z.toJSONSchema(operatorSchema, { io: 'input', unrepresentable: 'any' })
  const known = new Set([...pathsOf(configJsonSchema() as Schema), ...pathsOf(desk as Schema)])
  const groups = [...known].filter((path) => !path.includes('.'))
  const named = new RegExp(`^(?:${groups.join('|')})(?:\\[\\])?\\.[a-zA-Z0-9.\\[\\]]+$`)
  let count = 0
  for (const { name, text } of pages.filter((page) =>
    /^docs\/(operating|security)/.test(page.name),
  )) {
    for (const span of typed(text).filter((one) => named.test(one))) {
      if (/\.(key|yaml|sqlite)$/.test(span)) continue
      count += 1
      // Health writes its own document with dots, too.
      if (span === 'broker.connected') continue
      assert.ok(known.has(span), `${name}: ${span}`)
    }
  }
  assert.ok(count > 20, `${count} settings were found`)
})
