/**
 * A model folder, opened: model.json and model.onnx read, held against one another, and loaded.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '#crypto'
import { fault } from '../faults.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import { type Engine, openEngine, type TensorShape } from './engine.ts'
import { type Manifest, modelId, type Output, parseManifest } from './manifest.ts'

export type Model = {
  readonly manifest: Manifest
  /** What the stream's terms name: see `modelId`. */
  readonly id: Hex
  readonly engine: Engine
}

/**
 * Opens the model in `folder` for `provider`, or for the one that its manifest names.
 * Throws MODEL_UNREADABLE, MODEL_INVALID or MODEL_PROVIDER.
 */
export async function openModel(folder: string, provider?: string): Promise<Model> {
  const path = join(folder, 'model.json')
  const onnxPath = join(folder, 'model.onnx')
  const manifest = parseManifest((await readModelFile(path)).toString('utf8'), path)
  const bytes = await readModelFile(onnxPath)
  const found = hex(sha256(bytes))
  if (found !== manifest.sha256) {
    const what = `sha256: the model.onnx beside it is ${found}, not ${manifest.sha256}`
    throw fault('MODEL_INVALID', { path, what })
  }
  const engine = await openEngine({ path: onnxPath, bytes }, provider ?? manifest.provider)
  const what = mismatch(manifest, engine)
  if (what !== undefined) {
    await engine.release()
    throw fault('MODEL_INVALID', { path, what })
  }
  return { manifest, id: modelId(manifest, bytes), engine }
}

async function readModelFile(path: string): Promise<Buffer> {
  return await readFile(path).catch((cause: Error) => {
    throw fault('MODEL_UNREADABLE', { path, why: cause.message }, cause)
  })
}

/** Where the manifest and the graph disagree, as one sentence. */
function mismatch(manifest: Manifest, { input, outputs }: Engine): string | undefined {
  const { name, type, shape } = manifest.input.tensor
  if (input.name !== name || input.type !== type) {
    return `input.tensor: the graph takes ${input.type} ${input.name}, not ${type} ${name}`
  }
  const fits = shape.length === input.sizes.length && shape.every((size, i) => fit(size, input, i))
  if (!fits) return `input.tensor.shape: the graph takes [${input.sizes.join(', ')}]`
  for (const [field, from] of Object.entries(manifest.outputs)) {
    const tensor = outputs.find((output) => output.name === from.tensor)
    if (tensor === undefined || tensor.type !== 'float32') {
      const has = outputs.map((output) => `${output.type} ${output.name}`).join(', ')
      return `outputs.${field}: the graph gives ${has}, not float32 ${from.tensor}`
    }
    if (size(tensor) < least(from))
      return `outputs.${field}: ${from.tensor} has ${size(tensor)} values`
  }
  return undefined
}

function fit(size: number | 'n', { sizes }: TensorShape, at: number): boolean {
  const declared = sizes[at]
  return typeof declared === 'string' || size === declared
}

/** Values in a tensor; endless where a size varies (then a short answer is a doubt at run time). */
function size({ sizes }: TensorShape): number {
  return sizes.reduce<number>((all, n) => (typeof n === 'number' ? all * n : Infinity), 1)
}

function least(from: Output): number {
  return 'labels' in from ? from.labels.length : from.index + 1
}
