/** docs/wayside.yaml is the page that people copy from: complete, accepted, and true about the defaults. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { checkConfig } from '../../runtime/commands/config.ts'
import { configJsonSchema, configSchema } from '../../runtime/config/config.ts'
import { complaints, type JsonSchema } from './jsonschema.ts'

const text = readFileSync(new URL('../../docs/wayside.yaml', import.meta.url), 'utf8')
const sample: unknown = parse(text)
const schema = configJsonSchema() as JsonSchema
const settings = [...settingsOf(schema, [])]

test('config check has nothing against the sample', () => {
  const checked = checkConfig(text)
  assert.deepEqual(checked.ok || checked.problems, true)
})

test('the schema for editors has nothing against the sample, and something against a slip', () => {
  assert.deepEqual(complaints(schema, sample), [])
  const slip = { ...(sample as object), sensers: [], watch: { port: 70_000 } }
  assert.deepEqual(complaints(schema, slip), [
    '$.watch.port: over 65535',
    '$: has no place for sensers',
  ])
})

test('every setting of the schema stands in the sample', () => {
  assert.ok(settings.length > 50)
  const missing = settings.filter(({ path }) => valueIn(sample, path) === undefined)
  assert.deepEqual(
    missing.map(({ path }) => path.join('.')),
    [],
  )
})

test('what the sample says of a setting with a default is the default', () => {
  const plain = settings.filter(({ usual }) => usual !== undefined && typeof usual !== 'object')
  assert.ok(plain.length > 15)
  const differing = plain.filter(({ path, usual }) => {
    // A price has a default (free), and an example is worth more here.
    if (path.at(-1) === 'price') return false
    return String(valueIn(sample, path)) !== String(usual)
  })
  assert.deepEqual(differing, [])
})

test('a config that leaves out all that has a default gets what the sample shows', () => {
  const { folder, broker, operator, gateway, receiver } = sample as Record<string, unknown>
  const least = configSchema.parse({ folder, broker, operator, gateway, receiver })
  const { epoch, commit, sale, outbox, watch, clock, policy, withdrawDelayMin } =
    configSchema.parse(sample)
  assert.deepEqual(least, {
    ...least,
    ...{ epoch, commit, sale, outbox, watch, clock, policy, withdrawDelayMin },
  })
})

test('every setting says what it is', () => {
  const silent = settings.filter(({ description }) => description === undefined)
  assert.deepEqual(
    silent.map(({ path }) => path.join('.')),
    [],
  )
})

type Setting = {
  readonly path: readonly (string | number)[]
  readonly usual: unknown
  readonly description: string | undefined
}

/** Every setting below this schema; of a list its first entry. */
function* settingsOf(of: JsonSchema, path: Setting['path']): Generator<Setting> {
  const branch = of.anyOf?.find(({ properties }) => properties !== undefined) ?? of
  if (branch.items !== undefined) yield* settingsOf(branch.items, [...path, 0])
  for (const [name, inner] of Object.entries(branch.properties ?? {})) {
    const at = [...path, name]
    yield { path: at, usual: inner.default, description: inner.description }
    yield* settingsOf(inner, at)
  }
}

function valueIn(value: unknown, path: Setting['path']): unknown {
  return path.reduce((at, part) => (at as Record<string, unknown> | undefined)?.[part], value)
}
