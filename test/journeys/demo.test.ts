/** The demo, left in the middle: nothing stays behind. Its whole run is `npm run demo` itself. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chainAvailable } from '../../demo/chain.ts'
import { readOptions } from '../../demo/options.ts'
import { afterStopS, buyForMs } from '../../demo/pace.ts'

const main = fileURLToPath(new URL('../../demo/main.ts', import.meta.url))
const skip = chainAvailable() ? false : 'there is no anvil for this machine'

type Demo = {
  readonly child: ChildProcess
  /** Its own folder for temporary files. */
  readonly folder: string
  said(): string
  /** Resolves when it has said this. */
  says(text: string): Promise<void>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

async function startDemo(t: TestContext, ...args: readonly string[]): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-left-'))
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return {
    child,
    folder,
    said: () => said,
    ended,
    says: (text) => until(() => said.includes(text), `the demo says "${text}"; it said:\n${said}`),
  }
}

/** What the demo has started: processes by number, and the ports that it listens on. */
async function belongings({ child, said }: Demo) {
  const processes = await familyOf(child.pid as number)
  const ports = [...said().matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
  return { processes, ports }
}

async function nothingLeft(demo: Demo, before: Awaited<ReturnType<typeof belongings>>) {
  for (const { pid, command } of before.processes) {
    await until(async () => !(await lives(pid)), `process ${pid} is gone: ${command}`)
  }
  for (const port of before.ports) {
    await until(async () => !(await answers(port)), `port ${port} is closed`)
  }
  assert.deepEqual(await readdir(demo.folder), [], 'the temporary folder is gone')
}

test('Ctrl-C while it sells leaves nothing behind', { skip }, async (t) => {
  const demo = await startDemo(t)
  await demo.says('wayside buy: ')
  const cast = [' run ', ' operate ', ' buy ', 'eavesdropper.ts', 'anvil']
  let before = await belongings(demo)
  await until(async () => {
    before = await belongings(demo)
    const commands = before.processes.map(({ command }) => command).join('\n')
    return cast.every((one) => commands.includes(one))
  }, 'everybody is on the stage')
  assert.ok(before.ports.length >= 2, 'chain and broker listen')
  demo.child.kill('SIGINT')
  assert.equal(await demo.ended, 130)
  await nothingLeft(demo, before)
})

test('SIGTERM while it starts leaves nothing behind, with --keep either', { skip }, async (t) => {
  const demo = await startDemo(t, '--keep')
  await demo.says('with the contracts')
  const before = await belongings(demo)
  demo.child.kill('SIGTERM')
  assert.equal(await demo.ended, 143)
  await nothingLeft(demo, before)
})

test('a second Ctrl-C waits for nobody', { skip }, async (t) => {
  const demo = await startDemo(t)
  await demo.says('wayside run: ')
  const before = await belongings(demo)
  const device = before.processes.find(({ command }) => command.includes(' run '))
  assert.ok(device !== undefined)
  // One that does not heed a SIGTERM: the first Ctrl-C would wait for it.
  process.kill(device.pid, 'SIGSTOP')
  demo.child.kill('SIGINT')
  await sleep(600)
  assert.equal(demo.child.exitCode, null)
  const fromMs = performance.now()
  demo.child.kill('SIGINT')
  assert.equal(await demo.ended, 130)
  // The first one would give it three seconds, of which 2.4 are left.
  assert.ok(performance.now() - fromMs < 2_300)
  await nothingLeft(demo, before)
})

test('killed, it takes its processes along', { skip }, async (t) => {
  const demo = await startDemo(t)
  await demo.says('wayside run: ')
  const { processes } = await belongings(demo)
  demo.child.kill('SIGKILL')
  assert.equal(await demo.ended, 'SIGKILL')
  for (const { pid, command } of processes) {
    await until(async () => !(await lives(pid)), `process ${pid} is gone: ${command}`)
  }
})

test('what it can not begin with it says in one line, and leaves no folder', async (t) => {
  for (const [args, code, line] of [
    [['--fast'], 2, /^demo: Unknown option '--fast'.*--help.*\n$/],
    [['--rpc', 'http://127.0.0.1:1'], 3, /^demo: no chain answers at http:\/\/127.0.0.1:1.*\n$/],
  ] as const) {
    const demo = await startDemo(t, ...args)
    assert.equal(await demo.ended, code)
    assert.match(demo.said(), line)
    assert.deepEqual(await readdir(demo.folder), [])
  }
})

test('an option that can not be followed is refused at once, with what to write instead', () => {
  for (const [args, message] of [
    [['--json'], /^Option '--json <value>' argument missing; .*--help/],
    [['--json', '/dev/null/there.json'], /^--json \/dev\/null\/there.json can not be written: /],
    [['--json', tmpdir()], /it is a folder/],
    [['--rpc', 'localhost'], /^--rpc localhost is no address; write for instance http:/],
    [['now'], /^Unexpected argument 'now'; /],
  ] as const) {
    assert.throws(() => readOptions(args), { exit: 2, message })
  }
  assert.deepEqual(readOptions([]), { help: false, keep: false })
  assert.deepEqual(readOptions(['--keep', '--rpc', 'http://here:8545']), {
    help: false,
    keep: true,
    rpc: 'http://here:8545',
  })
})

test('on a machine four times as slow it is over within its minute all the same', () => {
  for (let slowness = 1; slowness <= 4; slowness += 0.25) {
    const boughtMs = 8_000 * slowness
    const leavesMs = boughtMs + buyForMs(boughtMs)
    assert.ok(leavesMs >= boughtMs + 5_000, 'a few epochs are bought')
    // What comes after the device's own seconds is as slow as the rest.
    assert.ok(leavesMs + afterStopS * 1000 + 3_500 * slowness < 60_000, `${slowness}`)
  }
})

type Process = { readonly pid: number; readonly command: string }

/** The children of a process and theirs. */
async function familyOf(pid: number): Promise<Process[]> {
  const everybody = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = new Map<number, number>()
  for (const one of everybody) parents.set(one, (await statOf(one))?.parent ?? 0)
  const below = (from: number): number[] =>
    everybody.filter((one) => parents.get(one) === from).flatMap((one) => [one, ...below(one)])
  return Promise.all(
    below(pid).map(async (one) => {
      const bytes = await readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '')
      return { pid: one, command: bytes.replaceAll('\0', ' ') }
    }),
  )
}

/** A zombie is dead: only whoever should bury it is slow. */
async function lives(pid: number): Promise<boolean> {
  const state = (await statOf(pid))?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}

async function statOf(pid: number) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name in parentheses may hold anything.
  const [state = '', parent] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
  return text === undefined ? undefined : { state, parent: Number(parent) }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Waits until it holds; a machine that is busy is given its time. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1_200; i += 1) {
    if (await holds()) return
    await sleep(50)
  }
  assert.fail(what)
}
