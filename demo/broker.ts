/** The demo's MQTT broker: aedes, in this process, on a free port. Production takes any MQTT broker. */
import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'

export type DemoBroker = { readonly url: string; stop(): Promise<void> }

export async function startBroker(): Promise<DemoBroker> {
  const broker = await Aedes.createBroker()
  const server = createServer(broker.handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
