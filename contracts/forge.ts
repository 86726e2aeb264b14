/**
 * Runs forge from npm, offline, with the compiler from npm: `node forge.ts test`, `… fmt`, `… lint`.
 *
 * Forge is for writing contracts and is not needed to use them: there is no build of it for arm64 on the
 * registry, and the root's own tests do without.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, dirname } from 'node:path'
import { folder } from './sources.ts'

const child = spawn(forge(), process.argv.slice(2), {
  cwd: folder,
  stdio: 'inherit',
  // solc.ts is started by its first line: it must find the Node that runs this file.
  env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.once('exit', (code) => {
  process.exitCode = code ?? 1
})

function forge(): string {
  try {
    return createRequire(import.meta.url).resolve('@foundry-rs/forge-linux-amd64/bin/forge')
  } catch {
    process.stderr.write('there is no forge here: run npm ci in contracts/ on Linux x64\n')
    process.exit(2)
  }
}
