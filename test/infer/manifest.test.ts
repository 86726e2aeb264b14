import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../runtime/faults.ts'
import { inferenceFields, modelId, parseManifest } from '../../runtime/infer/manifest.ts'

const text = readFileSync(new URL('../../models/anomaly/model.json', import.meta.url), 'utf8')
const good = () => JSON.parse(text)

test('reads the manifest that ships, and lists the fields of its inferences', () => {
  const manifest = parseManifest(text, 'model.json')
  assert.deepEqual(inferenceFields(manifest), [
    { name: 'score', type: 'number', unit: '/' },
    { name: 'anomaly', type: 'boolean' },
    { name: 'provider', type: 'text' },
    { name: 'input', type: 'bytes' },
  ])
})

test('the id changes with the model and with every word of the manifest, not with its layout', () => {
  const manifest = parseManifest(text, 'model.json')
  const onnx = Uint8Array.of(1, 2, 3)
  const id = modelId(manifest, onnx)
  assert.match(id, /^0x[0-9a-f]{64}$/)
  assert.equal(modelId(parseManifest(JSON.stringify(good()), 'model.json'), onnx), id)
  assert.notEqual(modelId(manifest, Uint8Array.of(1, 2, 4)), id)
  assert.notEqual(modelId({ ...manifest, version: '9.9.9' }, onnx), id)
})

const wrong: readonly [string, (manifest: ReturnType<typeof good>) => void, RegExp][] = [
  ['a version that is none', (m) => (m.version = '1'), /version: three numbers/],
  ['a unit that nobody knows', (m) => (m.outputs.score.unit = 'furlong'), /outputs\.score/],
  ['least over most', (m) => (m.input.least = 300), /input\.least: 300 is over most, 256/],
  ['a shape that does not hold it', (m) => (m.input.tensor.shape = [1, 2, 'n']), /shape: beside n/],
  ['a fixed shape of another size', (m) => (m.input.tensor.shape = [1, 9]), /holds 9 values/],
  ['an output named as ours', (m) => (m.outputs.input = m.outputs.score), /already has that field/],
  ['no outputs', (m) => (m.outputs = {}), /outputs: one output/],
  ['a word that means nothing', (m) => (m.treshold = 3), /treshold/],
]

for (const [what, spoil, says] of wrong) {
  test(`names the place and the rule: ${what}`, () => {
    const manifest = good()
    spoil(manifest)
    assert.throws(() => parseManifest(JSON.stringify(manifest), 'm.json'), {
      code: 'MODEL_INVALID',
      message: says,
    })
  })
}

test('whatever the file holds, it is read or refused with our own fault', () => {
  const spoilt = fc
    .tuple(fc.nat(text.length - 1), fc.string({ maxLength: 4 }), fc.nat(40))
    .map(([from, put, size]) => text.slice(0, from) + put + text.slice(from + size))
  const nested = fc.nat(60_000).map((depth) => '['.repeat(depth))
  const swapped = fc
    .tuple(fc.constantFrom(...Object.keys(good())), fc.jsonValue())
    .map(([key, value]) => JSON.stringify({ ...good(), [key]: value }))
  const deepCard = fc
    .nat(30_000)
    .map((n) => text.replace('"card":', `"card": {"x": ${'['.repeat(n)}${']'.repeat(n)}}, "y":`))
  const any = fc.oneof(spoilt, swapped, nested, deepCard, fc.json(), fc.string())
  fc.assert(
    fc.property(any, (document) => {
      try {
        parseManifest(document, 'model.json')
      } catch (thrown) {
        assert.ok(thrown instanceof Fault && thrown.code === 'MODEL_INVALID', String(thrown))
      }
    }),
    { numRuns: 600 },
  )
})

test('a manifest past its size is refused unread', () => {
  assert.throws(() => parseManifest(' '.repeat(65_537), 'm.json'), { code: 'MODEL_INVALID' })
})
