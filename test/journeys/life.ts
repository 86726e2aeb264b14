/** One life of the device: a real process from its start to its end, watched. */
import { type Said, wayside } from '../../demo/cast.ts'
import type { Stage } from './setting.ts'
import type { Witness } from './witness.ts'

export type LastWords = {
  readonly code: number
  /** Answers of /metrics in this life. */
  readonly answers: number
  /** What the store still had for the broker. */
  readonly unsent: number
  /** Of its last health document. */
  readonly sale: { readonly promised: string; readonly delivered: string }
}

export async function live({ world, end }: Stage, witness: Witness) {
  const { told, at, dead } = witness.born()
  const hear = (said: Said) => {
    if (said.event === 'watching') at(String(said.url))
    if (said.event === 'stored') told(String(said.stream), Number(said.count))
  }
  const player = wayside({ name: 'device', args: ['run', world.files.device], hear })
  end.add(player.stop)
  return {
    heard: (event: string) => player.heard((said) => said.event === event, event),
    running: () => player.heard(({ event }) => event === 'running', 'it ran'),
    signal: (name: 'SIGTERM' | 'SIGINT') => process.kill(player.pid, name),
    /** The exit code, and how long it took from now, ms. */
    async ended() {
      const fromMs = performance.now()
      const code = await player.ended
      await dead()
      return { code, ms: performance.now() - fromMs }
    },
    async kill() {
      process.kill(player.pid, 'SIGKILL')
      const code = await player.ended
      if (code !== 137) throw new Error(`the device ended by itself with ${code}`)
      return dead()
    },
    async stop(): Promise<LastWords> {
      const code = await player.stop()
      const answers = await dead()
      const { unsent } = await player.heard(({ event }) => event === 'stopped', 'it stopped')
      const last = await player.heard(({ event }) => event === 'summary', 'it counted')
      return { code, answers, unsent: Number(unsent), sale: last.sale as LastWords['sale'] }
    },
  }
}
