/**
 * The worker that owns the device's database: it answers one call after the other, in the order asked.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { armFailpoints } from '../disk/failpoint.ts'
import { Fault, whyOf } from '../faults.ts'
import type { Call, Reply, Trouble, WorkerOptions } from './client.ts'
import { openTables } from './tables.ts'
import { parcel } from './transfer.ts'

const { path, failpoints, commitHoldMs = 0, pagesMax } = workerData as WorkerOptions
armFailpoints(failpoints)

let opened: ReturnType<typeof openTables> | undefined

parentPort?.on('message', ({ id, name, args }: Call) => {
  try {
    const { value, buffer } = parcel(answer(name, args))
    const reply: Reply = { id, result: value }
    parentPort?.postMessage(reply, [buffer])
  } catch (cause) {
    const reply: Reply = { id, trouble: trouble(cause) }
    parentPort?.postMessage(reply)
  }
})

function answer(name: string, args: readonly unknown[]): unknown {
  if (name === 'open') {
    opened = openTables(path, { commitHoldMs, ...(pagesMax === undefined ? {} : { pagesMax }) })
    return Object.keys(opened.tables)
  }
  if (name === 'close') return opened?.close()
  const method = opened?.tables[name as keyof typeof opened.tables] as
    | ((...args: readonly unknown[]) => unknown)
    | undefined
  if (method === undefined) throw new Error(`the store has no ${name}`)
  return method(...args)
}

/** An Error does not survive the way to the other thread whole; its code and sentence do. */
function trouble(cause: unknown): Trouble {
  if (cause instanceof Fault) return { code: cause.code, facts: cause.facts }
  const why = whyOf(cause)
  const sqlite = (cause as { code?: string }).code
  const facts = { path, why: sqlite === undefined ? why : `${why} (${sqlite})` }
  const ailing = opened?.ails(cause)
  if (ailing === undefined) return { facts }
  return { code: ailing === 'full' ? 'STORE_FULL' : 'DISK_FAILING', facts }
}
