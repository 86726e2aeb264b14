/**
 * A bad radio between everybody and their broker. TCP cannot lose bytes and live, so loss is what the
 * field makes of it: delays, stalls, a narrow line, connections that are reset in the middle of a message,
 * and lines of which one end is gone and the other does not know.
 */
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from './chance.ts'

export type Loss = {
  /** Where the broker is found through it. */
  readonly url: string
  readonly seed: number
  /** From now on it passes everything at once; lines that are half open fall. */
  calm(): void
  counts(): Readonly<Record<'lines' | 'resets' | 'halfOpen' | 'stalls', number>>
  stop(): Promise<void>
}

/** Each line draws its life from these; ms, and bytes per ms. */
const lifeMs = { min: 15_000, max: 75_000 }
const bytesPerMs = { min: 32, max: 256 }
const delayMaxMs = 60
const stallChance = 0.01
const stallMaxMs = 2_500
const halfOpenChance = 0.25
const halfOpenMs = 8_000

/** Leads to `url` (any scheme over TCP) from a port of its own. */
export async function startLoss(url: string, dice: Chance): Promise<Loss> {
  const { hostname, port } = new URL(url)
  const counts = { lines: 0, resets: 0, halfOpen: 0, stalls: 0 }
  const quiet = new AbortController()
  const sockets = new Set<Socket>()
  const between = ({ min, max }: { readonly min: number; readonly max: number }) =>
    min + dice.below(max - min)

  /** Passes on in order what comes, each piece in its time. */
  function pass(from: Socket, to: Socket, rate: number): void {
    let dueMs = 0
    let last = Promise.resolve()
    from.on('data', (piece) => {
      const now = performance.now()
      const stalls = dice.below(1) < stallChance
      if (stalls && !quiet.signal.aborted) counts.stalls += 1
      const lateMs = dice.below(stalls ? stallMaxMs : delayMaxMs)
      dueMs = Math.max(dueMs, now + lateMs) + piece.length / rate
      const waitMs = dueMs - now
      last = last.then(async () => {
        // Cut short by the calm, which is no failure.
        await sleep(Math.max(0, waitMs - (performance.now() - now)), undefined, quiet).catch(
          () => {},
        )
        if (!to.destroyed) to.write(piece)
      })
    })
    // Who takes leave in order is heard to the end.
    from.on('close', () => void last.then(() => to.end()))
  }

  async function live(near: Socket, far: Socket, forMs: number, halfOpen: boolean) {
    const over = new AbortController()
    for (const socket of [near, far]) socket.once('close', () => over.abort())
    const signal = AbortSignal.any([over.signal, quiet.signal])
    await sleep(forMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    if (halfOpen) {
      counts.halfOpen += 1
      near.removeAllListeners('data').on('data', () => {})
      far.removeAllListeners('close').destroy()
      await sleep(halfOpenMs, undefined, quiet).catch(() => {})
    } else counts.resets += 1
    far.destroy()
    near.resetAndDestroy()
  }

  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    counts.lines += 1
    const rate = between(bytesPerMs)
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from))
      pass(from, to, rate)
    }
    void live(near, far, between(lifeMs), dice.below(1) < halfOpenChance)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: bound } = server.address() as { port: number }
  return {
    url: url.replace(`:${port}`, `:${bound}`),
    seed: dice.seed,
    calm: () => quiet.abort(),
    counts: () => counts,
    async stop() {
      quiet.abort()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
