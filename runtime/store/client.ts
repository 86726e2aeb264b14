/**
 * The store as the rooms see it: every method of the tables, returning a promise. The tables run in a
 * worker, because an fsync on a card can take 300 ms and must not falsify a time stamp.
 */
import { Worker } from 'node:worker_threads'
import { armedFailpoints } from '../disk/failpoint.ts'
import { type Facts, Fault, type FaultCode, fault, faults } from '../faults.ts'
import { pause } from '../time/pause.ts'
import type { Tables } from './tables.ts'
import { parcel } from './transfer.ts'

type Calls = {
  readonly [Name in keyof Tables]: (
    ...args: Parameters<Tables[Name]>
  ) => Promise<ReturnType<Tables[Name]>>
}

export type Store = Calls & {
  /** What ails the disk, from a call that it refused until one that it took. */
  ails(): Ailment | undefined
  /** Calls `tell` whenever the disk refuses a call. */
  onRefused(tell: (ailment: Ailment) => void): void
  /** From now on no call waits for the disk: it fails with STORE_FULL or DISK_FAILING. */
  hurry(): void
  /** Ends the worker after what was asked before; later calls are faults. */
  close(): Promise<void>
}

/** It has no room, or does not take what is written; with what SQLite said. */
export type Ailment = { readonly kind: 'full' | 'failing'; readonly why: string }

export type StoreOptions = {
  readonly path: string
  /** For tests: how long every durable commit holds the worker, as a slow card would. */
  readonly commitHoldMs?: number
  /** For tests: the file holds no more pages of 1 KiB than this. */
  readonly pagesMax?: number
  /** How long to wait before what found no room is tried again. Default 1 s. */
  readonly fullRetryMs?: number
}

/** What the worker is told at its start. */
export type WorkerOptions = StoreOptions & { readonly failpoints: string }
export type Call = { readonly id: number; readonly name: string; readonly args: readonly unknown[] }
export type Trouble = {
  readonly code?: FaultCode
  readonly facts: Facts
}
export type Reply = { readonly id: number; readonly result?: unknown; readonly trouble?: Trouble }

/**
 * Opens the store at `path` (one file and its WAL). Throws STORE_UNREADABLE, STORE_NEWER.
 *
 * A call that the disk refuses, full or failing, waits until it is taken; only `commit` and `evictable` fail
 * at once with STORE_FULL or DISK_FAILING, since their callers make room.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const workerData: WorkerOptions = { ...options, failpoints: armedFailpoints() }
  const worker = new Worker(workerUrl(), { workerData })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(cause: unknown): void }>()
  let ended: unknown
  let lastId = 0

  const end = (cause: unknown) => {
    ended ??= cause
    for (const call of waiting.values()) call.reject(ended)
    waiting.clear()
  }
  worker.on('message', ({ id, result, trouble }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (trouble === undefined) call?.resolve(result)
    else call?.reject(faultOf(trouble, options.path))
  })
  worker.on('error', (cause) => end(storeFault(options.path, cause.message, cause)))
  worker.on('exit', () => end(storeFault(options.path, 'it is closed')))

  const ask = (name: string, args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      if (ended !== undefined) return reject(ended)
      lastId += 1
      waiting.set(lastId, { resolve, reject })
      const { value, buffer } = parcel(args)
      const call: Call = { id: lastId, name, args: value as readonly unknown[] }
      worker.postMessage(call, [buffer])
    })

  // The tables' names are known to the worker only; it answers the first call with them.
  const names = (await ask('open', []).catch(async (cause) => {
    await worker.terminate()
    throw cause
  })) as readonly string[]
  const { call, ...patience } = patient(ask, options.fullRetryMs ?? fullRetryMs)
  const calls = names.map((name) => [name, (...args: unknown[]) => call(name, args)])
  const close = async () => {
    patience.hurry()
    await closed(worker, ask)
  }
  return { ...(Object.fromEntries(calls) as Calls), ...patience, close }
}

type Ask = (name: string, args: readonly unknown[]) => Promise<unknown>

/** Asks again what the disk refused, and remembers what ails it. */
function patient(ask: Ask, retryMs: number) {
  const hurried = new AbortController()
  let ailment: Ailment | undefined
  let tell: (ailment: Ailment) => void = () => {}

  const once = async (name: string, args: readonly unknown[]) => {
    try {
      const result = await ask(name, args)
      if (writes.has(name)) ailment = undefined
      return { result }
    } catch (cause) {
      const kind = cause instanceof Fault ? refusedBy[cause.code] : undefined
      if (kind === undefined) throw cause
      ailment = { kind, why: String((cause as Fault).facts.why) }
      tell(ailment)
      if (hasty.has(name) || hurried.signal.aborted) throw cause
      return undefined
    }
  }

  return {
    ails: () => ailment,
    onRefused(next: (ailment: Ailment) => void): void {
      tell = next
    },
    hurry: () => hurried.abort(),
    async call(name: string, args: readonly unknown[]): Promise<unknown> {
      for (;;) {
        const done = await once(name, args)
        if (done !== undefined) return done.result
        await pause(retryMs, hurried.signal)
      }
    },
  }
}

const refusedBy: Readonly<Partial<Record<FaultCode, Ailment['kind']>>> = {
  STORE_FULL: 'full',
  DISK_FAILING: 'failing',
}
/** Their callers make room themselves. */
const hasty: ReadonlySet<string> = new Set(['commit', 'evictable'] satisfies (keyof Tables)[])
/** When one of these went well, so does the disk. */
const writes: ReadonlySet<string> = new Set([
  'commit',
  'saleCommit',
  'setRetained',
] satisfies (keyof Tables)[])
const fullRetryMs = 1_000

async function closed(worker: Worker, ask: Ask) {
  await ask('close', [])
  await worker.terminate()
}

/** In a clone the worker is TypeScript beside this file; in the package it is a bundle of its own. */
function workerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './store-worker.js'
  return new URL(name, import.meta.url)
}

function faultOf({ code, facts }: Trouble, path: string) {
  const known = code !== undefined && Object.hasOwn(faults, code)
  return known ? fault(code, facts) : storeFault(path, String(facts.why))
}

function storeFault(path: string, why: string, cause?: unknown) {
  return fault('STORE_FAILED', { path, why }, cause)
}
