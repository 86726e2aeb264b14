#!/usr/bin/env node
// Plain JavaScript, so that an old Node can say what it needs before it meets newer syntax.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `wayside needs Node 22.18 or newer and this is ${process.versions.node}: install Node 24`,
  )
  process.exit(2)
}
const installed = new URL('../dist/main.js', import.meta.url)
const clone = new URL('../runtime/main.ts', import.meta.url)
const { existsSync } = await import('node:fs')
const main = [clone, installed].find((url) => existsSync(url))
if (main === undefined) {
  console.error('wayside: this package was packed without dist/; pack it with `npm run package`')
  process.exit(2)
}
// A device runs for months beside little else: a small young generation saves it some 45 MiB, and can only be
// chosen when Node starts. The process stays the same one, pid and all.
const small = '--max-semi-space-size=1'
if (process.argv[2] === 'run' && !process.execArgv.includes(small) && process.execve) {
  const { fileURLToPath } = await import('node:url')
  const self = fileURLToPath(import.meta.url)
  const flags = [...process.execArgv, small]
  process.execve(process.execPath, [process.execPath, ...flags, self, ...process.argv.slice(2)])
}
await import(main.href)
