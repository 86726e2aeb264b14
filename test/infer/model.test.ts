import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { availableProviders, openEngine } from '../../runtime/infer/engine.ts'
import { openModel } from '../../runtime/infer/model.ts'

const shipped = fileURLToPath(new URL('../../models/anomaly', import.meta.url))
const onnx = { path: 'model.onnx', bytes: readFileSync(join(shipped, 'model.onnx')) }
const folder = mkdtempSync(join(tmpdir(), 'wayside-model-'))
after(() => rmSync(folder, { recursive: true }))

/** The shipped model with something of its manifest changed. */
function changed(change: (manifest: ReturnType<typeof JSON.parse>) => void): string {
  copyFileSync(join(shipped, 'model.onnx'), join(folder, 'model.onnx'))
  const manifest = JSON.parse(readFileSync(join(shipped, 'model.json'), 'utf8'))
  change(manifest)
  writeFileSync(join(folder, 'model.json'), JSON.stringify(manifest))
  return folder
}

test('opens the shipped model and says what really runs it', async () => {
  const { engine, manifest, id } = await openModel(shipped)
  assert.equal(engine.provider, 'cpu')
  assert.match(id, /^0x[0-9a-f]{64}$/)
  for (const length of [manifest.input.least, 77, manifest.input.most]) {
    const { score } = await engine.run(new Float32Array(length), [1, length])
    assert.equal(score?.length, 1)
    assert.ok((score?.[0] ?? 1) < 0.5, `a constant series is no anomaly: ${score?.[0]}`)
  }
  await engine.release()
})

test('a provider that this build does not know is a fault that names those it does', async () => {
  const known = (await availableProviders()).join(', ')
  await assert.rejects(openEngine(onnx, 'tpu'), {
    code: 'MODEL_PROVIDER',
    message: `model.onnx cannot run on tpu: this build has no such provider (this build knows ${known})`,
  })
})

/** Asked in a process of its own: ONNX Runtime writes about missing libraries past us, to stderr. */
const ask = `
  import { readFileSync } from 'node:fs'
  import { openEngine } from ${JSON.stringify(new URL('../../runtime/infer/engine.ts', import.meta.url).href)}
  const path = ${JSON.stringify(join(shipped, 'model.onnx'))}
  for (const provider of ['cuda', 'tensorrt', 'webgpu']) {
    const made = await openEngine({ path, bytes: readFileSync(path) }, provider).then(
      (engine) => 'ran ' + engine.provider,
      (thrown) => thrown.code,
    )
    console.log(provider + ': ' + made)
  }
`

test('a provider whose libraries are missing is a fault; never the CPU in its place', () => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', ask], {
    encoding: 'utf8',
  })
  const lines = stdout.trim().split('\n')
  assert.equal(lines.length, 3)
  for (const line of lines) assert.match(line, /^(\w+): (MODEL_PROVIDER|ran \1)$/)
})

/** What `openEngine` leans on, shown with the one provider that is everywhere: the ban itself works. */
const banned = `
  import { InferenceSession } from 'onnxruntime-node'
  const options = { executionProviders: ['cpu'], extra: { session: { disable_cpu_ep_fallback: '1' } } }
  await InferenceSession.create(${JSON.stringify(join(shipped, 'model.onnx'))}, options).then(
    () => console.log('made'),
    (thrown) => console.log(thrown.message),
  )
`

test('ONNX Runtime obeys when single nodes are not to fall back to the CPU', () => {
  const args = ['--input-type=module', '-e', banned]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(stdout, /fallback to CPU EP has been explicitly disabled/)
})

test('a file that is no model is a fault', async () => {
  const bytes = new TextEncoder().encode('not a model')
  await assert.rejects(openEngine({ path: 'x.onnx', bytes }, 'cpu'), { code: 'MODEL_INVALID' })
})

test('a folder without its files is a fault that names the file', async () => {
  const nowhere = join(folder, 'nowhere')
  await assert.rejects(openModel(nowhere), { code: 'MODEL_UNREADABLE', message: /nowhere/ })
})

const disagreements: readonly [
  string,
  (manifest: ReturnType<typeof JSON.parse>) => void,
  RegExp,
][] = [
  ['another digest', (m) => (m.sha256 = `0x${'1'.repeat(64)}`), /sha256: the model\.onnx beside/],
  ['another input', (m) => (m.input.tensor.name = 'x'), /takes float32 window, not float32 x/],
  ['another shape', (m) => (m.input.tensor.shape = ['n']), /the graph takes \[1, n\]/],
  ['another output', (m) => (m.outputs.score.tensor = 'y'), /outputs\.score: the graph gives/],
  ['too few outputs', (m) => (m.outputs.score.index = 4), /outputs\.score: score has 1 values/],
]

for (const [what, change, message] of disagreements) {
  test(`manifest and graph must agree: ${what}`, async () => {
    await assert.rejects(openModel(changed(change)), { code: 'MODEL_INVALID', message })
  })
}

test('what is not configured is not loaded: importing the rooms does not load ONNX Runtime', () => {
  const rooms = ['infer', 'model', 'manifest', 'window', 'engine'].map(
    (name) => new URL(`../../runtime/infer/${name}.ts`, import.meta.url).href,
  )
  const code = `
    for (const room of ${JSON.stringify(rooms)}) await import(room)
    const { report } = process
    console.log(report.getReport().sharedObjects.some((path) => path.includes('onnxruntime')))
  `
  const args = ['--input-type=module', '-e', code]
  assert.equal(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim(), 'false')
})

test('loading a model leaves nothing in the temporary folder and phones nobody', () => {
  const empty = mkdtempSync(join(tmpdir(), 'wayside-quiet-'))
  const source = `import { openModel } from ${JSON.stringify(
    new URL('../../runtime/infer/model.ts', import.meta.url).href,
  )}
    const { engine } = await openModel(${JSON.stringify(shipped)})
    await engine.run(new Float32Array(64), [1, 64])
    await engine.release()`
  const env = { ...process.env, TMPDIR: empty, ORT_DISABLE_TELEMETRY: '' }
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', source], { env })
  assert.equal(ran.status, 0, String(ran.stderr))
  assert.deepEqual(readdirSync(empty), [])
  rmSync(empty, { recursive: true })
})
