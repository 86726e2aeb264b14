/** The package as its users get it: packed, installed in an empty folder, run from there. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { root } from '../commands/wayside.ts'

const registry = npm(['ping'], root).status === 0

describe('the packed tarball', { skip: !registry && 'the npm registry cannot be reached' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-package-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const installed = join(folder, 'node_modules/wayside')
  let files: string[] = []

  before(() => {
    // `npm run package`: the clone's .npmrc turns scripts off, and prepack builds dist/.
    const given = ['pack', '--ignore-scripts=false', '--json', '--pack-destination', folder]
    const packed = npm(given, root)
    assert.equal(packed.status, 0, packed.stderr)
    const [about] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')))
    files = about.files.map(({ path }: { path: string }) => path)
    // Without install scripts, as the README says: ONNX Runtime's would download libraries for GPUs.
    const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
    const done = npm([...install, join(folder, about.filename)], folder)
    assert.equal(done.status, 0, done.stderr)
  })

  test('holds what runs and the pages that its words name, and no tests, sources or captures', () => {
    for (const path of files) {
      assert.match(
        path,
        /^(package\.json|README\.md|LICENSE|bin\/wayside\.js|dist\/.+|docs\/[\w.-]+\.(md|yaml|json|cddl))$/,
      )
      assert.doesNotMatch(path, /\.test\.|captures|(?<!\.d)\.ts$|\.map$/)
    }
    for (const path of [
      'dist/main.js',
      'dist/store-worker.js',
      'dist/models/anomaly/model.onnx',
      'docs/operating.md',
      'docs/wayside.yaml',
    ]) {
      assert.ok(files.includes(path), path)
    }
  })

  test('answers --version, drivers and decode', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    assert.deepEqual(wayside(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' })
    assert.match(wayside(['drivers']).stdout, /^plantower /m)
    const log = join(root, 'test/captures/nmea0183/pygpsdata-mixed.log')
    const { status, stdout } = wayside(['decode', 'nmea0183', log])
    assert.equal(status, 0)
    assert.equal(stdout.trim().split('\n').length, 15)
  })

  test('finds its own model by name', () => {
    // Without the login, whose files are on the device.
    const text = readFileSync(join(root, 'docs/wayside.yaml'), 'utf8')
    const sample = join(folder, 'sample.yaml')
    writeFileSync(sample, text.replace(/^ {2}(username|[a-z]+File): .*\n/gm, ''))
    const { stdout, stderr } = wayside(['config', 'check', sample])
    assert.equal(stdout, `${sample}: fine, 1 sensor and 1 model\n`, stderr)
  })

  test('starts a device, whose store finds its worker, and ends it at SIGTERM', async () => {
    const nobody = `"0x${'0'.repeat(40)}"`
    const owner = `operator: ${nobody}\ngateway: ${nobody}\nreceiver: ${nobody}\n`
    const lines = 'folder: data\nbroker: { url: "mqtt://127.0.0.1:9" }\nwatch: { port: 0 }\n'
    writeFileSync(join(folder, 'wayside.yaml'), `${lines}${owner}`)
    const device = spawn(process.execPath, [join(installed, 'bin/wayside.js'), 'run'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 30_000,
      killSignal: 'SIGKILL',
    })
    let log = ''
    let told = false
    for await (const chunk of device.stderr) {
      log += chunk
      // Once: a second signal ends it at once, with 130.
      if (!told && log.includes('"watching"')) told = device.kill('SIGTERM')
    }
    const [status] = device.exitCode === null ? await once(device, 'exit') : [device.exitCode]
    assert.equal(status, 0, log)
    assert.ok(existsSync(join(folder, 'data/store.sqlite')))
  })

  test('gives the buyer as a library, without loading port, model or store of a device', () => {
    const program = "console.log(Object.keys(await import('wayside/buyer')).join())"
    const flags = ['--input-type=module', '-e', program]
    const { status, stdout, stderr } = node(flags)
    assert.equal(status, 0, stderr)
    assert.ok(stdout.trim().split(',').includes('openBuyer'), stdout)
  })

  test('gives the library its types', () => {
    writeFileSync(
      join(folder, 'shop.ts'),
      "import { openBuyer } from 'wayside/buyer'\nconst open: number = openBuyer\nvoid open\n",
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '']
    const { stdout } = node([tsc, ...flags, 'shop.ts'])
    // The one complaint shows that the type is known: a function is no number.
    assert.match(stdout, /^shop\.ts\(2,7\): error TS2322: Type '\(/)
    assert.equal(stdout.trim().split('\nshop').length, 1, stdout)
  })

  test('takes the program of docs/buying.md as it stands there', () => {
    const page = readFileSync(join(root, 'docs/buying.md'), 'utf8')
    const [, program = ''] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? []
    const around =
      'declare function store(...all: unknown[]): Promise<void>\ndeclare function enough(): boolean\n'
    writeFileSync(join(folder, 'buying.mts'), `${around}${program}`)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--types',
      'node',
    ]
    const types = ['--typeRoots', join(root, 'node_modules/@types')]
    const { stdout } = node([tsc, ...flags, ...types, 'buying.mts'])
    assert.equal(stdout, '')
  })

  test('gives what a driver of another package is written and held with', () => {
    const guide = readFileSync(join(root, 'docs/add-a-driver.md'), 'utf8')
    const [, code = ''] = /```ts\n(\/\*\*.*?)```/s.exec(guide) ?? []
    const own = code.replace('../runtime/sense/driver.ts', 'wayside/driver')
    writeFileSync(join(folder, 'sds011.ts'), own)
    const lines = [
      "import { sds011 } from './sds011.ts'",
      "import { conformance } from 'wayside/driver/conformance'",
      "const capture = Buffer.from('aac0d4043a0aa1601dab', 'hex')",
      'for (const { says, hold } of conformance(sds011, { capture })) {',
      '  await hold()',
      '  console.log(says)',
      '}',
    ]
    writeFileSync(join(folder, 'held.ts'), lines.join('\n'))
    const { status, stdout, stderr } = node(['held.ts'])
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim().split('\n').length, 9, stdout)
  })

  test('lets a package bring a driver, as the guide says: written, held, packed, installed, named', () => {
    const guide = readFileSync(join(root, 'docs/add-a-driver.md'), 'utf8')
    const part = (pattern: RegExp) => pattern.exec(guide)?.[1] ?? assert.fail(String(pattern))
    const soil = join(folder, 'wayside-soil')
    mkdirSync(soil)
    const typed = part(/```ts\n(\/\*\*\n \* Nova.*?)```/s)
    const code = typed.replace('../runtime/sense/driver.ts', 'wayside/driver')
    const named = code.replaceAll('sds011', 'soil')
    writeFileSync(join(soil, 'index.js'), `${named}\nexport const drivers = [soil]\n`)
    writeFileSync(join(soil, 'package.json'), part(/```json\n(\{\n {2}"name".*?)```/s))
    writeFileSync(join(soil, 'soil.test.js'), part(/```js\n(.*?)```/s))
    writeFileSync(join(soil, 'soil.bin'), Buffer.from('aac0d4043a0aa1601dab', 'hex'))
    const held = node(['--test', '--test-reporter', 'tap', join(soil, 'soil.test.js')])
    assert.match(held.stdout, /^# pass 9$/m, held.stdout)
    assert.equal(
      node([join(installed, 'bin/wayside.js'), 'decode', soil, join(soil, 'soil.bin')]).status,
      0,
    )
    assert.equal(npm(['pack', '--pack-destination', folder], soil).status, 0)
    const offline = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund']
    const done = npm([...offline, join(folder, 'wayside-soil-1.0.0.tgz')], folder)
    assert.equal(done.status, 0, done.stderr)
    const { stdout } = wayside(['decode', 'wayside-soil', join(soil, 'soil.bin')])
    assert.deepEqual(JSON.parse(stdout).values, { pm2_5: 123.6, pm10: 261.8 })
    const nobody = `"0x${'0'.repeat(40)}"`
    writeFileSync(
      join(folder, 'soil.yaml'),
      `folder: data\nbroker: { url: "mqtt://127.0.0.1:9" }\noperator: ${nobody}\ngateway: ${nobody}\n` +
        `receiver: ${nobody}\n${part(/```yaml\n(drivers: \[wayside-soil\].*?)```/s)}`,
    )
    const checked = wayside(['config', 'check', 'soil.yaml'])
    assert.equal(checked.stdout, 'soil.yaml: fine, 1 sensor and 0 models\n', checked.stderr)
  })

  function wayside(args: readonly string[]) {
    return node([join(folder, 'node_modules/.bin/wayside'), ...args])
  }

  function node(args: readonly string[]) {
    // A `node --test` below this one would report to it, and say nothing itself.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    })
    return { status, stdout, stderr }
  }
})

/** The npm of the PATH, as a user has it; not that of the npm that runs this test. */
function npm(args: readonly string[], cwd: string) {
  const env = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
  return spawnSync('npm', args, { cwd, env: Object.fromEntries(env), encoding: 'utf8' })
}
