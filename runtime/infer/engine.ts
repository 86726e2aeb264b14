/**
 * The one door to ONNX Runtime. It is imported when the first model is opened, and not before: a device
 * without a model pays nothing for it.
 *
 * A session is made for exactly one provider and never falls back to another: what is asked for runs, or
 * nothing does, and the fault says what there is. (Given a list, ONNX Runtime takes what works and tells
 * nobody; given one, it may still put single nodes on the CPU, hence disable_cpu_ep_fallback.)
 */
import { env as environment } from 'node:process'
import type { InferenceSession } from 'onnxruntime-node'
import { fault } from '../faults.ts'

export type Engine = {
  /** What really runs it: the provider that the session was made for, alone. */
  readonly provider: string
  readonly input: TensorShape
  readonly outputs: readonly TensorShape[]
  /** One inference: every output by its tensor's name. `dims` multiply to the data's length. */
  readonly run: (
    data: Float32Array,
    dims: readonly number[],
  ) => Promise<Readonly<Record<string, Float32Array>>>
  readonly release: () => Promise<void>
}

/** A tensor as the graph declares it; a text among the sizes is one that varies. */
export type TensorShape = {
  readonly name: string
  readonly type: string
  readonly sizes: readonly (number | string)[]
}

/**
 * Opens a model for one provider: `cpu`, or what `availableProviders` adds on this machine.
 * Throws MODEL_PROVIDER when that provider cannot run here, MODEL_INVALID when the file is no such model.
 */
export async function openEngine(
  model: { readonly path: string; readonly bytes: Uint8Array },
  provider: string,
): Promise<Engine> {
  const { InferenceSession, Tensor, env } = await runtime()
  env.logLevel = 'fatal'
  const available = await availableProviders()
  const facts = { path: model.path, asked: provider, available: available.join(', ') }
  if (!available.includes(provider)) {
    throw fault('MODEL_PROVIDER', { ...facts, why: 'this build has no such provider' })
  }
  const session = await InferenceSession.create(model.bytes, sessionOptions(provider)).catch(
    (cause: Error) => {
      const why = firstLine(cause)
      if (provider !== 'cpu') throw fault('MODEL_PROVIDER', { ...facts, why }, cause)
      throw fault('MODEL_INVALID', { path: model.path, what: why }, cause)
    },
  )
  const [input, second] = session.inputMetadata.map(tensorShape)
  if (input === undefined || second !== undefined) {
    await session.release()
    const what = `it takes ${session.inputNames.length} inputs; the runtime feeds one`
    throw fault('MODEL_INVALID', { path: model.path, what })
  }
  return {
    provider,
    input,
    outputs: session.outputMetadata.map(tensorShape),
    async run(data, dims) {
      const made = await session.run({ [input.name]: new Tensor('float32', data, dims) })
      const out: Record<string, Float32Array> = {}
      for (const [name, tensor] of Object.entries(made)) out[name] = tensor.data as Float32Array
      return out
    },
    release: () => session.release(),
  }
}

/** What this build of ONNX Runtime can be asked for; whether its libraries are there shows at opening. */
export async function availableProviders(): Promise<string[]> {
  const { listSupportedBackends } = await runtime()
  return listSupportedBackends().map(({ name }) => name)
}

/** One thread: the models are small, and the cores belong to the serial ports and the store. */
function sessionOptions(provider: string): InferenceSession.SessionOptions {
  const alone = provider === 'cpu' ? {} : { session: { disable_cpu_ep_fallback: '1' } }
  return {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    extra: alone,
  }
}

function tensorShape(metadata: InferenceSession.ValueMetadata): TensorShape {
  if (!metadata.isTensor) return { name: metadata.name, type: 'not a tensor', sizes: [] }
  return { name: metadata.name, type: metadata.type, sizes: metadata.shape }
}

function firstLine(cause: Error): string {
  return (cause.message.split('\n')[0] ?? '').slice(0, 300)
}

/**
 * ONNX Runtime, loaded once. Its own telemetry is off before its library is loaded, or it would keep
 * files of its own in the temporary folder and an address to send them to.
 */
async function runtime() {
  environment.ORT_DISABLE_TELEMETRY = '1'
  try {
    return await import('onnxruntime-node')
  } catch (cause) {
    throw fault('MODEL_RUNTIME', { why: firstLine(cause as Error) }, cause)
  }
}
