/** The command line as a user meets it: bin/wayside.js in a process of its own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const bin = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))
export const root = fileURLToPath(new URL('../..', import.meta.url))

export type Ended = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command to its end; `node` are flags for Node itself. */
export function wayside(
  args: readonly string[],
  { input = '', node = [] }: { readonly input?: string; readonly node?: readonly string[] } = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, bin, ...args], {
    cwd: root,
    input,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

/** The commands that `wayside --help` lists. */
export function listed(): string[] {
  const [, list = ''] = wayside(['--help']).stdout.split('\nCommands:\n')
  const rows = (list.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z]+)/gm)
  return [...rows].map(([, name = '']) => name).filter((name) => name !== 'help')
}
