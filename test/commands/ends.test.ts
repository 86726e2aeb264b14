/** How commands end when the machine refuses them: in words and with a code, never as a bug. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bin, root } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-ends-'))
chmodSync(folder, 0o755)
after(() => {
  chmodSync(join(folder, 'locked'), 0o755)
  rmSync(folder, { recursive: true })
})
mkdirSync(join(folder, 'locked'), { mode: 0o555 })

/** Somebody who is not root, for whom a folder can be closed. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

function asUser(args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
    ...{ ...user, cwd: root, encoding: 'utf8', timeout: 60_000 },
  })
  return { status, stderr }
}

const owner = `"0x${'11'.repeat(20)}"`
function config(name: string, data: string): string {
  const path = join(folder, name)
  const text = `folder: ${data}
broker: { url: "mqtt://127.0.0.1:9" }
operator: ${owner}
gateway: ${owner}
receiver: ${owner}
watch: { port: 0 }
`
  writeFileSync(path, text)
  return path
}

test('a folder that cannot be made or written is said, with its path', () => {
  for (const data of ['locked', 'locked/data']) {
    const { status, stderr } = asUser(['run', config('closed.yaml', data)])
    assert.match(
      stderr,
      /cannot write .*locked.*(EACCES|unable to open).*\n.*\[FILE_UNWRITTEN\]/,
      data,
    )
    assert.equal(status, 2)
  }
})

test('a key that belongs to somebody else is said, with its path', () => {
  const key = join(folder, 'locked.key')
  writeFileSync(key, `0x${'01'.repeat(32)}`, { mode: 0o600 })
  if (user.uid === undefined) chmodSync(key, 0)
  const flags = ['--broker', 'mqtt://127.0.0.1:9', '--key', key]
  const { status, stderr } = asUser(['buy', ...flags])
  assert.match(stderr, /cannot use the key file .*locked\.key: EACCES/)
  assert.equal(status, 2)
})

test('standard output on a full disk is a fault', { skip: noFull() }, () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [bin, 'drivers'], {
    ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', full, 'pipe'] },
  })
  assert.match(stderr, /cannot write standard output: ENOSPC.*\n.*\[FILE_UNWRITTEN\]/)
  assert.equal(status, 2)
})

function noFull() {
  return existsSync('/dev/full') ? false : 'no /dev/full on this machine'
}

test('a broker that is none is told at once, and not after a wait', () => {
  const { status, stderr } = asUser(['buy', '--broker', 'http://127.0.0.1', '--key', 'x'])
  assert.match(stderr, /--broker.*not a broker; write mqtt:/)
  assert.equal(status, 2)
})

test('a device whose log nobody reads any more works on, and ends in order', async () => {
  const run = spawn(process.execPath, [bin, 'run', config('deaf.yaml', 'deaf')], { cwd: root })
  const late = setTimeout(() => run.kill('SIGKILL'), 60_000)
  let said = ''
  const url = await new Promise<string>((resolve) => {
    run.stderr.on('data', (chunk) => {
      said += chunk
      const [, found] = /"url":"(http:[^"]+)"/.exec(said) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  run.stderr.destroy()
  // The line is tried again within seconds, and every try is told.
  const deadline = Date.now() + 6_000
  while (Date.now() < deadline) {
    const { device } = (await (await fetch(`${url}/health`)).json()) as { device: string }
    assert.match(device, /^0x/)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  run.kill('SIGTERM')
  const [code] = await once(run, 'exit')
  clearTimeout(late)
  assert.equal(code, 0)
})
