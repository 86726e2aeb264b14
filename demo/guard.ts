/**
 * Starts a process that ends when we end, however we end.
 *
 * Beside it sits a shell that reads a pipe of ours: when we are gone, even killed, the read ends and the
 * process gets its SIGTERM. A group of its own keeps Ctrl-C for us, who may still have to settle.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'

export type Guarded = {
  readonly child: ChildProcess
  readonly input: Writable
  readonly output: Readable
  readonly errors: Readable
  /** The exit code once it has ended and everything it said was read; 128 and the number for a signal. */
  readonly ended: Promise<number>
  over(): boolean
  /** SIGTERM. */
  end(): void
  /** SIGKILL. */
  kill(): void
}

// After `exec` the shell is the process itself, and what it had put in the background is the guard.
const script = '(read -r _ <&3; kill $$) </dev/null >/dev/null 2>&1 & exec "$@" 3<&-'

/** `env` is beside what we have ourselves. */
export function startGuarded(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Guarded {
  const child = spawn('sh', ['-c', script, 'guard', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  })
  const { stdin: input, stdout: output, stderr: errors } = child
  const leash = child.stdio[3] as Writable
  // A pipe to somebody who has just ended is no fault of ours.
  for (const pipe of [input, leash]) pipe.on('error', () => {})
  // The guard is all that is left of the group then, and nobody else can have its number before.
  const dismiss = () => signalGroup(child)
  let over = false
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', dismiss)
    child.once('close', (code, signal) => {
      over = true
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL'])
    })
  })
  ended.catch(() => {})
  return {
    child,
    input,
    output,
    errors,
    ended,
    over: () => over,
    end: () => void child.kill('SIGTERM'),
    kill: () => {
      if (child.exitCode === null && child.signalCode === null) signalGroup(child)
    },
  }
}

function signalGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended in this moment.
  }
}
