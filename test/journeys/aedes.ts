/** aedes in this process, behind a gate: a broker that can hang, vanish and come back with nothing. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { Ends } from '../../demo/ends.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { topics } from '../../runtime/wire/topic.ts'
import type { StreetBroker } from './brokers.ts'
import { startGate } from './gate.ts'
import { type Asked, narrowHooks, nothingAsked, watchPackets } from './narrow.ts'

/** It keeps nothing over a stop, and lets everybody do everything, within the limits of narrow.ts if so told. */
export async function startAedes(end: Ends, narrow: boolean): Promise<StreetBroker> {
  const [deaf, forbidden] = [new Set<string>(), new Set<string>()]
  const asked = narrow ? nothingAsked() : undefined
  const rules = { deaf, forbidden, asked }
  let host = await listen(rules)
  end.add(() => host.stop())
  const gate = await startGate(() => `mqtt://127.0.0.1:${host.port}`)
  end.add(gate.stop)
  return {
    flavour: 'aedes',
    ...(asked === undefined ? {} : { asked }),
    url: gate.url,
    line: async () => ({ url: gate.url }),
    deafen(device: Address, now: boolean) {
      const { grant, ack, enrolment } = topics(device)
      for (const topic of [grant, ack, enrolment]) {
        if (now) deaf.add(topic)
        else deaf.delete(topic)
      }
    },
    forbid: (_device, topic) => void forbidden.add(topic),
    freeze: gate.hang,
    thaw: gate.open,
    cut: gate.cut,
    mend: gate.open,
    async stop() {
      gate.cut()
      await host.stop()
    },
    async start() {
      // Not where it stood: while it was away, any connection could get that port.
      host = await listen(rules)
      gate.open()
    },
  }
}

type Rules = {
  /** Topics that nobody hears, and that nobody may write. */
  readonly deaf: ReadonlySet<string>
  readonly forbidden: ReadonlySet<string>
  readonly asked: Asked | undefined
}

async function listen({ deaf, forbidden, asked }: Rules) {
  const hooks = asked === undefined ? undefined : narrowHooks(asked)
  const aedes = await Aedes.createBroker({
    ...hooks,
    authorizePublish(client, packet, done) {
      if (forbidden.has(packet.topic)) done(new Error('forbidden'))
      else if (hooks === undefined) done(null)
      else hooks.authorizePublish(client, packet, done)
    },
    authorizeForward: (_client, packet) => (deaf.has(packet.topic) ? null : packet),
  })
  if (asked !== undefined) watchPackets(aedes, asked)
  const server: Server = createServer({ noDelay: true }, aedes.handle)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
    // One that never said CONNECT is not aedes' own, and would be waited for.
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}
