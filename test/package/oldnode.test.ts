/** Whoever comes with an old Node is told what is needed, in one line, before anything newer is met. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { bin } from '../commands/wayside.ts'

const oneLine = (version: string) =>
  `wayside needs Node 22.18 or newer and this is ${version}: install Node 24\n`

test('a Node that says it is 20 gets one line and exit code 2', () => {
  for (const version of ['20.20.2', '22.17.1', '18.0.0']) {
    const shim = `Object.defineProperty(process, 'versions', {
      value: { ...process.versions, node: '${version}' } })`
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(shim)}`]
    const { status, stdout, stderr } = run(process.execPath, [...flags, bin, '--version'])
    assert.deepEqual([status, stdout, stderr], [2, '', oneLine(version)])
  }
})

const old = oldNode()

test('a real Node before 22.18 gets one line and exit code 2', {
  skip: old === undefined && 'no Node before 22.18 is on the PATH',
}, () => {
  const { path = '', version = '' } = old ?? {}
  for (const args of [['--version'], ['run'], ['decode', 'nmea0183']]) {
    const { status, stdout, stderr } = run(path, [bin, ...args])
    assert.deepEqual([status, stdout, stderr], [2, '', oneLine(version)])
  }
})

function run(node: string, args: readonly string[]) {
  return spawnSync(node, args, { encoding: 'utf8' })
}

function oldNode(): { path: string; version: string } | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major < 22 || (major === 22 && minor < 18)) return { path, version }
  }
  return undefined
}
