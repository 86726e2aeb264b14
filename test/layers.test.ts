/**
 * The architecture, as a test.
 *
 * The tables of docs/architecture.md are the rules: files of a room may import only what stands in its row,
 * and from npm and node:. Data flows down the page of runtime/device.ts; an import that flows up is a failing
 * test, not a review comment.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

/** The rows of the page's table that has these columns: what stands between backticks in its first, and the rest. */
function rowsOf(...columns: readonly string[]): readonly (readonly [name: string, last: string])[] {
  const [, table = ''] = page.split(`| ${columns.join(' | ')} |\n`)
  const rows = (table.split('\n\n')[0] ?? '').matchAll(/^\| `([^`]+)` \|(?: .* \|)? (.*) \|$/gm)
  return [...rows].map(([, name = '', last = '']) => [name, last] as const)
}

const shared = ['runtime/wire/', 'runtime/time/', 'runtime/faults.ts', 'runtime/nearest.ts']

const may: Record<string, readonly string[]> = Object.fromEntries(
  rowsOf('room', 'holds', 'may import')
    .filter(([room, imports]) => /^(runtime|drivers)\//.test(room) && imports !== 'all')
    .map(([room, imports]) => {
      const sharing = /^runtime\/(?!wire|time)/.test(room) ? shared : []
      const named = [...imports.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)
      return [room, [room, ...named, ...sharing]]
    }),
)

/** One heavy dependency, one door. */
const doors = Object.fromEntries(
  rowsOf('package', 'door').map(([name, door]) => [name, door.replaceAll('`', '')]),
)

/** What the core may use from npm: pure, and at home in a browser. */
const ofTheCore = Object.keys(doors).filter((name) => doors[name]?.startsWith('runtime/wire/'))
const pure = ['#crypto', 'zod', ...ofTheCore]
const primitives = /^(@noble\/|@bitauth\/libauth\/|node:crypto$)/

type Source = { readonly path: string; readonly code: string; readonly imports: readonly Import[] }
/** `types`: erased, nothing is loaded. `late`: loaded when the line runs, not when the file does. */
type Import = { readonly name: string; readonly types: boolean; readonly late: boolean }

const sources: readonly Source[] = ['runtime', 'drivers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const code = withoutComments(readFileSync(join(root, folder, name), 'utf8'))
      return { path: join(folder, name), code, imports: importsOf(code) }
    }),
)

for (const [layer, allowed] of Object.entries(may)) {
  test(`${layer} imports only ${allowed.join(', ')}`, () => {
    const files = sources.filter(({ path }) => path.startsWith(layer))
    assert.ok(files.length > 0, 'the room is empty')
    for (const source of files) {
      for (const to of filesNamed(source)) {
        const fine = allowed.some((prefix) => to.startsWith(prefix))
        assert.ok(fine, `${source.path} imports ${to}`)
      }
    }
  })
}

test('every room has its row, and nothing but main.ts imports a command from outside commands/', () => {
  for (const source of sources) {
    const [, room] = /^(runtime\/\w+\/|drivers\/)/.exec(source.path) ?? []
    if (room === 'runtime/commands/' || source.path === 'runtime/main.ts') continue
    assert.ok(room === undefined || room in may, `${room} has no row`)
    const command = filesNamed(source).find((to) => to.startsWith('runtime/commands/'))
    assert.equal(command, undefined, source.path)
  }
})

test('every room and every single file stands in the tables of docs/architecture.md, and no other', () => {
  const rooms = rowsOf('room', 'holds', 'may import').map(([room]) => room)
  const files = rowsOf('file', 'what').map(([file]) => file)
  const there = readdirSync(join(root, 'runtime'), { withFileTypes: true })
  const folders = there.filter((one) => one.isDirectory()).map(({ name }) => `runtime/${name}/`)
  assert.deepEqual(rooms.filter((room) => room.startsWith('runtime/')).sort(), folders.sort())
  const named = there.filter((one) => one.isFile()).map(({ name }) => name)
  assert.deepEqual([...files].sort(), named.sort())
})

test('each heavy dependency has one door', () => {
  assert.ok(Object.keys(doors).length > 10)
  for (const { path, imports } of sources) {
    for (const { name } of imports) {
      const door = doors[name]
      assert.ok(door === undefined || door === path, `${path} imports ${name}, not ${door}`)
    }
  }
})

test('every door is there and leads somewhere', () => {
  for (const [name, door] of Object.entries(doors)) {
    const source = sources.find(({ path }) => path === door)
    assert.ok(
      source?.imports.some((one) => one.name === name),
      `${door} does not import ${name}`,
    )
  }
})

test('the core is pure: no node: module but behind #crypto, nothing from npm but what is pure', () => {
  for (const { path, imports } of inside('runtime/wire/')) {
    const behind = path.startsWith('runtime/wire/crypto/')
    for (const { name } of imports.filter((one) => !one.name.startsWith('.'))) {
      const fine = behind ? primitives.test(name) : pure.includes(name)
      assert.ok(fine, `${path} imports ${name}`)
    }
  }
})

test('the core has no clock, no timer and no chance of its own', () => {
  for (const { path, code } of inside('runtime/wire/')) {
    const found = /\b(Date\.now|new Date\(\)|performance\.|setTimeout|setInterval|Math\.random)/
    if (!path.startsWith('runtime/wire/crypto/')) assert.doesNotMatch(code, found, path)
  }
})

test('a driver is bytes in, values out: nothing from node: or npm, no clock, no chance', () => {
  for (const { path, code, imports } of inside('drivers/')) {
    const outside = imports.filter(({ name }) => !name.startsWith('.'))
    assert.deepEqual(outside, [], path)
    assert.doesNotMatch(code, /\b(Date\.now|performance\.|setTimeout|Math\.random)/, path)
  }
})

test('SQL stands in the tables and nowhere else, and every table is STRICT', () => {
  const sql =
    /\.prepare\(|\bCREATE (TABLE|INDEX)\b|\bINSERT (INTO|OR)\b|\bSELECT [\w*]|\bUPDATE \w+ SET\b/
  for (const { path, code } of sources) {
    const keeps = /^runtime\/(disk|store|operator|buyer)\//.test(path)
    if (!keeps) assert.doesNotMatch(code, sql, path)
    for (const [table] of code.matchAll(/\bCREATE TABLE\b[^;`]*/g)) {
      assert.match(table, /\)\s*(STRICT|WITHOUT ROWID, STRICT|STRICT, WITHOUT ROWID)/, path)
    }
  }
})

test('files are written by disk/ and by nothing else', () => {
  const writes =
    /\b(writeFile|writeFileSync|appendFile|appendFileSync|createWriteStream|rename|renameSync)\(/
  for (const { path, code } of sources) {
    if (!path.startsWith('runtime/disk/')) assert.doesNotMatch(code, writes, path)
  }
})

test('the device never loads the chain, not even late', () => {
  const reached = reach('runtime/device.ts', () => true)
  assert.ok(reached.size > 50, 'the map leads somewhere')
  assert.deepEqual(
    [...reached].filter((path) => /^runtime\/link\/(chain|contract)/.test(path)),
    [],
  )
})

test('the buyer loads no serial port and no model, and the chain only when it pays', () => {
  const everything = reach('runtime/buyer/index.ts', ({ types }) => !types)
  assert.ok(everything.size > 30)
  for (const room of ['runtime/sense/', 'runtime/infer/', 'runtime/sell/', 'runtime/store/']) {
    const found = [...everything].filter((path) => path.startsWith(room))
    assert.deepEqual(found, [])
  }
  const atOnce = reach('runtime/buyer/index.ts', ({ types, late }) => !types && !late)
  const ethers = [...atOnce].filter((path) => doors.ethers === path)
  assert.deepEqual(ethers, [])
})

test('process appears in main.ts and commands/; three files may import its module', () => {
  for (const { path, code, imports } of sources) {
    if (path === 'runtime/main.ts' || path.startsWith('runtime/commands/')) continue
    assert.doesNotMatch(code, /(?<![.\w'"`/-])process\.[a-z]/, path)
    const named = imports.some(({ name }) => name === 'node:process')
    // The monotonic clock, the kill of a failpoint, and the word that keeps ONNX Runtime from telling.
    const clockOrKill = ['runtime/watch/clock.ts', 'runtime/disk/failpoint.ts'].includes(path)
    const fine = clockOrKill || path === 'runtime/infer/engine.ts'
    assert.ok(!named || fine, `${path} imports node:process`)
  }
})

function inside(folder: string): readonly Source[] {
  return sources.filter(({ path }) => path.startsWith(folder))
}

/** The files of ours that this one imports. */
function filesNamed({ path, imports }: Source, wanted: (one: Import) => boolean = () => true) {
  return imports
    .filter((one) => one.name.startsWith('.') && wanted(one))
    .map(({ name }) => normalize(join(dirname(path), name)))
}

/** Every file that is reached from this one by such imports. */
function reach(from: string, wanted: (one: Import) => boolean): ReadonlySet<string> {
  const seen = new Set<string>()
  const walk = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const source = sources.find((one) => one.path === path)
    if (source !== undefined) for (const to of filesNamed(source, wanted)) walk(to)
  }
  walk(from)
  return seen
}

/** Every module that the code names: in an import, a re-export or an import that is made late. */
function importsOf(code: string): Import[] {
  const early = [...code.matchAll(/^(?:import|export)\b([^;'"]*?\bfrom )?'([^']+)'/gm)].map(
    ([, clause = '', name = '']) => ({ name, types: /^ type\b/.test(clause), late: false }),
  )
  const late = [...code.matchAll(/\bimport\(\s*'([^']+)'/g)].map(([, name = '']) => {
    return { name, types: false, late: true }
  })
  return [...early, ...late]
}

/** Comments that begin a line or follow a space; an address with two slashes in a text is none. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}
