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
  /** True from a call that found no room until one that writes has found some. */
  isFull(): boolean
  /** Calls `tell` whenever a call finds no room. */
  onFull(tell: () => void): void
  /** From now on no call waits for room: it fails with STORE_FULL. */
  hurry(): void
  /** Ends the worker after what was asked before; later calls are faults. */
  close(): Promise<void>
}

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
 * A call that finds the disk full waits until there is room; only `commit` and `evictable` fail at once with
 * STORE_FULL, since their callers make room.
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

/** Asks again what found no room, and remembers whether there is some. */
function patient(ask: Ask, retryMs: number) {
  const hurried = new AbortController()
  let full = false
  let tell = () => {}

  const once = async (name: string, args: readonly unknown[]) => {
    try {
      const result = await ask(name, args)
      if (writes.has(name)) full = false
      return { result }
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.code !== 'STORE_FULL') throw cause
      full = true
      tell()
      if (hasty.has(name) || hurried.signal.aborted) throw cause
      return undefined
    }
  }

  return {
    isFull: () => full,
    onFull(next: () => void): void {
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

/** Their callers make room themselves. */
const hasty: ReadonlySet<string> = new Set(['commit', 'evictable'] satisfies (keyof Tables)[])
/** When one of these went well, there is room. */
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
