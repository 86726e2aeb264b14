/**
 * The architecture, as a test.
 *
 * Each row: files under this path may import only from these paths, and from npm and node:. Data flows
 * down the page of runtime/device.ts; an import that flows up is a failing test, not a review comment.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = ['runtime/wire/', 'runtime/faults.ts']
const stage = (name: string) => [`runtime/${name}/`, 'runtime/disk/', ...words]

const may: Record<string, readonly string[]> = {
  'runtime/wire/': ['runtime/wire/'],
  'runtime/disk/': ['runtime/disk/', ...words],
  'runtime/sense/': stage('sense'),
  'runtime/infer/': stage('infer'),
  'runtime/sign/': stage('sign'),
  'runtime/store/': stage('store'),
  'runtime/stream/': stage('stream'),
  'runtime/sell/': stage('sell'),
  'runtime/watch/': stage('watch'),
  'runtime/link/': ['runtime/link/', 'contracts/generated/', ...words],
  'runtime/buyer/': [
    'runtime/buyer/',
    'runtime/link/',
    'runtime/disk/',
    'runtime/quantity.ts',
    ...words,
  ],
  'runtime/operator/': [
    'runtime/operator/',
    'runtime/link/',
    'runtime/disk/',
    'runtime/yamlfile.ts',
    'runtime/quantity.ts',
    ...words,
  ],
  'drivers/': ['drivers/', 'runtime/sense/driver.ts'],
}

/** One heavy dependency, one door. */
const doors: Record<string, string> = {
  serialport: 'runtime/sense/port.ts',
  'onnxruntime-node': 'runtime/infer/engine.ts',
  'better-sqlite3': 'runtime/disk/sqlite.ts',
  mqtt: 'runtime/link/broker.ts',
  ethers: 'runtime/link/chain.ts',
  pino: 'runtime/watch/log.ts',
  'prom-client': 'runtime/watch/metrics.ts',
  'node-cron': 'runtime/operator/settler.ts',
  yaml: 'runtime/yamlfile.ts',
  '@hpke/core': 'runtime/wire/hpke.ts',
  cborg: 'runtime/wire/cbor.ts',
  canonicalize: 'runtime/wire/jcs.ts',
}

/** What the core may use from npm: pure, and at home in a browser. */
const pure = ['#crypto', 'zod', ...Object.keys(doors).slice(-3)]
const primitives = /^(@noble\/|@bitauth\/libauth$|node:crypto$)/

const imports = new Map(
  ['runtime', 'drivers'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [join(folder, name), importsOf(join(root, folder, name))] as const),
  ),
)

for (const [layer, allowed] of Object.entries(may)) {
  test(`${layer} imports only ${allowed.join(', ')}`, () => {
    const files = [...imports].filter(([path]) => path.startsWith(layer))
    assert.ok(files.length > 0, 'the room is empty')
    for (const [path, targets] of files) {
      for (const target of targets.filter((name) => name.startsWith('.'))) {
        const to = normalize(join(dirname(path), target))
        assert.ok(
          allowed.some((prefix) => to.startsWith(prefix)),
          `${path} imports ${to}`,
        )
      }
    }
  })
}

test('each heavy dependency has one door', () => {
  for (const [path, targets] of imports) {
    for (const target of targets) {
      const door = doors[target]
      assert.ok(door === undefined || door === path, `${path} imports ${target}, not ${door}`)
    }
  }
})

test('the core is pure: no node: module but behind #crypto, nothing from npm but what is pure', () => {
  for (const [path, targets] of imports) {
    if (!path.startsWith('runtime/wire/')) continue
    const behind = path.startsWith('runtime/wire/crypto/')
    for (const target of targets.filter((name) => !name.startsWith('.'))) {
      const fine = behind ? primitives.test(target) : pure.includes(target)
      assert.ok(fine, `${path} imports ${target}`)
    }
  }
})

test('the device never loads the chain', () => {
  const seen = new Set<string>()
  const walk = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const target of imports.get(path) ?? []) {
      if (target.startsWith('.')) walk(normalize(join(dirname(path), target)))
    }
  }
  walk('runtime/device.ts')
  assert.ok(seen.size > 20, 'the map leads somewhere')
  assert.ok(!seen.has('runtime/link/chain.ts'))
})

test('process appears in main.ts and commands/ and nowhere else', () => {
  for (const path of imports.keys()) {
    if (path === 'runtime/main.ts' || path.startsWith('runtime/commands/')) continue
    const code = readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.doesNotMatch(code, /\bprocess\.[a-z]/, path)
  }
})

/** Every module that a file names in an import or a dynamic import; types count like values. */
function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8')
  return [...source.matchAll(/(?:^import |\bfrom |\bimport\(\s*)'([^']+)'/gm)].map(
    ([, target = '']) => target,
  )
}
