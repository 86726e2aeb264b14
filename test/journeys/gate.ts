/** A line to the broker that a test can hang or cut. */
import { connect, createServer, type Socket } from 'node:net'

export type Gate = {
  readonly url: string
  /** Open, but nothing passes any more, in either direction. */
  hang(): void
  /** Closed: what is open falls, and nobody gets in. */
  cut(): void
  /** As it was. Lines that hung pass on what they held. */
  open(): void
  stop(): Promise<void>
}

/** Leads to `url` (mqtt://host:port), or to where that stands by now, from a port of its own. */
export async function startGate(url: string | (() => string)): Promise<Gate> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: 'open' | 'hung' | 'cut' = 'open'

  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy()
    const { hostname, port } = new URL(typeof url === 'string' ? url : url())
    const far = connect(Number(port), hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('error', () => {})
      from.on('data', (part) => void to.write(part))
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
      if (state === 'hung') from.pause()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: bound } = server.address() as { port: number }
  const each = (act: (socket: Socket) => void) => {
    for (const pair of pairs) for (const socket of pair) act(socket)
  }

  return {
    url: `mqtt://127.0.0.1:${bound}`,
    hang() {
      state = 'hung'
      each((socket) => void socket.pause())
    },
    cut() {
      state = 'cut'
      each((socket) => void socket.destroy())
    },
    open() {
      state = 'open'
      each((socket) => void socket.resume())
    },
    async stop() {
      each((socket) => void socket.destroy())
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
