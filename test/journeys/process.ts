/** One command as a process, as its user starts, hears and ends it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Ends } from '../../demo/ends.ts'

/** A line of standard output that is JSON. */
export type Said = Readonly<Record<string, unknown>>

export type Running = {
  /** Whole lines of standard output so far, as they are. */
  rows(): readonly string[]
  /** Those of them that are JSON. */
  said(): readonly Said[]
  words(): string
  /** All that it has said, for whoever looks for what went wrong. */
  all(): string
  /** Resolves with the first line, past or future, that fits; rejects when the process ends without. */
  says(fits: (said: Said) => boolean): Promise<Said>
  /** Resolves when so many whole lines stand there. */
  heard(rows: number): Promise<void>
  /** Resolves when standard error has such words. */
  tells(words: RegExp): Promise<void>
  signal(name: NodeJS.Signals): void
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

const wayside = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))
/** A machine that is busy is given its time. */
const patienceMs = 60_000

export function start(end: Ends, args: readonly string[], more: NodeJS.ProcessEnv = {}): Running {
  const env = { ...process.env, ...more }
  const child = spawn(execPath, [wayside, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  let [out, err] = ['', '']
  const looks = new Set<() => void>()
  const look = () => {
    for (const one of looks) one()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    look()
  })
  let over = false
  const ended = once(child, 'close').then(([code]) => {
    over = true
    look()
    return code as number | null
  })
  end.add(() => stop(child, ended))

  function when<T>(found: () => T | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const fail = (why: string) =>
      reject(new Error(`wayside ${args[0]} ${why} ${what}:\n${out.slice(-2_000)}\n${err}`))
    const timer = setTimeout(() => fail('took too long until'), patienceMs)
    const once = () => {
      const value = found()
      if (value !== undefined) resolve(value)
      else if (over) fail('ended before')
    }
    looks.add(once)
    once()
    return promise.finally(() => {
      clearTimeout(timer)
      looks.delete(once)
    })
  }

  const rows = () => out.split('\n').slice(0, -1)
  const said = () => rows().flatMap<Said>((row) => json(row) ?? [])
  return {
    rows,
    said,
    words: () => err,
    all: () => `$ wayside ${args.join(' ')}\n${out}\n${err}`,
    says: (fits) => when(() => said().find(fits), `it said ${fits}`),
    heard: async (count) => {
      await when(() => rows().length >= count || undefined, `${count} lines`)
    },
    tells: async (words) => {
      await when(() => words.test(err) || undefined, `it told ${words}`)
    },
    signal: (name) => void child.kill(name),
    ended,
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await ended
}

function json(row: string): Said | undefined {
  if (!row.startsWith('{')) return undefined
  try {
    return JSON.parse(row) as Said
  } catch {
    return undefined
  }
}
