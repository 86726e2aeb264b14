import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bin, listed, root, wayside } from './wayside.ts'

const capture = 'test/captures/nmea0183/pygpsdata-mixed.log'

test('every command under commands/ is listed, and helps with an example', () => {
  const names = listed()
  const files = readdirSync(join(root, 'runtime/commands'))
  for (const name of names) assert.ok(files.includes(`${name}.ts`), `${name} has no file`)
  assert.ok(names.length >= 9)
  for (const name of names) {
    const { status, stdout } = wayside([name, '--help'])
    assert.equal(status, 0, name)
    assert.match(stdout, new RegExp(`^Usage: wayside ${name}`), name)
    // A command that only groups others leaves the examples to them.
    const below = [...stdout.matchAll(/^ {2}(\w+)(?= .*\[)/gm)].map(([, inner = '']) => inner)
    const helps = /\nExamples?:/.test(stdout)
      ? [stdout]
      : below
          .filter((inner) => inner !== 'help')
          .map((inner) => wayside([name, inner, '--help']).stdout)
    assert.ok(helps.length > 0, `${name} has no example`)
    for (const help of helps) assert.match(help, /\nExamples?:\n/, name)
  }
})

test('`help` and `--help` say the same, for all and for one', () => {
  assert.equal(wayside(['help']).stdout, wayside(['--help']).stdout)
  assert.equal(wayside(['help', 'decode']).stdout, wayside(['decode', '--help']).stdout)
})

test('a command or option that is not there ends with 2, in words, and with the nearest name', () => {
  for (const [args, near] of [
    [['decod', 'x'], /Did you mean decode/],
    [['config', 'chek'], /Did you mean check/],
    [['drivers', '--jsn'], /Did you mean --json/],
    [['decode'], /missing required argument/],
    [['help', 'nothing'], /Usage: wayside/],
    [[], /Usage: wayside/],
  ] as const) {
    const { status, stdout, stderr } = wayside([...args])
    assert.equal(status, 2, args.join(' '))
    assert.match(stderr, near)
    assert.equal(stdout, '')
  }
})

test('--version is the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal(wayside(['--version']).stdout, `${version}\n`)
})

test('a fault ends with its own code, and says the cure and its name', () => {
  const { status, stdout, stderr } = wayside(['config', 'check', '/no/such.yaml'])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^wayside: cannot read \/no\/such\.yaml: ENOENT.*\n {2}check the path.*\n$/)
  assert.match(stderr, /\[CONFIG_UNREADABLE\]/)
})

test('a reader that has seen enough ends a command in peace', async () => {
  const lines = readFileSync(join(root, capture))
  const child = spawn(process.execPath, [bin, 'decode', 'nmea0183'], { cwd: root })
  child.stdin.on('error', () => {})
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  child.stdin.write(lines)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const more = setInterval(() => child.stdin.write(lines), 5)
  const [status] = await once(child, 'exit')
  clearInterval(more)
  child.stdin.destroy()
  assert.equal(status, 0)
  assert.equal(errors, '')
})

const heavy = ['onnxruntime-node', 'better-sqlite3', 'mqtt', 'ethers', 'serialport', 'pino', 'yaml']

test('help, version and decode load nothing heavy', () => {
  for (const args of [['--help'], ['--version'], ['decode', 'nmea0183', capture], ['drivers']]) {
    const loaded = packagesLoaded(args)
    assert.ok(loaded.includes('commander'), 'the ear hears what is loaded')
    const bad = heavy.filter((name) => loaded.includes(name))
    assert.deepEqual(bad, [], `wayside ${args.join(' ')}`)
  }
})

test('checking a config and evidence loads no line out, no store and no model', () => {
  const onlyForRun = heavy.filter((name) => name !== 'yaml')
  const evidence = 'docs/wayside.yaml'
  for (const args of [
    ['config', 'check', 'docs/wayside.yaml'],
    ['verify', evidence],
  ]) {
    const loaded = packagesLoaded(args)
    const bad = onlyForRun.filter((name) => loaded.includes(name))
    assert.deepEqual(bad, [], `wayside ${args.join(' ')}`)
  }
})

/** Every package that the command imported or required, by name. */
function packagesLoaded(args: readonly string[]): string[] {
  const ear = `
    import { registerHooks } from 'node:module'
    import { writeSync } from 'node:fs'
    const seen = new Set()
    registerHooks({ resolve(name, context, next) {
      seen.add(name)
      return next(name, context)
    } })
    process.on('exit', () => writeSync(2, '\\nloaded ' + JSON.stringify([...seen]) + '\\n'))`
  const shim = `data:text/javascript,${encodeURIComponent(ear)}`
  const { stderr } = wayside(args, { node: ['--import', shim] })
  const [, list = '[]'] = /\nloaded (.*)\n$/.exec(stderr) ?? []
  return JSON.parse(list) as string[]
}

test('a device that cannot serve its health says so and ends, with nothing left open', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'wayside-taken-'))
  const nobody = `"0x${'11'.repeat(20)}"`
  const config = `folder: ${folder}/device
broker: { url: mqtt://127.0.0.1:9 }
operator: ${nobody}
gateway: ${nobody}
receiver: ${nobody}
watch: { port: ${port} }
`
  writeFileSync(join(folder, 'wayside.yaml'), config)
  const run = spawn(process.execPath, [bin, 'run', join(folder, 'wayside.yaml')])
  const late = setTimeout(() => run.kill('SIGKILL'), 60_000)
  const said = run.stderr.toArray()
  const [code] = await once(run, 'exit')
  clearTimeout(late)
  assert.match(Buffer.concat(await said).toString(), /\[WATCH_PORT\]/)
  assert.equal(code, 2)
  taken.close()
  rmSync(folder, { recursive: true })
})
