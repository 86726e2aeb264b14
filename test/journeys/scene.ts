/** Real processes on a real chain and broker, of which every word is kept. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../demo/broker.ts'
import { type DevChain, startChain } from '../../demo/chain.ts'
import { plantowerCapture, startSensors } from '../../demo/sensors.ts'
import { makeWorld, type World } from '../../demo/world.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { everyTopic } from '../../runtime/wire/topic.ts'
import type { Heard } from './leaks.ts'

export type Scene = {
  readonly world: World
  readonly chain: DevChain
  readonly brokerUrl: string
  /** The login of device and operator at the broker. */
  readonly password: string
  /** Everything that crossed the broker, and its topics. */
  readonly crossed: Heard[]
}

const bin = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))

export async function openScene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-secrets-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const chain = await startChain()
  t.after(chain.stop)
  const broker = await startBroker()
  t.after(broker.stop)
  const air = await plantowerCapture('air')
  const sensors = await startSensors(
    ['air', 'hall', 'position'].map((name) => ({ ...air, name, periodMs: 150 })),
  )
  t.after(sensors.stop)
  const world = await makeWorld({ folder, chain, broker: broker.url, ports: sensors.paths })
  await chain.mint(world.buyer, 10_000_000n)
  for (const who of [world.buyer, world.gateway]) await chain.fund(who, 10n ** 18n)
  const password = 'hush-nobody-may-read-this'
  const passwordFile = join(folder, 'broker-password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  const login = { broker: { url: broker.url, username: 'me', passwordFile } }
  await change(world.files.device, (config) => {
    const [first] = config.sensors
    const free = config.sensors.find(({ name }: { name: string }) => name === 'position')
    Object.assign(free, { driver: first.driver, options: first.options })
    const quick = { models: [], epoch: { age: '800ms' }, commit: { delay: '200ms' } }
    // Only those that a port is played for.
    const sensors = config.sensors.filter(({ port }: { port?: string }) => port !== undefined)
    return { ...config, ...login, ...quick, sensors, watch: { port: 0, log: 'debug' } }
  })
  await change(world.files.operate, (config) => ({ ...config, ...login }))
  return { world, chain, brokerUrl: broker.url, password, crossed: await witness(t, broker.url) }
}

/** Hears everything that everybody may hear. */
async function witness(t: TestContext, url: string): Promise<Heard[]> {
  const crossed: Heard[] = []
  const line = openBroker({ url, clientId: 'witness' })
  t.after(line.close)
  await line.ready()
  await line.subscribe(everyTopic, (topic, payload) => {
    crossed.push({ where: topic, bytes: payload.slice() })
    crossed.push({ where: `the topic ${topic}`, bytes: Buffer.from(topic) })
  })
  return crossed
}

// biome-ignore lint/suspicious/noExplicitAny: a config before anyone has read it
type Raw = any

export async function change(file: string, how: (config: Raw) => Raw): Promise<void> {
  await writeFile(file, JSON.stringify(how(JSON.parse(await readFile(file, 'utf8')))))
}

export type Process = {
  /** Resolves at the first JSON line with this event. */
  said(event: string): Promise<Readonly<Record<string, unknown>>>
  /** Resolves when so many lines were said on standard output. */
  lines(count: number): Promise<void>
  stop(): Promise<number>
  readonly ended: Promise<number>
  /** Everything that it said, and what others see of it in /proc. */
  heard(): Heard[]
}

/** Starts `wayside <args>`; it is ended with the test. */
export function wayside(t: TestContext, args: readonly string[]): Process {
  const name = `wayside ${args[0]}`
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const error: Buffer[] = []
  const looks = new Set<() => void>()
  const told = () => {
    for (const look of looks) look()
  }
  for (const [stream, kept] of [
    [child.stdout, out],
    [child.stderr, error],
  ] as const) {
    stream.on('data', (chunk: Buffer) => {
      kept.push(chunk)
      told()
    })
  }
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => {
      resolve(code ?? 137)
      told()
    })
  })
  const lines = () =>
    Buffer.concat([...out, ...error])
      .toString()
      .split('\n')
      .slice(0, -1)
  const until = <T>(found: () => T | undefined, what: string) =>
    new Promise<T>((resolve, reject) => {
      const look = () => {
        const value = found()
        const over = child.exitCode !== null || child.signalCode !== null
        if (value === undefined && !over) return
        looks.delete(look)
        if (value !== undefined) resolve(value)
        else reject(new Error(`${name} ended before ${what}: ${Buffer.concat(error)}`))
      }
      looks.add(look)
      look()
    })
  const cmdline = readFileSync(`/proc/${child.pid}/cmdline`)
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    return ended.finally(() => clearTimeout(late))
  }
  t.after(stop)
  return {
    ended,
    stop,
    said: (event) =>
      until(
        () =>
          lines()
            .map(json)
            .find((line) => line?.event === event),
        `it said ${event}`,
      ),
    lines: (count) =>
      until(
        () => Buffer.concat(out).toString().split('\n').length > count || undefined,
        `${count} lines`,
      ).then(() => {}),
    heard: () => [
      { where: `${name}: standard output`, bytes: Buffer.concat(out) },
      { where: `${name}: standard error`, bytes: Buffer.concat(error) },
      { where: `${name}: the list of processes`, bytes: cmdline },
    ],
  }
}

function json(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
