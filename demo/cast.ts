/**
 * The demo's processes: each is the product's own command, started as a person would start it, and spoken
 * to only as a person could. Whatever ends the demo ends them too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** One line that a process said, when it is JSON. */
export type Said = Readonly<Record<string, unknown>>

export type Player = {
  readonly name: string
  readonly pid: number
  /** Resolves with the first line, past or future, that the test accepts; rejects when the process ends. */
  heard(test: (said: Said) => boolean, what: string): Promise<Said>
  write(line: string): void
  /** SIGTERM, then the exit code; SIGKILL for one that does not end in time. */
  stop(): Promise<number>
  /** The exit code, once it has ended by itself. */
  readonly ended: Promise<number>
}

export type Play = {
  readonly name: string
  readonly args: readonly string[]
  /** Every JSON line of standard output and standard error, as it comes. */
  hear(said: Said): void
}

const bin = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const endWithinMs = 20_000

/** Starts `wayside <args>`. */
export function wayside({ name, args, hear }: Play): Player {
  return start({ name, args: [bin, ...args], hear })
}

/** Starts a script of the demo with this Node. */
export function start({ name, args, hear }: Play): Player {
  // A group of its own keeps Ctrl-C for the demo, who ends its cast in order.
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const lines: Said[] = []
  const words: string[] = []
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      const said = json(line)
      if (said === undefined) {
        words.push(line)
        return
      }
      lines.push(said)
      hear(said)
      for (const look of waiting) look()
    })
  }
  child.stdin.on('error', () => {})
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? (signal === 'SIGTERM' ? 143 : 137))
      for (const look of waiting) look()
    })
  })
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    write: (line) => child.stdin.write(`${line}\n`),
    heard: (test, what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(test)
          const over = child.exitCode !== null || child.signalCode !== null
          if (found === undefined && !over) return
          waiting.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`${name} ended before ${what}:\n${words.slice(-12).join('\n')}`))
        }
        waiting.add(look)
        look()
      }),
    stop: () => stop(child, ended),
  }
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return ended
  child.stdin?.end()
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs)
  try {
    return await ended
  } finally {
    clearTimeout(timer)
  }
}

function json(line: string): Said | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}
