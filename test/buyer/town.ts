/** A street whose broker is reached by its port, and the `wayside buy` that buys there. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Aedes } from 'aedes'
import { openBroker } from '../../runtime/link/broker.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { secretOf } from '../wire/sample.ts'
import { openStreet } from './street.ts'

/** `books` is where the buyer keeps its own; a folder of the street when there is none. */
export async function openTown(t: TestContext, books?: string) {
  const aedes = await Aedes.createBroker()
  const server = createServer(aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const url = `mqtt://127.0.0.1:${port}`
  const line = openBroker({ url, clientId: 'street' })
  await line.ready()
  const street = await openStreet(t, { broker: line })
  t.after(async () => {
    await line.close()
    server.close()
    await new Promise<void>((done) => aedes.close(done))
  })
  const key = join(street.folder, 'buyer.key')
  await writeFile(key, hex(secretOf('buyer')), { mode: 0o600 })
  const folder = books ?? join(street.folder, 'books')
  const base = ['buy', '--broker', url, '--key', key, '--folder', folder, '--budget', '1']
  return { street, base, folder: street.folder }
}
