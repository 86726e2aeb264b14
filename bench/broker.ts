/** The broker of a bench, in a thread of its own, so that its work is not charged to the device. */
import { createServer } from 'node:net'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Aedes } from 'aedes'

export type BenchBroker = { readonly url: string; close(): Promise<void> }

/** An aedes on 127.0.0.1, on a port that is free. */
export async function startBroker(): Promise<BenchBroker> {
  const worker = new Worker(new URL(import.meta.url))
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  return { url: `mqtt://127.0.0.1:${port}`, close: async () => void (await worker.terminate()) }
}

if (!isMainThread) {
  const aedes = await Aedes.createBroker()
  const server = createServer({ noDelay: true }, aedes.handle)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    parentPort?.postMessage(typeof address === 'object' ? address?.port : undefined)
  })
}
