/**
 * The demo's processes: each is the product's own command, started as a person would start it, and spoken
 * to only as a person could. Whatever ends the demo ends them too.
 */
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Ends } from './ends.ts'
import { type Guarded, startGuarded } from './guard.ts'

/** One line that a process said, when it is JSON. */
export type Said = Readonly<Record<string, unknown>>

export type Player = {
  readonly name: string
  readonly pid: number
  /** Resolves with the first line, past or future, that the test accepts; rejects when the process ends. */
  heard(test: (said: Said) => boolean, what: string): Promise<Said>
  write(line: string): void
  /** SIGTERM, then the exit code; SIGKILL for one that does not end in time. */
  stop(withinMs?: number): Promise<number>
  /** SIGKILL. */
  kill(): void
  /** The exit code, once it has ended by itself. */
  readonly ended: Promise<number>
}

export type Play = {
  readonly name: string
  readonly args: readonly string[]
  /** Beside the environment that we have ourselves. */
  readonly env?: Readonly<Record<string, string>>
  /** Every JSON line of standard output and standard error, as it comes. */
  hear?(said: Said): void
}

/** Everybody on the stage: whoever is still there when the demo ends is sent home. */
export type Cast = {
  /** Starts `wayside <args>`. */
  wayside(play: Play): Player
  /** Starts a script of the demo with this Node. */
  script(play: Play): Player
}

const bin = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const endWithinMs = 20_000

/** Who leaves before the end does so without ceremony. */
const leaveWithinMs = 3_000

/** `folder` is where they may leave their temporary files. */
export async function openCast(end: Ends, folder: string): Promise<Cast> {
  // ONNX Runtime tells its maker of every session, and notes that at home, unless it is told not to.
  const env = { TMPDIR: folder }
  const players: Player[] = []
  await end.add(
    () => Promise.all(players.map((player) => player.stop(leaveWithinMs))),
    () => {
      for (const player of players) player.kill()
    },
  )
  const enter = (player: Player) => {
    players.push(player)
    return player
  }
  return {
    wayside: (play) => enter(wayside({ env, ...play })),
    script: (play) => enter(start({ env, ...play })),
  }
}

/** Starts `wayside <args>`. */
export function wayside({ args, ...play }: Play): Player {
  return start({ ...play, args: [bin, ...args] })
}

/** Starts a script of the demo with this Node. */
export function start({ name, args, env, hear = () => {} }: Play): Player {
  const guarded = startGuarded(process.execPath, args, env)
  const lines: Said[] = []
  const words: string[] = []
  const waiting = new Set<() => void>()
  const lookAll = () => {
    for (const look of waiting) look()
  }
  for (const stream of [guarded.output, guarded.errors]) {
    createInterface({ input: stream }).on('line', (line) => {
      const said = json(line)
      if (said === undefined) {
        words.push(line)
        return
      }
      lines.push(said)
      hear(said)
      lookAll()
    })
  }
  guarded.ended.then(lookAll, lookAll)
  return {
    name,
    pid: guarded.child.pid ?? 0,
    ended: guarded.ended,
    write: (line) => guarded.input.write(`${line}\n`),
    heard: (test, what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(test)
          if (found === undefined && !guarded.over()) return
          waiting.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`the ${name} ended before ${what}:\n${lastWords(words, lines)}`))
        }
        waiting.add(look)
        look()
      }),
    stop: (withinMs = endWithinMs) => stop(guarded, withinMs),
    kill: guarded.kill,
  }
}

async function stop(guarded: Guarded, withinMs: number): Promise<number> {
  guarded.input.end()
  guarded.end()
  const timer = setTimeout(guarded.kill, withinMs)
  try {
    return await guarded.ended
  } finally {
    clearTimeout(timer)
  }
}

/** What a process said at last: in words, or failing that as it came. */
function lastWords(words: readonly string[], lines: readonly Said[]): string {
  return (words.length > 0 ? words : lines.map((said) => JSON.stringify(said)))
    .slice(-12)
    .join('\n')
}

function json(line: string): Said | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}
